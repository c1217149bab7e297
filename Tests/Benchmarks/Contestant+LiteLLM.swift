import Foundation
import Glibc
import TestKit

extension Contestant {
    /// LiteLLM's proxy with one worker, a master key, and the same two upstreams as the gateway. It drops what its list
    /// says a model does not take; the gateway passes it on.
    ///
    /// - Parameter program: `bin/litellm` of an environment into which `litellm[proxy]` was installed.
    static func litellm(_ program: String, in folder: TemporaryFolder, provider: Int) throws -> Contestant {
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw Tool.Failure(
                description: "no \(program): python3 -m venv DIR && DIR/bin/pip install 'litellm[proxy]'")
        }
        let port = try freePort()
        let token = "sk-bench-master"
        let file = folder.path + "/litellm.yaml"
        try """
        model_list:
          - model_name: \(Kind.openAIModel)
            litellm_params:
              model: openai/\(Kind.openAIModel)
              api_base: http://127.0.0.1:\(provider)/v1
              api_key: sk-bench
          - model_name: \(Kind.anthropicModel)
            litellm_params:
              model: anthropic/\(Kind.anthropicModel)
              api_base: http://127.0.0.1:\(provider)
              api_key: sk-bench
        litellm_settings:
          drop_params: true
        general_settings:
          master_key: \(token)
        """.write(toFile: file, atomically: true, encoding: .utf8)
        let log = folder.path + "/litellm.log"
        // The price list comes with the package; without this it would be fetched from the network.
        let child = try Child(
            program, ["--config", file, "--host", "127.0.0.1", "--port", "\(port)", "--telemetry", "False"],
            output: log, environment: ["LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"])
        let started = Contestant(
            name: "litellm", port: port, token: token, child: child, measured: child.pid)
        // Python reads some thousand files first.
        try waitUntil("litellm listens", seconds: 120) {
            guard child.status == nil else {
                throw Tool.Failure(
                    description: "litellm ended: "
                        + ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").suffix(2_000))
            }
            return isListening(port)
        }
        return started
    }

    /// What a program says of its version.
    static func litellmVersion(_ program: String) -> String {
        let said = try? Tool.run(
            program, ["--version"], environment: ["LITELLM_LOCAL_MODEL_COST_MAP": "True"], expect: nil)
        let line = said?.out.split(separator: "\n").first { $0.localizedCaseInsensitiveContains("version") }
        return line.map { String($0).trimmingCharacters(in: .whitespaces) } ?? "of an unknown version"
    }

    private static func isListening(_ port: Int) -> Bool {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

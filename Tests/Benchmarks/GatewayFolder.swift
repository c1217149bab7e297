import Foundation
import TestKit

/// A data folder with one tenant, its keys for a provider of OpenAI's format and one of Anthropic's, and a virtual key.
struct GatewayFolder {
    let data: String
    let token: String

    /// The program that was built with the benchmarks.
    static func binary() throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("gatehouse").path
    }

    /// - Parameter binary: another program than the one that was built with the benchmarks.
    init(_ folder: TemporaryFolder, provider: Int, binary: String? = nil) throws {
        let data = folder.path + "/data"
        let binary = try binary ?? Self.binary()
        func run(_ arguments: [String], input: String = "") throws -> String {
            try Tool.run(binary, arguments + ["--data", data], input: input).out
        }
        _ = try run(["init", "--keyfile", folder.path + "/vault.key"])
        try Self.configure(data, keyFile: folder.path + "/vault.key", provider: provider)
        _ = try run(["tenant", "add", "acme", "--rpm", "10000000"])
        for provider in ["openai", "anthropic"] {
            _ = try run(
                ["key", "add", "acme", provider, "--from-stdin", "--accept-unverified"],
                input: "sk-bench-0123456789abcdef0123")
        }
        let issued = try run(["token", "issue", "acme", "--rpm", "10000000", "--tpm", "1000000000"])
        self.data = data
        token = issued.split(separator: "\n").last.map(String.init) ?? ""
    }

    /// The configuration that all measures share.
    static func configure(_ data: String, keyFile: String, provider: Int) throws {
        try """
        [listen]
        address = "127.0.0.1:0"
        threads = 1
        [vault]
        unlock = "keyfile"
        keyfile = "\(keyFile)"
        [[provider]]
        name = "openai"
        base_url = "http://127.0.0.1:\(provider)/v1"
        [[provider]]
        name = "anthropic"
        base_url = "http://127.0.0.1:\(provider)/v1"
        [[route]]
        model = "pair"
        targets = ["openai/gpt-6-sol", "openai/gpt-6-luna"]
        """.write(toFile: data + "/gatehouse.toml", atomically: true, encoding: .utf8)
    }
}

import Foundation
import TestKit

/// A gateway as its users have it: the real binary on a data folder of its own, and a provider on loopback.
final class House {
    static let openAIKey = "sk-test-MARKED-4f9c2a7be1d80356"
    static let anthropicKey = "sk-ant-MARKED-77c1e05d9ab3f264"

    let folder: TemporaryFolder
    private let provider: Child
    private(set) var engine: Child?
    /// The first for HTTP.
    let providerPorts: [Int]
    var providerPort: Int { providerPorts[0] }
    private(set) var port = 0
    private var runs = 0
    /// Given to the program beside this process's own.
    var environment: [String: String] = [:]
    /// What opens the vault, as the next `configure` says it.
    var keyFile: String
    /// What nobody may find in this house when it is left.
    let sweep: SecretSweep
    var sweepsAtEnd = true
    /// Bounded, since some tests give thousands of commands.
    private static var ownSweep: SecretSweep { SecretSweep(window: 12, most: (32 << 20, 60)) }

    private var other: String?
    var data: String { other ?? folder.path + "/data" }
    var record: String { folder.path + "/requests" }
    var logs: [String] { (0...runs).map { folder.path + "/log\($0)" } }

    /// The program that was built with these tests.
    static var binary: String {
        get throws {
            let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            let folder = URL(fileURLWithPath: tests).deletingLastPathComponent()
            for candidate in [
                folder, folder.deletingLastPathComponent(),
                Bundle.module.bundleURL.deletingLastPathComponent(),
            ] {
                let path = candidate.appendingPathComponent("gatehouse").path
                if FileManager.default.isExecutableFile(atPath: path) { return path }
            }
            throw Tool.Failure(description: "no gatehouse beside \(tests); build it with: swift build")
        }
    }

    static var python: String { get throws { try TestPython.path } }

    static func script(_ name: String) throws -> String {
        guard let path = Bundle.module.path(forResource: "Scripts/\(name)", ofType: "py") else {
            throw Tool.Failure(description: "no script \(name)")
        }
        return path
    }

    /// - Parameter sweep: nil = one of its own, which is done when the house is left.
    init(routes: String = "", sweep: SecretSweep? = nil) throws {
        let folder = try TemporaryFolder()
        self.folder = folder
        keyFile = folder.path + "/vault.key"
        self.sweep = sweep ?? Self.ownSweep
        sweepsAtEnd = sweep == nil
        (provider, providerPorts) = try Self.provider("upstream", folder.path + "/requests", in: folder)
        try command(["init", "--keyfile", keyFile])
        try configure(routes)
    }

    /// With played providers of every kind in place of the one: see `Scripts/providers.py`.
    init(playingEveryKind options: String) throws {
        let folder = try TemporaryFolder()
        self.folder = folder
        keyFile = folder.path + "/vault.key"
        sweep = Self.ownSweep
        (provider, providerPorts) = try Self.provider("providers", folder.path, in: folder)
        try command(["init", "--keyfile", keyFile])
        let providers = try String(contentsOfFile: folder.path + "/providers.toml", encoding: .utf8)
        try "\(ownPart)\n\(options)\n\(providers)".write(
            toFile: data + "/gatehouse.toml", atomically: true, encoding: .utf8)
    }

    /// Starts a script that prints the ports it serves.
    private static func provider(
        _ name: String, _ argument: String, in folder: TemporaryFolder
    ) throws -> (Child, [Int]) {
        let said = folder.path + "/provider"
        let provider = try Child(try python, [try script(name), argument], output: said)
        var ports: [Int] = []
        try waitUntil("the provider says its ports") {
            let text = (try? String(contentsOfFile: said, encoding: .utf8)) ?? ""
            guard provider.status == nil else {
                throw Tool.Failure(description: "the provider ended: \(text)")
            }
            guard let line = text.split(separator: "\n").first, text.hasSuffix("\n") else { return false }
            ports = line.split(separator: " ").compactMap { Int($0) }
            return !ports.isEmpty
        }
        return (provider, ports)
    }

    deinit {
        stop(SIGKILL)
        provider.end(SIGKILL)
        if sweepsAtEnd { sweepUp() }
    }

    /// What every configuration here begins with.
    private var ownPart: String {
        """
        [listen]
        address = "127.0.0.1:0"
        [vault]
        unlock = "keyfile"
        keyfile = "\(keyFile)"
        """
    }

    func configure(_ routes: String) throws {
        let text = """
            \(ownPart)
            [[provider]]
            name = "openai"
            base_url = "http://127.0.0.1:\(providerPort)/v1"
            [[provider]]
            name = "anthropic"
            base_url = "http://127.0.0.1:\(providerPort)/v1"
            [[route]]
            model = "failover"
            targets = ["openai/fail-500", "openai/gpt-6-sol"]
            [[route]]
            model = "pair"
            targets = ["openai/gpt-6-sol", "openai/gpt-6-luna"]
            \(routes)
            """
        try text.write(toFile: data + "/gatehouse.toml", atomically: true, encoding: .utf8)
    }

    /// From now on another data folder, with the same configuration.
    func move(to path: String) throws {
        let text = try String(contentsOfFile: data + "/gatehouse.toml", encoding: .utf8)
        try text.write(toFile: path + "/gatehouse.toml", atomically: true, encoding: .utf8)
        other = path
    }

    // MARK: The engine

    /// - Parameter commands: what a shell does before it becomes the engine.
    func start(after commands: String = "") throws {
        let engine = try launch(after: commands)
        let log = logs[runs]
        try waitUntil("the engine listens") {
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            guard engine.status == nil else { throw Tool.Failure(description: "the engine ended: \(text)") }
            guard let mark = text.range(of: "address=127.0.0.1:") else { return false }
            port = Int(text[mark.upperBound...].prefix { $0.isNumber }) ?? 0
            return port > 0
        }
    }

    /// Starts it and waits for nothing.
    @discardableResult
    func launch(after commands: String = "") throws -> Child {
        runs += 1
        let engine = try Child(
            "/bin/sh", ["-c", commands + " exec \"$@\"", "sh", try Self.binary, "serve", "--data", data],
            error: logs[runs], environment: environment)
        self.engine = engine
        return engine
    }

    /// Calls go to an engine that somebody else started.
    func adopt(_ other: Int) { port = other }

    func stop(_ signal: Int32) {
        engine?.end(signal)
    }

    // MARK: Commands

    @discardableResult
    func command(_ arguments: [String], input: String = "", expect status: Int32? = 0) throws -> Tool.Output {
        keep(input, of: arguments)
        let output = try Tool.run(
            try Self.binary, arguments + ["--data", data], input: input, environment: environment,
            expect: status)
        keep(output, of: arguments)
        return output
    }

    /// A tenant with both providers' keys; returns a virtual key.
    func tenant(_ name: String, openAI: String = House.openAIKey, limits: [String] = []) throws -> String {
        try command(["tenant", "add", name])
        try command(["key", "add", name, "openai", "--from-stdin"], input: openAI)
        try command(["key", "add", name, "anthropic", "--from-stdin"], input: Self.anthropicKey)
        return try token(name, limits)
    }

    func token(_ tenant: String, _ options: [String] = []) throws -> String {
        let output = try command(["token", "issue", tenant] + options).out
        return output.split(separator: "\n").last.map(String.init) ?? ""
    }

    func script(_ name: String, _ arguments: [String], token: String) throws -> Tool.Output {
        try Tool.run(try Self.python, [try Self.script(name)] + arguments, input: token + "\n")
    }

    func requests() throws -> [[String: Any]] {
        guard let text = try? String(contentsOfFile: record, encoding: .utf8) else { return [] }
        return try text.split(separator: "\n").compactMap {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
    }

    // MARK: Plain calls

    /// One call with curl's simplicity; returns status, headers in lower case, body.
    func call(
        _ path: String = "/v1/chat/completions", token: String, body: String, headers: [String] = []
    ) throws -> (status: Int, head: String, body: String) {
        var arguments = [
            "-sS", "-i", "-X", "POST", "http://127.0.0.1:\(port)\(path)", "-H", "@-", "--data-binary", body,
        ]
        for header in headers { arguments += ["-H", header] }
        // The key goes in by standard input: never in an argument.
        let output = try Tool.run(
            "/usr/bin/curl", arguments,
            input: "authorization: Bearer \(token)\ncontent-type: application/json\n"
        ).out
        let parts = output.components(separatedBy: "\r\n\r\n")
        let status = Int(output.split(separator: " ").dropFirst().first ?? "") ?? 0
        return (status, parts.first?.lowercased() ?? "", parts.dropFirst().joined(separator: "\r\n\r\n"))
    }

    static func chat(_ model: String, _ text: String = "hi") -> String {
        #"{"model":"\#(model)","messages":[{"role":"user","content":"\#(text)"}]}"#
    }
}

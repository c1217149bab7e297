import Console
import Domain
import Engine
import FoundationEssentials
import Glibc
import Logging
import NIOCore
import NIOPosix
import Operations
import Providers

/// `gatehouse demo`: a throw-away folder, simulated providers and callers on loopback, and the real engine between
/// them. Nothing in the path knows that it is a demo.
struct DemoHouse {
    private static let providers: [(name: String, kind: ProviderKind, key: String)] = [
        ("anthropic", .anthropic, "sk-ant-demo-0000000000000000"),
        ("openai", .openai, "sk-demo-000000000000000000000"),
        ("mistral", .openaiCompatible, "demo-mistral-000000000000000"),
        ("anthropic-eu", .anthropic, "sk-ant-demo-eu-0000000000000"),
        ("vllm", .openaiCompatible, ""),
    ]

    /// Tenants with their limits, and what their applications ask for.
    private static let tenants:
        [(name: String, limits: LimitSet, tokens: [(name: String, team: String, models: [DemoModel])])] = [
            (
                "acme", LimitSet(requestsPerMinute: 600),
                [
                    ("web-prod", "search", [.smart, .chat, .small]), ("batch", "data", [.embed, .small]),
                ]
            ),
            (
                "globex", LimitSet(requestsPerMinute: 400, parallel: 24),
                [("assistant", "support", [.claude, .chat])]
            ),
            ("initech", LimitSet(requestsPerMinute: 90), [("reports", "finance", [.small, .mistral, .own])]),
            ("umbrella", LimitSet(), [("lab", "research", [.mistral, .smart, .embed])]),
        ]

    /// What a simulated application asks for.
    private enum DemoModel {
        case smart, chat, small, claude, mistral, embed, own

        var entry: (name: String, weight: Int, anthropic: Bool, embeddings: Bool) {
            switch self {
            case .smart: ("smart", 4, true, false)
            case .chat: ("chat", 5, false, false)
            case .small: ("openai/gpt-6-luna", 3, false, false)
            case .claude: ("smart", 6, true, false)
            case .mistral: ("mistral/mistral-small-latest", 3, false, false)
            case .embed: ("openai/text-embedding-3-small", 2, false, true)
            case .own: ("vllm/in-house-7b", 2, false, false)
            }
        }
    }

    let seed: UInt64
    let speed: Double

    /// Makes the folder, the providers, the gateway and the traffic; runs `body`; takes everything away again.
    func run(
        log: Logger, _ body: (GatewayAssembly) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let root = try Self.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: root) }
        let started = SystemClock().now
        let speed = speed
        let script = DemoScript(seed: seed, providers: 3)
        let elapsed: @Sendable () -> Double = {
            Double((SystemClock().now - started).wholeMilliseconds) / 1_000 * speed
        }
        var simulated: [SimulatedProvider] = []
        for index in Self.providers.indices {
            simulated.append(
                try await SimulatedProvider.start(
                    on: group,
                    behaviour: .init(seed: seed &+ UInt64(index)) {
                        var mood = script.mood(of: index, at: elapsed())
                        mood.latency /= speed
                        return mood
                    }))
        }
        let places = try Places(data: root + "/data", config: root + "/gatehouse.toml")
        try Data(Self.configuration(ports: simulated.map(\.port), keyFile: root + "/vault.key").utf8).write(
            to: URL(filePath: places.config))
        let secret = try await Self.makeVault(places, keyFile: root + "/vault.key")
        let gateway = try await GatewayAssembly.open(
            places, configuration: try Configuration.load(places.config), unlock: .secret(secret), demo: true,
            log: log)
        await gateway.startBackground()
        try await gateway.openSocket()
        let port = try await gateway.listen()
        let traffic = DemoTraffic()
        do {
            let applications = try await Self.populate(gateway)
            traffic.start(on: group, port: port, applications: applications, seed: seed) {
                script.rate(at: elapsed()) * speed
            }
            try await body(gateway)
        } catch {
            traffic.stop()
            throw error
        }
        traffic.stop()
        for provider in simulated { await provider.stop() }
        try? await group.shutdownGracefully()
    }

    private static func makeFolder() throws -> String {
        let base = Places.variable("TMPDIR") ?? "/tmp"
        var template = Array((base + "/gatehouse-demo-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw CommandFailure("cannot make a folder under \(base)") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func makeVault(_ places: Places, keyFile: String) async throws -> SecretDraft {
        try await Launcher.makeFolder(places, keyFile: keyFile, passphraseFromStdin: false)
        return try SecretInput.keyFile(keyFile, outside: places.data)
    }

    private static func configuration(ports: [Int], keyFile: String) -> String {
        var text = "instance = \"demo\"\n[listen]\naddress = \"127.0.0.1:0\"\n[breaker]\nopen_seconds = 5\n"
        text += "[vault]\nunlock = \"keyfile\"\nkeyfile = \"\(keyFile)\"\n"
        for (provider, port) in zip(providers, ports) {
            text += "[[provider]]\nname = \"\(provider.name)\"\nkind = \"\(provider.kind.rawValue)\"\n"
            text += "base_url = \"http://127.0.0.1:\(port)/v1\"\nkeyless = \(provider.key.isEmpty)\n"
        }
        text += """
            [[route]]
            model = "smart"
            targets = ["anthropic/claude-sonnet-5", "anthropic-eu/claude-sonnet-5"]
            [[route]]
            model = "chat"
            strategy = "weighted"
            targets = ["openai/gpt-6-sol", "mistral/mistral-large-latest", "vllm/in-house-7b"]
            weights = [6, 3, 1]

            """
        return text
    }

    /// Tenants, keys and virtual keys, through the same commands as an operator's.
    private static func populate(_ gateway: GatewayAssembly) async throws -> [DemoApplication] {
        let who = OperatorID(name: "demo", via: "command")
        var applications: [DemoApplication] = []
        for tenant in tenants {
            let name = try TenantName(tenant.name)
            _ = try await gateway.engine.perform(
                .tenantAdd(name: name, limits: tenant.limits), secret: nil, by: who)
            for provider in providers where !provider.key.isEmpty {
                let secret = Array("\(provider.key)-\(tenant.name)".utf8).withUnsafeBytes {
                    SecretDraft(copying: $0)
                }
                _ = try await gateway.engine.perform(
                    .keyAdd(
                        tenant: name, provider: try ProviderName(provider.name), label: try Label("main"),
                        acceptUnverified: false), secret: secret, by: who)
            }
            for token in tenant.tokens {
                let outcome = try await gateway.engine.perform(
                    .tokenIssue(
                        TokenOrder(tenant: name, name: try Label(token.name), team: try Label(token.team))),
                    secret: nil,
                    by: who)
                guard let issued = outcome.issued else { continue }
                applications.append(
                    DemoApplication(
                        token: issued.withBytes { String(decoding: $0, as: UTF8.self) },
                        models: token.models.map(\.entry),
                        streams: 0.5, tags: "team=\(token.team),feature=\(token.name)"))
            }
        }
        return applications
    }
}

extension Launcher {
    /// The demo: with the console, or headless until a signal or its time comes.
    package static func demo(
        _ choices: ConsoleChoices, seed: UInt64, speed: Double, headless: Bool, seconds: Int?
    ) async throws {
        let logDescriptor: Int32 =
            if let path = choices.logFile { try openLog(path) } else {
                headless ? 2 : open("/dev/null", O_WRONLY)
            }
        let log = Logger(label: "gatehouse") { LineLog(label: $0, descriptor: logDescriptor) }
        if let seconds {
            // A bound that holds however the demo ends: the alarm is a stop signal like any other.
            Task {
                try? await Task.sleep(for: .seconds(seconds))
                kill(getpid(), SIGTERM)
            }
        }
        try await DemoHouse(seed: seed, speed: speed).run(log: log) { gateway in
            guard headless else {
                return try await show(
                    gateway, choices, theme: nil, logDescriptor: logDescriptor, endsWithTerminal: true,
                    log: log)
            }
            _ = await StopSignals.next()
            await gateway.stop(grace: .seconds(2))
        }
    }
}

import Domain
import Engine
import Operations

/// Who appears in the demo: providers, tenants with their keys, applications and routes.
enum DemoCast {
    static let providers: [(name: String, kind: ProviderKind, key: String)] = [
        ("anthropic", .anthropic, "sk-ant-demo-0000000000000000"),
        ("openai", .openai, "sk-demo-000000000000000000000"),
        ("mistral", .openaiCompatible, "demo-mistral-000000000000000"),
        ("anthropic-eu", .anthropic, "sk-ant-demo-eu-0000000000000"),
        ("vllm", .openaiCompatible, ""),
    ]

    /// The tenant whose keys serve those that have none of their own; it calls nothing itself.
    static let platform = "house"
    /// A second key at one provider beside `main`: one is refused now and then, one shares the calls by weight.
    static let spares: [(tenant: String, provider: String, weight: Int?)] = [
        (doomed, "mistral", nil), ("acme", "openai", 3),
    ]
    /// Whose key is refused in a spell of the script.
    static let doomed = "umbrella"
    /// Who has no key at Anthropic, and uses the platform's there.
    static let guest = "initech"

    /// Tenants with their limits, and what their applications ask for.
    static let tenants:
        [(name: String, limits: LimitSet, tokens: [(name: String, team: String, models: [DemoModel])])] = [
            (
                "acme", LimitSet(requestsPerMinute: 600),
                [
                    ("web-prod", "search", [.smart, .chat, .quick, .thread]),
                    ("batch", "data", [.embed, .small]),
                ]
            ),
            (
                "globex", LimitSet(requestsPerMinute: 400, parallel: 24),
                [("assistant", "support", [.claude, .chat, .thread])]
            ),
            (
                "initech", LimitSet(requestsPerMinute: 90),
                [("reports", "finance", [.small, .thrifty, .own])]
            ),
            (doomed, LimitSet(), [("lab", "research", [.mistral, .private, .quick, .embed])]),
        ]

    /// What a simulated application asks for.
    enum DemoModel {
        case smart, chat, small, claude, mistral, embed, own, quick, thrifty, thread, `private`

        var entry: (name: String, weight: Int, anthropic: Bool, embeddings: Bool) {
            switch self {
            case .smart: ("smart", 4, true, false)
            case .chat: ("chat", 5, false, false)
            case .small: ("openai/gpt-6-luna", 3, false, false)
            case .claude: ("smart", 6, true, false)
            case .mistral: ("mistral/mistral-small-latest", 3, false, false)
            case .embed: ("openai/text-embedding-3-small", 2, false, true)
            case .own: ("vllm/in-house-7b", 2, false, false)
            case .quick: ("quick", 3, false, false)
            case .thrifty: ("thrifty", 3, false, false)
            case .thread: ("thread", 2, false, false)
            case .private: ("private", 2, true, false)
            }
        }
    }

    /// One for each way to choose: by list, by weight, by speed, by price, by conversation, and within a region.
    static let routes = """
        [[route]]
        model = "smart"
        targets = ["anthropic/claude-sonnet-5", "anthropic-eu/claude-sonnet-5"]
        last_resort = "openai/gpt-6-sol"
        [[route]]
        model = "chat"
        strategy = "weighted"
        targets = ["openai/gpt-6-sol", "mistral/mistral-large-latest", "vllm/in-house-7b"]
        weights = [6, 3, 1]
        [[route]]
        model = "quick"
        strategy = "fastest"
        targets = ["openai/gpt-6-luna", "mistral/mistral-small-latest"]
        [[route]]
        model = "thrifty"
        strategy = "cheapest"
        targets = ["openai/gpt-6-sol", "mistral/mistral-small-latest", "anthropic/claude-haiku-4-5"]
        max_usd = "0.05"
        [[route]]
        model = "thread"
        strategy = "sticky"
        targets = ["openai/gpt-6-sol", "anthropic-eu/claude-sonnet-5"]
        [[route]]
        model = "private"
        targets = ["anthropic/claude-sonnet-5", "anthropic-eu/claude-sonnet-5"]
        regions = ["eu"]
        retention = ["none"]

        """

    /// The configuration, with each provider at its port.
    static func configuration(ports: [Int], keyFile: String) -> String {
        var text = "instance = \"demo\"\n[listen]\naddress = \"127.0.0.1:0\"\n[breaker]\nopen_seconds = 5\n"
        // A stream that stands still is given up soon enough to be seen.
        text += "[bounds]\nidle_seconds = 6\n[platform]\ntenant = \"\(platform)\"\n"
        text += "[drill]\ntenants = [\(tenants.map { "\"\($0.name)\"" }.joined(separator: ", "))]\n"
        text += "[vault]\nunlock = \"keyfile\"\nkeyfile = \"\(keyFile)\"\n"
        for (provider, port) in zip(providers, ports) {
            text += "[[provider]]\nname = \"\(provider.name)\"\nkind = \"\(provider.kind.rawValue)\"\n"
            text += "base_url = \"http://127.0.0.1:\(port)/v1\"\nkeyless = \(provider.key.isEmpty)\n"
            text += "probe = \"15s\"\n"
            if provider.name == "anthropic-eu" { text += "region = \"eu\"\nretention = \"none\"\n" }
        }
        return text + routes
    }

    /// The key that a tenant has at the n-th provider.
    private static func key(of tenant: String, at index: Int) -> String {
        "\(providers[index].key)-\(tenant)"
    }

    /// The key that is refused in a spell: the spare one, as the newest of a tenant's keys is used first.
    static func doomedKey(at index: Int) -> String { key(of: doomed, at: index) + spareMark }

    private static let spareMark = "-2"

    /// Tenants, keys and virtual keys, through the same commands as an operator's.
    static func populate(_ gateway: GatewayAssembly) async throws -> [DemoApplication] {
        let house = try TenantName(platform)
        try await perform(.tenantAdd(name: house, limits: LimitSet()), on: gateway)
        try await addKeys(of: platform, on: gateway)
        var applications: [DemoApplication] = []
        for tenant in tenants {
            let name = try TenantName(tenant.name)
            try await perform(.tenantAdd(name: name, limits: tenant.limits), on: gateway)
            try await addKeys(of: tenant.name, on: gateway)
            for token in tenant.tokens {
                let order = TokenOrder(
                    tenant: name, name: try Label(token.name), team: try Label(token.team),
                    callClass: token.name == "batch" ? .batch : .interactive)
                guard let issued = try await perform(.tokenIssue(order), on: gateway).issued else { continue }
                applications.append(
                    DemoApplication(
                        token: issued.withBytes { String(decoding: $0, as: UTF8.self) },
                        models: token.models.map(\.entry),
                        streams: 0.5, tags: "team=\(token.team),feature=\(token.name)"))
            }
        }
        try await perform(.tenantPlatformKeys(name: try TenantName(guest), used: true), on: gateway)
        return applications
    }

    /// A key for each provider that takes one, and the spare ones; the guest has none at Anthropic.
    static func addKeys(of tenant: String, on gateway: GatewayAssembly) async throws {
        for (index, provider) in providers.enumerated() where !provider.key.isEmpty {
            if tenant == guest, provider.kind == .anthropic { continue }
            let secret = key(of: tenant, at: index)
            let id = try await addKey("main", secret, of: tenant, at: provider.name, on: gateway)
            for spare in spares where spare.tenant == tenant && spare.provider == provider.name {
                _ = try await addKey("spare", secret + spareMark, of: tenant, at: provider.name, on: gateway)
                guard let weight = spare.weight, let id else { continue }
                try await perform(.keySet(key: id, weight: weight, models: []), on: gateway)
            }
        }
    }

    static func addKey(
        _ label: String, _ secret: String, of tenant: String, at provider: String, on gateway: GatewayAssembly
    ) async throws -> ProviderKeyID? {
        let (tenant, provider) = (try TenantName(tenant), try ProviderName(provider))
        let command = EngineCommand.keyAdd(
            tenant: tenant, provider: provider, label: try Label(label), acceptUnverified: false)
        let draft = Array(secret.utf8).withUnsafeBytes { SecretDraft(copying: $0) }
        _ = try await gateway.engine.perform(command, secret: draft, by: who)
        return gateway.engine.snapshot().providerKeys.first {
            $0.tenant == tenant && $0.provider == provider && $0.label.text == label
        }?.id
    }

    @discardableResult
    static func perform(
        _ command: EngineCommand, on gateway: GatewayAssembly
    ) async throws -> CommandOutcome {
        try await gateway.engine.perform(command, secret: nil, by: who)
    }

    static let who = OperatorID(name: "demo", via: "command")
}

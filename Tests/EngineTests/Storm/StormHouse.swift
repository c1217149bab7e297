import Access
import Cache
import Cipher
import Domain
import Engine
import Events
import Limits
import Locking
import Logging
import Metering
import Operations
import Routing
import Storage
import TestKit
import Testing
import Vault

/// An engine with three providers and ten tenants, everything real but time and the network.
struct StormHouse {
    static let providers = ["alpha", "beta", "gamma"]
    /// Routes, and targets by their own names.
    static let models = [
        "trio", "trio", "trio", "spread", "quick", "idle", "faithful", "pair", "large", "eager",
        "alpha/small",
        "beta/small", "gamma/small", "alpha/large", "beta/large", "gamma/large",
    ]

    /// One of the ten.
    struct Tenant {
        let id: TenantID
        let token: Token
        /// By provider.
        let keys: [[ProviderKeyID]]
    }

    let engine: GatewayEngine
    private let control = SwitchedControl()
    let clock = TestClock()
    let journal = MemoryJournal()
    let breakers: WatchedBreakers
    let credentials: WatchedCredentials
    let retries: WatchedRetries
    private(set) var tenants: [Tenant] = []

    var parts: PathParts { engine.parts }

    init(seed: UInt64) async throws {
        try SecureHeap.start()
        let file: StaticString = "0123456789abcdef0123456789abcdef"
        let bytes = try SecretBytes(
            copying: UnsafeRawBufferPointer(start: file.utf8Start, count: file.utf8CodeUnitCount))
        let (vault, record) = try KeyVault.create(with: .keyFile(bytes), at: clock.wall)
        try await control.createVault(
            record,
            audit: AuditDraft(
                at: clock.wall, actor: "ops", via: "test", action: "vault.create", target: "vault"))
        let providers = try Self.providers.map {
            ProviderDefinition(
                name: try ProviderName($0), kind: .openai,
                origin: Origin(secure: true, host: "\($0).example", port: 443), pathPrefix: "/v1")
        }
        let state = EngineState(
            vault: record, tenants: [], tenantKeys: [], providerKeys: [], virtualKeys: [],
            providers: Dictionary(uniqueKeysWithValues: providers.map { ($0.name, $0) }),
            routes: try Self.routes(), prices: .builtIn)
        breakers = WatchedBreakers()
        credentials = WatchedCredentials()
        retries = WatchedRetries()
        let parts = PathParts(
            clock: clock, directory: state.directory(), options: PathOptions(),
            counters: MemoryLimitCounters(), cache: AnswerCache(), breakers: breakers,
            credentials: credentials, vault: vault, secrets: PlaintextCache(vault: vault), journal: journal,
            bus: EventBus(lanes: 2), retries: retries, seed: seed)
        engine = GatewayEngine(
            parts: parts, state: state, control: control, tenants: SwitchedTenants(), prober: TestProber(),
            holds: [], identity: .init(instance: "test", version: "0", demo: false, listening: ""),
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        for number in 0..<StormPlace.tenants { tenants.append(try await add(number)) }
    }

    private static func routes() throws -> [ModelName: Route] {
        func route(
            _ name: String, _ strategy: RoutingStrategyName, _ targets: [String], lastResort: String? = nil,
            hedgeAfter: Duration? = nil
        ) throws -> Route {
            Route(
                model: try ModelName(name), strategy: strategy,
                choices: try targets.map { Route.Choice(target: try Target($0)) },
                lastResort: try lastResort.map { try Target($0) },
                onContextOverflow: [try Target("beta/large")], hedgeAfter: hedgeAfter)
        }
        let three = ["alpha/small", "beta/small", "gamma/small"]
        let all = [
            try route("trio", .priority, three), try route("spread", .weighted, three),
            try route("quick", .fastest, three), try route("idle", .leastBusy, three),
            try route("faithful", .sticky, three),
            try route("pair", .priority, ["beta/small", "alpha/large"], lastResort: "gamma/large"),
            try route("eager", .priority, three, hedgeAfter: .milliseconds(700)),
            try route("large", .priority, ["gamma/large", "beta/large", "alpha/large"]),
        ]
        return Dictionary(uniqueKeysWithValues: all.map { ($0.model, $0) })
    }

    /// What a name of `models` can lead to.
    func targets(of model: String) throws -> [Target] {
        guard let route = parts.directory.load().routes[try ModelName(model)] else {
            return [try Target(model)]
        }
        return route.choices.map(\.target) + (route.lastResort.map { [$0] } ?? [])
    }

    var providerNames: [ProviderName] { Self.providers.compactMap { try? ProviderName($0) } }

    /// Those that routes and callers use.
    func targets(at provider: ProviderName) -> [Target] {
        StormPlace.models.compactMap { try? Target("\(provider)/\($0)") }
    }

    // MARK: Tenants

    private func add(_ number: Int) async throws -> Tenant {
        let name = try TenantName("tenant-\(number)")
        // One asks for more than it may; the others' ceilings count and are never reached.
        let limits =
            number == StormPlan.greedy
            ? LimitSet(requestsPerMinute: 240, tokensPerMinute: 40_000, parallel: 12)
            : LimitSet(requestsPerMinute: 100_000, parallel: 4_000)
        try await give(.tenantAdd(name: name, limits: limits))
        var keys: [[ProviderKeyID]] = []
        for provider in Self.providers {
            var own: [ProviderKeyID] = []
            // Tenant 6 has a second key everywhere.
            for label in number == 6 ? ["main", "other"] : ["main"] {
                own.append(try await addKey(name, try ProviderName(provider), try Label(label)))
                clock.advance(.seconds(1))
            }
            keys.append(own)
        }
        if number == 6 {
            try await give(
                .limitSet(tenant: name, owner: .providerKey(keys[0][1]), limits: LimitSet(parallel: 3)))
        }
        let team = try Label("team")
        let user = try Label("user")
        try await give(
            .limitSet(tenant: name, owner: .team(team), limits: LimitSet(requestsPerMinute: 90_000)))
        try await give(.limitSet(tenant: name, owner: .user(user), limits: LimitSet(parallel: 3_000)))
        let order = TokenOrder(
            tenant: name, name: try Label("app"), user: user, team: team, limits: LimitSet(parallel: 3_500))
        let issued = try await give(.tokenIssue(order)).issued
        let text = try #require(issued).withBytes { String(decoding: $0, as: UTF8.self) }
        let kept = try await control.load()
        let record = try #require(kept.tenants.first { $0.name == name })
        let token = try #require(kept.virtualKeys.first { $0.tenant == record.id })
        return Tenant(id: record.id, token: Token(id: token.id, text: text), keys: keys)
    }

    private func addKey(
        _ tenant: TenantName, _ provider: ProviderName, _ label: Label
    ) async throws
        -> ProviderKeyID
    {
        let before = Set(ids())
        try await give(
            .keyAdd(tenant: tenant, provider: provider, label: label, acceptUnverified: false),
            "sk-test-storm-\(tenant)-\(provider)-\(label)")
        return try #require(ids().first { !before.contains($0) })
    }

    private func ids() -> [ProviderKeyID] {
        parts.directory.load().keys.values.flatMap { $0.values.flatMap { $0.map(\.id) } }
    }

    @discardableResult
    func give(_ command: EngineCommand, _ secret: String? = nil) async throws -> CommandOutcome {
        let draft = secret.map { Array($0.utf8).withUnsafeBytes { SecretDraft(copying: $0) } }
        return try await engine.perform(command, secret: draft, by: EngineFixture.who)
    }
}

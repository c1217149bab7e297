import Cache
import Cipher
import Domain
import Engine
import Events
import Gateway
import Limits
import Locking
import Logging
import Metering
import NIOCore
import NIOPosix
import Operations
import Providers
import Routing
import Storage
import Testing
import Vault

/// Time that stands still until a test moves it; the time-outs of connections go by real time all the same.
final class StandingClock: GatewayClock {
    private let moved = Locked(Duration.zero)

    var now: Instant { Instant(nanoseconds: 1_000_000_000_000) + moved.withLock { $0 } }
    var wall: WallTime { WallTime(milliseconds: 1_790_000_000_000) + moved.withLock { $0 } }

    func advance(by duration: Duration) { moved.withLock { $0 += duration } }
}

/// A prober that takes every key for good: what is tested here are calls.
private struct Believer: KeyProber {
    func probe(_ provider: ProviderDefinition, secret: borrowing SecretBytes) async -> KeyProbeAnswer {
        KeyProbeAnswer(verdict: .verified, sentence: "not asked")
    }
}

/// What a house is to be like.
struct HousePlan: Sendable {
    /// Answers of the provider `openai`, and of `second`, which the route `pair` falls back to.
    var openAI: RawUpstream.Script = { link, _ in try link.send(Wire.chatAnswer) }
    var second: RawUpstream.Script = { link, _ in try link.send(Wire.chatAnswer) }
    var anthropic: RawUpstream.Script = { link, _ in try link.send(Wire.messagesAnswer) }
    var path = PathOptions()
    var gateway = GatewayOptions(port: 0)
    var limits = LimitSet()
    /// When the routes `pair` and `solo`, which has `openai` only, begin a second attempt; nil = never.
    var hedgeAfter: Duration?
    /// Whether drills may be made for the tenant `acme`.
    var drills = false
    /// Keys of the tenant `acme` for `openai`.
    var keys = [House.openAIKey]
}

/// A gateway with an engine on memory stores, three scripted providers, and two tenants with a virtual key each.
final class House {
    static let openAIKey = "sk-test-MARKED-4f9c2a7be1d80356"
    static let otherOpenAIKey = "sk-test-MARKED-0b6d93c15f27ae84"
    static let secondKey = "sk-test-MARKED-d27c40e86a91b35f"
    static let anthropicKey = "sk-ant-MARKED-77c1e05d9ab3f264"
    static let keys = [openAIKey, otherOpenAIKey, secondKey, anthropicKey]

    let openAI: RawUpstream
    let second: RawUpstream
    let anthropic: RawUpstream
    let engine: GatewayEngine
    let clock = StandingClock()
    private(set) var port = 0
    /// Virtual keys of the tenants `acme` and `beta`.
    private(set) var token = ""
    private(set) var otherToken = ""
    private let journal = WatchedJournal()
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private var server: GatewayServer?
    private let feed: EventFeed

    init(_ plan: HousePlan) async throws {
        // A test machine may not lock memory.
        try? SecureHeap.start(allowUnlocked: true)
        openAI = try RawUpstream(plan.openAI)
        second = try RawUpstream(plan.second)
        anthropic = try RawUpstream(plan.anthropic)
        let file: StaticString = "0123456789abcdef0123456789abcdef"
        let bytes = try SecretBytes(
            copying: UnsafeRawBufferPointer(start: file.utf8Start, count: file.utf8CodeUnitCount))
        let (vault, record) = try KeyVault.create(with: .keyFile(bytes), at: clock.wall)
        let control = MemoryControlStore(hashing: { SHA256.digest($0) })
        try await control.createVault(
            record,
            audit: AuditDraft(
                at: clock.wall, actor: "ops", via: "test", action: "vault.create", target: "vault"))
        let providers = try Self.providers(
            openAI: openAI.port, second: second.port, anthropic: anthropic.port)
        let state = EngineState(
            vault: record, tenants: [], tenantKeys: [], providerKeys: [], virtualKeys: [],
            providers: Dictionary(uniqueKeysWithValues: providers.map { ($0.name, $0) }),
            routes: try Self.routes(hedgeAfter: plan.hedgeAfter), routing: try Self.routing(plan),
            prices: .builtIn)
        let parts = PathParts(
            clock: clock, directory: state.directory(), options: plan.path, counters: MemoryLimitCounters(),
            cache: AnswerCache(), breakers: MemoryBreakerBoard(), credentials: MemoryCredentialBoard(),
            vault: vault, secrets: PlaintextCache(vault: vault), journal: journal, bus: EventBus(lanes: 2))
        engine = GatewayEngine(
            parts: parts, state: state, control: control, tenants: MemoryTenantStores(), prober: Believer(),
            holds: [], identity: .init(instance: "test", version: "0", demo: false, listening: ""),
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        feed = engine.feed(depth: 1_000)
        token = try await populate("acme", plan.limits, openAIKeys: plan.keys)
        otherToken = try await populate("beta", LimitSet(), openAIKeys: [Self.otherOpenAIKey])
        var upstream = UpstreamOptions()
        upstream.tick = .milliseconds(20)
        let started = try await GatewayServer.start(
            plan.gateway, path: engine.path, parts: parts, group: group, upstream: upstream,
            tls: try UpstreamTLS(),
            health: { HealthState(ready: true, body: #"{"status":"ready"}"#) })
        server = started
        port = started.port
    }

    private static func providers(openAI: Int, second: Int, anthropic: Int) throws -> [ProviderDefinition] {
        try [
            ("openai", ProviderKind.openai, openAI), ("second", .openai, second),
            ("anthropic", .anthropic, anthropic),
        ]
        .map { name, kind, port in
            ProviderDefinition(
                name: try ProviderName(name), kind: kind,
                origin: Origin(secure: false, host: "127.0.0.1", port: port), pathPrefix: "/v1")
        }
    }

    private static func routing(_ plan: HousePlan) throws -> RoutingSettings {
        var routing = RoutingSettings()
        if plan.drills { routing.drillTenants = [try TenantName("acme")] }
        return routing
    }

    private static func routes(hedgeAfter: Duration?) throws -> [ModelName: Route] {
        let targets = [
            "pair": ["openai/gpt-6-sol", "second/gpt-6-sol"], "solo": ["openai/gpt-6-sol"],
            "mixed": ["anthropic/claude-sonnet-5", "second/gpt-6-sol"],
        ]
        let routes = try targets.map { name, targets in
            Route(
                model: try ModelName(name),
                choices: try targets.map { Route.Choice(target: try Target($0)) }, hedgeAfter: hedgeAfter)
        }
        return Dictionary(uniqueKeysWithValues: routes.map { ($0.model, $0) })
    }

    /// A tenant with keys for all providers; returns its virtual key.
    func populate(_ name: String, _ limits: LimitSet, openAIKeys: [String]) async throws -> String {
        let tenant = try TenantName(name)
        try await give(.tenantAdd(name: tenant, limits: limits))
        let keys =
            openAIKeys.enumerated().map { ("openai", "key\($0.offset)", $0.element) }
            + [("second", "main", Self.secondKey), ("anthropic", "main", Self.anthropicKey)]
        for (provider, label, secret) in keys {
            try await give(
                .keyAdd(
                    tenant: tenant, provider: try ProviderName(provider), label: try Label(label),
                    acceptUnverified: false), secret)
            // Keys are told apart by their age.
            clock.advance(by: .seconds(1))
        }
        let issued = try await give(.tokenIssue(TokenOrder(tenant: tenant, name: try Label("app")))).issued
        return try #require(issued).withBytes { String(decoding: $0, as: UTF8.self) }
    }

    @discardableResult
    func give(_ command: EngineCommand, _ secret: String? = nil) async throws -> CommandOutcome {
        let draft = secret.map { Array($0.utf8).withUnsafeBytes { SecretDraft(copying: $0) } }
        return try await engine.perform(command, secret: draft, by: OperatorID(name: "ops", via: "test"))
    }

    func close() async {
        await server?.close()
        for upstream in [openAI, second, anthropic] { upstream.stop() }
        try? await group.shutdownGracefully()
        // Whatever a test did, nothing of it stays behind.
        #expect(engine.parts.inFlight.current == 0)
        #expect(journal.load.used == journal.count)
    }

    // MARK: What happened

    /// Waits until so many calls have settled; a moment later there are no more.
    func rows(_ count: Int) throws -> [LedgerRow] {
        _ = try journal.rows(count)
        try catchUp()
        return try journal.rows(count)
    }

    /// Lets the event loop finish what it is at: a call's ending is one piece of work on it.
    private func catchUp() throws { try group.next().submit {}.wait() }

    /// Calls that were published as finished, and other events, since the last look.
    func events() throws -> [GatewayEvent] {
        try catchUp()
        engine.pump()
        return feed.take().events.map(\.event)
    }

    func finishes() throws -> [GatewayEvent.CallFinish] {
        try events().compactMap { if case .callFinished(let finish) = $0 { finish } else { nil } }
    }

    // MARK: Calls

    func caller(buffers: CInt? = nil) throws -> RawCaller { try RawCaller(port: port, buffers: buffers) }

    func post(
        at path: String = "/v1/chat/completions", _ body: String, token: String? = nil, headers: String = ""
    ) -> String {
        "POST \(path) HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer \(token ?? self.token)\r\n"
            + "\(headers)content-length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    func get(_ path: String) -> String {
        "GET \(path) HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer \(token)\r\n\r\n"
    }

    /// One call on a connection of its own.
    func call(
        at path: String = "/v1/chat/completions", _ body: String, token: String? = nil, headers: String = ""
    ) throws -> RawCaller.Answer {
        let caller = try caller()
        try caller.send(post(at: path, body, token: token, headers: headers))
        return try caller.answer()
    }
}

/// A journal that says when rows come.
private final class WatchedJournal: UsageJournal {
    private let inner = MemoryJournal()
    private let written = Watched<[LedgerRow]>([])

    func reserve() -> Bool { inner.reserve() }
    func release() { inner.release() }

    func append(_ row: LedgerRow) {
        inner.append(row)
        written.update { $0.append(row) }
    }

    func pending(limit: Int) throws -> [LedgerRow] { try inner.pending(limit: limit) }
    func confirm(_ calls: [CallID]) throws { try inner.confirm(calls) }
    var load: (used: Int, capacity: Int) { inner.load }

    var count: Int { written.read(\.count) }

    func rows(_ count: Int) throws -> [LedgerRow] {
        try written.wait(for: "\(count) ledger rows") { $0.count >= count ? $0 : nil }
    }
}

/// Runs a test with a house, and takes the house down whatever comes of it.
func withHouse(_ plan: HousePlan = HousePlan(), _ body: (House) async throws -> Void) async throws {
    let house = try await House(plan)
    do {
        try await body(house)
    } catch {
        await house.close()
        throw error
    }
    await house.close()
}

import Cache
import Cipher
import Domain
import Engine
import Events
import Gateway
import Glibc
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
import TestKit
import Testing
import Vault

/// The machine's own clocks.
struct RealClock: GatewayClock {
    var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    var wall: WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

/// Asks nobody: what is tested here are calls.
private struct Trusting: KeyProber {
    func probe(_ provider: ProviderDefinition, secret: borrowing SecretBytes) async -> KeyProbeAnswer {
        KeyProbeAnswer(verdict: .verified, sentence: "not asked")
    }
}

/// A gateway on real time with short bounds, three providers that follow the weather, and ten tenants.
final class StormGateway: Sendable {
    static let routes = [
        "trio": ["alpha/small", "beta/small", "claude/small"],
        "said-anew": ["claude/small", "alpha/small", "beta/small"],
        "eager": ["beta/small", "claude/small", "alpha/small"],
    ]
    /// What callers name: routes, and targets by their own names.
    static let models = ["trio", "trio", "said-anew", "eager", "alpha/large", "beta/large", "claude/large"]
    /// The tenant that asks for more than its limits, and those whose keys have faults.
    static let greedy = 7
    static let keyTroubled: Set<Int> = [8, 9]
    static let firstByte = Duration.seconds(1)
    static let total = Duration.seconds(5)

    let engine: GatewayEngine
    let clock = RealClock()
    let journal = MemoryJournal()
    let tokens: [String]
    let port: Int
    let upstreams: [RawUpstream]
    private let ids: [TenantID]
    private let server: GatewayServer
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    private let weather: Locked<(weather: StormWeather, began: Instant)>

    init() async throws {
        // A test machine may not lock memory.
        try? SecureHeap.start(allowUnlocked: true)
        let clock = clock
        let weather = Locked((weather: StormWeather(), began: clock.now))
        self.weather = weather
        upstreams = try (0..<StormPlace.providers).map { number in
            let provider = StormProvider(number: number, isAnthropic: number == 2) {
                weather.withLock { ($0.weather, clock.now - $0.began) }
            }
            return try RawUpstream(keeps: false) { try provider.answer($0, $1) }
        }
        let file: StaticString = "0123456789abcdef0123456789abcdef"
        let bytes = try SecretBytes(
            copying: UnsafeRawBufferPointer(start: file.utf8Start, count: file.utf8CodeUnitCount))
        let (vault, record) = try KeyVault.create(with: .keyFile(bytes), at: clock.wall)
        let control = MemoryControlStore(hashing: { SHA256.digest($0) })
        try await control.createVault(
            record,
            audit: AuditDraft(
                at: clock.wall, actor: "ops", via: "test", action: "vault.create", target: "vault"))
        let ports = upstreams.map(\.port)
        let providers = try zip(["alpha", "beta", "claude"], ports).map { name, port in
            ProviderDefinition(
                name: try ProviderName(name), kind: name == "claude" ? .anthropic : .openai,
                origin: Origin(secure: false, host: "127.0.0.1", port: port), pathPrefix: "/v1")
        }
        let routes = try Self.routes.map { name, targets in
            Route(
                model: try ModelName(name),
                choices: try targets.map { Route.Choice(target: try Target($0)) },
                hedgeAfter: name == "eager" ? .milliseconds(300) : nil)
        }
        let state = EngineState(
            vault: record, tenants: [], tenantKeys: [], providerKeys: [], virtualKeys: [],
            providers: Dictionary(uniqueKeysWithValues: providers.map { ($0.name, $0) }),
            routes: Dictionary(uniqueKeysWithValues: routes.map { ($0.model, $0) }), prices: .builtIn)
        let parts = PathParts(
            clock: clock, directory: state.directory(), options: Self.path, counters: MemoryLimitCounters(),
            cache: AnswerCache(), breakers: MemoryBreakerBoard(options: Self.breakers),
            credentials: MemoryCredentialBoard(options: Self.credentials), vault: vault,
            secrets: PlaintextCache(vault: vault), journal: journal, bus: EventBus(lanes: 3))
        engine = GatewayEngine(
            parts: parts, state: state, control: control, tenants: MemoryTenantStores(), prober: Trusting(),
            holds: [], identity: .init(instance: "test", version: "0", demo: false, listening: ""),
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        var tokens: [String] = []
        for tenant in 0..<StormPlace.tenants {
            tokens.append(try await Self.populate(engine, tenant, providers.map(\.name)))
        }
        self.tokens = tokens
        ids = try await control.load().tenants.map(\.id)
        var upstream = UpstreamOptions()
        upstream.tick = .milliseconds(20)
        upstream.keepIdle = .seconds(1)
        server = try await GatewayServer.start(
            GatewayOptions(port: 0), path: engine.path, parts: parts, group: group, upstream: upstream,
            tls: try UpstreamTLS(), health: { HealthState(ready: true, body: #"{"status":"ready"}"#) })
        port = server.port
    }

    private static var path: PathOptions {
        PathOptions(
            connect: firstByte, firstByte: firstByte, idle: .seconds(1), total: total, cacheEnabled: false,
            retryWaitMost: .seconds(1))
    }

    private static var breakers: BreakerOptions {
        var options = BreakerOptions()
        options.window = .seconds(3)
        options.callsMin = 6
        options.slowCall = .milliseconds(800)
        options.openFirst = .milliseconds(500)
        options.openLongest = .seconds(3)
        options.retryAfterLongest = .seconds(2)
        options.probeTimeout = .seconds(2)
        return options
    }

    private static var credentials: CredentialOptions {
        var options = CredentialOptions()
        options.coolingDefault = .milliseconds(500)
        options.coolingLongest = .seconds(2)
        options.exhaustedFirst = .seconds(1)
        options.exhaustedLongest = .seconds(2)
        options.suspectRest = .milliseconds(500)
        options.refusedRest = .seconds(1)
        options.probeTimeout = .seconds(2)
        return options
    }

    /// A tenant with a key for each provider; returns its virtual key.
    private static func populate(
        _ engine: GatewayEngine, _ number: Int, _ providers: [ProviderName]
    ) async throws -> String {
        func give(_ command: EngineCommand, _ secret: String? = nil) async throws -> CommandOutcome {
            let draft = secret.map { Array($0.utf8).withUnsafeBytes { SecretDraft(copying: $0) } }
            return try await engine.perform(command, secret: draft, by: OperatorID(name: "ops", via: "test"))
        }
        let tenant = try TenantName("tenant-\(number)")
        let limits =
            number == greedy ? LimitSet(requestsPerMinute: 300, parallel: 3) : LimitSet(parallel: 1_000)
        _ = try await give(.tenantAdd(name: tenant, limits: limits))
        for (place, provider) in providers.enumerated() {
            _ = try await give(
                .keyAdd(
                    tenant: tenant, provider: provider, label: try Label("main"), acceptUnverified: false),
                StormProvider.secret(of: number, at: place))
        }
        let issued = try await give(.tokenIssue(TokenOrder(tenant: tenant, name: try Label("app")))).issued
        return try #require(issued).withBytes { String(decoding: $0, as: UTF8.self) }
    }

    // MARK: Weather

    func begin(_ weather: StormWeather) {
        let now = clock.now
        self.weather.withLock { $0 = (weather, now) }
    }

    func since(_ moment: Instant) -> Duration { weather.withLock { moment - $0.began } }

    /// Targets of a model that have been well for a while, and whose breaker is closed.
    func shelters(of model: String, for tenant: Int, lookBack: Duration) -> [StormPlace] {
        let now = clock.now
        let weather = weather.withLock { $0 }
        let targets = (Self.routes[model] ?? [model]).compactMap { try? Target($0) }
        let outlooks = engine.parts.breakers.outlooks(
            of: targets.map { Candidate(target: $0, keys: []) }, at: now)
        return zip(targets, outlooks).compactMap { target, outlook in
            let place = StormPlace(
                provider: ["alpha", "beta", "claude"].firstIndex(of: target.provider.text) ?? 0,
                model: StormPlace.models.firstIndex(of: target.model.text) ?? 0, tenant: tenant)
            let age = now - weather.began
            let isFair = weather.weather.isFair(at: place, from: age - lookBack, to: age)
            return isFair && outlook == .passes ? place : nil
        }
    }

    func isFair(_ place: StormPlace, from start: Instant, to end: Instant) -> Bool {
        let weather = weather.withLock { $0 }
        return weather.weather.isFair(at: place, from: start - weather.began, to: end - weather.began)
    }

    // MARK: What is held

    /// What calls in flight hold, as sentences; empty when nothing is.
    func held() -> [String] {
        let parts = engine.parts
        var held: [String] = []
        if parts.inFlight.current != 0 { held.append("\(parts.inFlight.current) calls in flight") }
        if parts.gates.load != (0, 0) { held.append("gates: \(parts.gates.load)") }
        if parts.gauges.running != 0 { held.append("gauges: \(parts.gauges.running) attempts") }
        if journal.load.used != 0 { held.append("the journal: \(journal.load.used) rows") }
        for id in ids {
            let use = parts.counters.use(of: .tenant(id), at: clock.now)?.inFlight ?? 0
            if use != 0 { held.append("a tenant's limit: \(use) calls") }
        }
        let open = upstreams.map(\.open).reduce(0, +)
        if open != 0 { held.append("\(open) connections to providers") }
        return held
    }

    func close() async {
        await server.close()
        for upstream in upstreams { upstream.stop() }
        try? await group.shutdownGracefully()
    }
}

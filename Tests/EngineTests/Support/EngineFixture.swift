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
import Synchronization
import Testing
import Vault

/// Time that stands still until a test moves it.
final class TestClock: GatewayClock {
    private let moved = Mutex((time: Duration.zero, clock: Duration.zero))

    var now: Instant { Instant(nanoseconds: 1_000_000_000_000) + moved.withLock { $0.time } }
    var wall: WallTime {
        WallTime(milliseconds: 1_790_000_000_000) + moved.withLock { $0.time + $0.clock }
    }

    func advance(_ by: Duration) { moved.withLock { $0.time += by } }
    /// Sets the machine's clock; no time passes.
    func jump(by: Duration) { moved.withLock { $0.clock += by } }
}

/// A provider that is asked about keys, and answers at once or when the test lets it.
final class TestProber: KeyProber {
    private struct State {
        var verdict = KeyVerdict.verified
        var isHeld = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var watchers: [(count: Int, CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    func answer(_ verdict: KeyVerdict) { state.withLock { $0.verdict = verdict } }
    func hold() { state.withLock { $0.isHeld = true } }

    /// Waits until so many questions are waiting for their answer.
    func waits(for count: Int) async {
        await withCheckedContinuation { continuation in
            let there = state.withLock { state in
                if state.waiting.count < count { state.watchers.append((count, continuation)) }
                return state.waiting.count >= count
            }
            if there { continuation.resume() }
        }
    }

    func release() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            state.isHeld = false
            return state.waiting
        }
        for one in waiting { one.resume() }
    }

    func probe(_ provider: ProviderDefinition, secret: borrowing SecretBytes) async -> KeyProbeAnswer {
        await withCheckedContinuation { continuation in
            let (goes, told) = state.withLock { state -> (Bool, [CheckedContinuation<Void, Never>]) in
                guard state.isHeld else { return (true, []) }
                state.waiting.append(continuation)
                let ready = state.watchers.filter { $0.count <= state.waiting.count }.map(\.1)
                state.watchers.removeAll { $0.count <= state.waiting.count }
                return (false, ready)
            }
            for watcher in told { watcher.resume() }
            if goes { continuation.resume() }
        }
        return KeyProbeAnswer(verdict: state.withLock { $0.verdict }, sentence: "asked in a test")
    }
}

/// An engine on memory stores with one tenant, `acme`, and the providers `openai` and `second`.
struct EngineFixture {
    static let who = OperatorID(name: "ops", via: "test")

    let engine: GatewayEngine
    let clock = TestClock()
    let prober = TestProber()
    let control = SwitchedControl()
    let tenants = SwitchedTenants()
    let journal: MemoryJournal
    let provider: ProviderDefinition
    /// A provider that needs no key.
    let second: ProviderDefinition

    init(
        options: PathOptions = PathOptions(), limits: LimitSet = LimitSet(), journalCapacity: Int = 8_192,
        routes: [Route] = [], routing: RoutingSettings = RoutingSettings(),
        gates: ConcurrencyGates = ConcurrencyGates()
    ) async throws {
        journal = MemoryJournal(capacity: journalCapacity)
        try SecureHeap.start()
        let file: StaticString = "0123456789abcdef0123456789abcdef"
        let bytes = try SecretBytes(
            copying: UnsafeRawBufferPointer(start: file.utf8Start, count: file.utf8CodeUnitCount))
        let (vault, record) = try KeyVault.create(with: .keyFile(bytes), at: clock.wall)
        let now = clock.wall
        try await control.createVault(
            record,
            audit: AuditDraft(at: now, actor: "ops", via: "test", action: "vault.create", target: "vault"))
        provider = ProviderDefinition(
            name: try ProviderName("openai"), kind: .openai,
            origin: Origin(secure: true, host: "api.openai.com", port: 443), pathPrefix: "/v1", keyless: false
        )
        second = ProviderDefinition(
            name: try ProviderName("second"), kind: .openai,
            origin: Origin(secure: true, host: "second.example", port: 443), pathPrefix: "/v1", keyless: true)
        let state = EngineState(
            vault: record, tenants: [], tenantKeys: [], providerKeys: [], virtualKeys: [],
            providers: [provider.name: provider, second.name: second],
            routes: Dictionary(uniqueKeysWithValues: routes.map { ($0.model, $0) }),
            routing: routing, prices: .builtIn)
        let parts = PathParts(
            clock: clock, directory: state.directory(), options: options, counters: MemoryLimitCounters(),
            cache: AnswerCache(options: CacheOptions()),
            breakers: MemoryBreakerBoard(options: BreakerOptions()),
            credentials: MemoryCredentialBoard(), vault: vault, secrets: PlaintextCache(vault: vault),
            journal: journal, bus: EventBus(lanes: 2), gates: gates)
        engine = GatewayEngine(
            parts: parts, state: state, control: control, tenants: tenants, prober: prober, holds: [],
            identity: .init(instance: "test", version: "0", demo: false, listening: ""),
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await give(.tenantAdd(name: try TenantName("acme"), limits: limits))
    }

    @discardableResult
    func give(_ command: EngineCommand, _ secret: String? = nil) async throws -> CommandOutcome {
        let draft = secret.map { Array($0.utf8).withUnsafeBytes { SecretDraft(copying: $0) } }
        return try await engine.perform(command, secret: draft, by: Self.who)
    }

    /// Why a command is refused; nil when it goes through.
    func refusal(of command: EngineCommand, _ secret: String? = nil) async throws -> CommandRefusal.Code? {
        do {
            try await give(command, secret)
            return nil
        } catch let refusal as CommandRefusal {
            return refusal.code
        }
    }

    /// Adds a key of the tenant and returns its id.
    func addKey(_ secret: String, label: String = "main") async throws -> ProviderKeyID {
        let before = Set(try await stored().map(\.id))
        try await give(
            .keyAdd(
                tenant: try TenantName("acme"), provider: provider.name, label: try Label(label),
                acceptUnverified: false), secret)
        return try #require(try await stored().first { !before.contains($0.id) }).id
    }

    /// The tenant's keys as storage has them.
    func stored() async throws -> [ProviderKeyRecord] {
        let tenant = try #require(try await control.load().tenants.first)
        return try await tenants.store(for: tenant.id).providerKeys()
    }

    func state(of key: ProviderKeyID) async throws -> ProviderKeyState {
        let kept = try #require(try await stored().first { $0.id == key })
        // What the screens show is what storage has.
        let shown = engine.snapshot().providerKeys.first { $0.id == key }?.state
        #expect(shown == nil || shown == kept.state)
        return kept.state
    }

    func audited() async throws -> [String] {
        try await control.auditRecords(before: nil, limit: 100).reversed().map {
            "\($0.draft.action) \($0.draft.result)"
        }
    }
}

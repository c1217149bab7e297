import Domain
import Locking
import Metering
import Storage
import Testing

@Suite struct LedgerDrainTests {
    private let journal = MemoryJournal(capacity: 4_096)
    private let stores = FaultyStores()
    private let clock = ManualClock()
    private let ant = TenantID(high: 1, low: 1)
    private let bee = TenantID(high: 1, low: 2)

    private func drain(_ options: LedgerDrainOptions = .init()) -> LedgerDrain {
        LedgerDrain(journal: journal, stores: stores, clock: clock, options: options)
    }

    private func append(_ count: Int, to tenant: TenantID, at: Int64 = 0) {
        for _ in 0..<count {
            #expect(journal.reserve())
            journal.append(row(of: tenant, at: at))
        }
    }

    private func row(of tenant: TenantID, at: Int64) -> LedgerRow {
        LedgerRow(
            call: .random(), tenant: tenant, virtualKey: .init(high: 5, low: 5), at: .init(milliseconds: at),
            dialect: .openAIChat, model: "m", target: nil, providerKey: nil, user: "", team: "", tags: "",
            status: 200, end: .answered, failure: nil, cache: .miss, attempts: 1, usage: .init(input: 1),
            usageSource: .reported, cost: nil, saved: nil, priceVersion: "1", latencyMicroseconds: 1,
            firstByteMicroseconds: 1)
    }

    private func ledger(_ tenant: TenantID) async throws -> Int {
        try await stores.inner.store(for: tenant).usage(
            since: .init(milliseconds: 0), until: .init(milliseconds: .max), limit: 100_000
        ).count
    }

    private func makeTenants() async throws {
        for tenant in [ant, bee] { try await stores.create(tenant, vault: .init(high: 1, low: 1)) }
    }

    @Test func `a round moves rows to their tenants and frees their places`() async throws {
        try await makeTenants()
        append(3, to: ant)
        append(4, to: bee)
        append(1, to: ant)
        let drain = drain()
        #expect(await drain.round() == 8)
        #expect(try await ledger(ant) == 4)
        #expect(try await ledger(bee) == 4)
        #expect(journal.load.used == 0)
        #expect(await drain.round() == 0)
        var healthy = DrainHealth()
        healthy.moved = 8
        #expect(drain.health == healthy)
    }

    @Test func `rows of a deleted tenant leave the journal, and hold nobody up`() async throws {
        try await makeTenants()
        append(3, to: ant)
        append(2, to: bee)
        try await stores.remove(ant)
        let drain = drain()
        #expect(await drain.round() == 5)
        #expect(try await ledger(bee) == 2 && journal.load.used == 0)
        #expect(drain.health.failingTenants == 0 && drain.health.stuckTenants.isEmpty)
    }

    @Test func `a round takes one batch, a flush takes all`() async throws {
        try await makeTenants()
        append(25, to: ant)
        let drain = drain(.init(batch: 10))
        #expect(await drain.round() == 10)
        try await drain.flush()
        #expect(try await ledger(ant) == 25)
        #expect(drain.health.moved == 25)
    }

    @Test func `rows whose confirmation was lost are counted once`() async throws {
        try await makeTenants()
        append(5, to: ant)
        let rows = try journal.pending(limit: 99)
        try await stores.store(for: ant).appendUsage(rows)
        try await drain().flush()
        #expect(try await ledger(ant) == 5)
        #expect(journal.load.used == 0)
    }

    @Test func `one tenant's refusing storage keeps its rows and holds up no other`() async throws {
        try await makeTenants()
        stores.failing.withLock { $0 = [ant] }
        append(30, to: ant, at: 1_000)
        append(30, to: bee)
        clock.advance(.seconds(10))
        let drain = drain(.init(batch: 10))
        for _ in 0..<8 { await drain.round() }
        #expect(try await ledger(bee) == 30)
        #expect(journal.load.used == 30)
        #expect(drain.health.failingTenants == 1)
        #expect(drain.health.pending == 30)
        #expect(drain.health.lag == .seconds(9))
        #expect(drain.health.lastError?.contains("out of order for a test") == true)
        await #expect(throws: StorageFailure.self) { try await drain.flush() }
        stores.failing.withLock { $0 = [] }
        try await drain.flush()
        #expect(try await ledger(ant) == 30)
        #expect(drain.health.lastError == nil)
        #expect(drain.health.lag == .zero)
    }

    @Test func `a refusing storage is tried again after pauses that double up to a bound`() async throws {
        try await makeTenants()
        stores.failing.withLock { $0 = [ant] }
        append(1, to: ant)
        let drain = drain(.init(firstPause: .milliseconds(100), longestPause: .milliseconds(350)))
        var tries: [Int] = []
        for moment in 0..<160 {
            let before = stores.tries.withLock { $0 }
            await drain.round()
            if stores.tries.withLock({ $0 }) > before { tries.append(moment * 10) }
            clock.advance(.milliseconds(10))
        }
        #expect(tries == [0, 100, 300, 650, 1_000, 1_350])
        #expect(drain.health.stuckTenants == [ant])
        stores.failing.withLock { $0 = [] }
        clock.advance(.seconds(1))
        #expect(await drain.round() == 1)
        #expect(drain.health.stuckTenants.isEmpty)
    }

    @Test func `rows of a tenant without storage stay and are reported`() async throws {
        append(1, to: ant)
        let drain = drain()
        await drain.round()
        #expect(journal.load.used == 1)
        #expect(drain.health.lastError?.contains("was not found") == true)
    }

    @Test func `two flushes at once move every row once`() async throws {
        try await makeTenants()
        append(1_000, to: ant)
        append(1_000, to: bee)
        let drain = drain(.init(batch: 64))
        async let first: Void = drain.flush()
        async let second: Void = drain.flush()
        _ = try await (first, second)
        #expect(try await ledger(ant) == 1_000)
        #expect(try await ledger(bee) == 1_000)
        #expect(journal.load.used == 0)
    }

    @Test func `the running drain ends when it is cancelled`() async throws {
        try await makeTenants()
        append(40, to: ant)
        let drain = drain(.init(interval: .milliseconds(1), batch: 8))
        let running = Task { await drain.run() }
        while drain.health.moved < 40 { await Task.yield() }
        running.cancel()
        await running.value
        #expect(try await ledger(ant) == 40)
    }
}

/// Memory storage that refuses for chosen tenants.
private final class FaultyStores: TenantStores {
    let inner = MemoryTenantStores()
    let failing = Locked<Set<TenantID>>([])
    let tries = Locked(0)

    func create(_ tenant: TenantID, vault: VaultID) async throws {
        try await inner.create(tenant, vault: vault)
    }

    func remove(_ tenant: TenantID) async throws { try await inner.remove(tenant) }

    func store(for tenant: TenantID) async throws -> any TenantStore {
        tries.withLock { $0 += 1 }
        guard !failing.withLock({ $0.contains(tenant) }) else {
            throw StorageFailure.unavailable("out of order for a test")
        }
        return try await inner.store(for: tenant)
    }
}

/// A clock that stands until it is moved.
private final class ManualClock: GatewayClock {
    private let elapsed = Locked(Duration.zero)

    var now: Instant { Instant(nanoseconds: 0) + elapsed.withLock { $0 } }
    var wall: WallTime { WallTime(milliseconds: 0) + elapsed.withLock { $0 } }

    func advance(_ by: Duration) { elapsed.withLock { $0 += by } }
}

public import Domain
import Locking
public import Storage

/// Moves rows from the usage journal into the tenants' ledgers, in batches.
///
/// A row is confirmed in the journal only after the ledger's commit; in between it is in both, and the ledger
/// skips a call it has. So a row is counted exactly once whatever dies when. A tenant whose storage refuses keeps
/// its rows in the journal and is tried again after a growing pause; the other tenants' rows move on.
///
/// `run` and `flush` may overlap: both then read the same rows, and the second append and the second
/// confirmation change nothing.
public actor LedgerDrain {
    public nonisolated let options: LedgerDrainOptions
    private let journal: any UsageJournal
    private let stores: any TenantStores
    private let clock: any GatewayClock
    private var pauses: [TenantID: Pause] = [:]
    /// Rows at the head of the journal that were passed over in the last round.
    private var passedOver = 0
    private nonisolated let state = Locked(DrainHealth())

    public init(
        journal: any UsageJournal, stores: any TenantStores, clock: any GatewayClock,
        options: LedgerDrainOptions = .init()
    ) {
        self.journal = journal
        self.stores = stores
        self.clock = clock
        self.options = options
    }

    /// How the drain is doing, as of its last round; never waits.
    public nonisolated var health: DrainHealth { state.withLock { $0 } }

    /// Drains until the task is cancelled; rows still in the journal then wait for `flush` or the next start.
    public func run() async {
        while !Task.isCancelled {
            let moved = await round()
            // A full batch: there is more, and waiting would only fill the journal.
            if moved >= options.batch { continue }
            do {
                try await Task.sleep(for: options.interval)
            } catch {
                return
            }
        }
    }

    /// Drains without pauses until the journal has no row left; throws the storage's refusal if a row must stay.
    public func flush() async throws {
        pauses = [:]
        while true {
            if await round() > 0 { continue }
            let health = health
            guard health.pending > 0 else { return }
            throw StorageFailure.unavailable(health.lastError ?? "usage rows stay in the journal")
        }
    }

    /// One round: reads a batch, appends it tenant by tenant; says how many rows moved.
    @discardableResult
    public func round() async -> Int {
        var rows: [LedgerRow]
        do {
            rows = try journal.pending(limit: options.batch + passedOver)
        } catch {
            state.withLock { $0.failed("the usage journal cannot be read: \(error)") }
            return 0
        }
        var (moved, left) = (0, 0)
        var oldest: WallTime?
        // Several commits at once: the disk's flush, which is most of a small commit, then serves them together.
        var groups = Self.grouped(&rows)[...]
        while !groups.isEmpty {
            for (rows, isMoved) in await move(groups.prefix(options.commitsAtOnce)) {
                if isMoved {
                    moved += rows.count
                } else {
                    left += rows.count
                    oldest = min(oldest ?? rows[0].at, rows[0].at)
                }
            }
            groups = groups.dropFirst(options.commitsAtOnce)
        }
        passedOver = left
        note(moved: moved, left: left, oldest: oldest)
        return moved
    }

    private func note(moved: Int, left: Int, oldest: WallTime?) {
        let lag = oldest.map { clock.wall - $0 } ?? .zero
        let failing = pauses.count
        let stuck = Set(pauses.filter { $0.value.length >= options.longestPause }.keys)
        state.withLock {
            $0.stuckTenants = stuck
            $0.moved += Int64(moved)
            $0.pending = left
            $0.failingTenants = failing
            $0.lag = lag
            if failing == 0 { $0.lastError = nil }
        }
    }

    private func move(_ groups: ArraySlice<(TenantID, [LedgerRow])>) async -> [([LedgerRow], isMoved: Bool)] {
        await withTaskGroup(of: ([LedgerRow], isMoved: Bool).self) { work in
            for (tenant, rows) in groups {
                work.addTask { (rows, await self.move(rows, of: tenant)) }
            }
            var results: [([LedgerRow], isMoved: Bool)] = []
            for await result in work { results.append(result) }
            return results
        }
    }

    private func move(_ rows: [LedgerRow], of tenant: TenantID) async -> Bool {
        if let pause = pauses[tenant], clock.now < pause.until { return false }
        do {
            try await stores.appendUsage(rows, of: tenant)
            try journal.confirm(rows.map(\.call))
            pauses[tenant] = nil
            return true
        } catch StorageFailure.shredded {
            // A call that ended after its tenant was deleted: there is no ledger for it any more.
            return drop(rows, of: tenant)
        } catch {
            let length = min(pauses[tenant].map { $0.length * 2 } ?? options.firstPause, options.longestPause)
            pauses[tenant] = Pause(length: length, until: clock.now + length)
            state.withLock { $0.failed("usage rows of tenant \(tenant): \(error)") }
            return false
        }
    }

    private func drop(_ rows: [LedgerRow], of tenant: TenantID) -> Bool {
        pauses[tenant] = nil
        do {
            try journal.confirm(rows.map(\.call))
            return true
        } catch {
            state.withLock { $0.failed("usage rows of deleted tenant \(tenant): \(error)") }
            return false
        }
    }

    /// Takes the rows out by tenant, tenants in the order of their oldest row. Rows are moved: a copy of one would
    /// count the users of all its texts up and down.
    private static func grouped(_ rows: inout [LedgerRow]) -> [(TenantID, [LedgerRow])] {
        guard let first = rows.first?.tenant else { return [] }
        if rows.allSatisfy({ $0.tenant == first }) {
            defer { rows = [] }
            return [(first, rows)]
        }
        var places: [TenantID: Int] = [:]
        var groups: [(TenantID, [LedgerRow])] = []
        for row in rows where places[row.tenant] == nil {
            places[row.tenant] = groups.count
            groups.append((row.tenant, []))
        }
        rows.reverse()
        while let row = rows.popLast() {
            if let place = places[row.tenant] { groups[place].1.append(row) }
        }
        return groups
    }

    private struct Pause {
        var length: Duration
        var until: Instant
    }
}

/// How the usage ledger's drain works; the defaults suit one machine.
public struct LedgerDrainOptions: Sendable, Equatable {
    /// Pause between rounds that did not fill a batch: also how old a row may be when a power cut loses it.
    public var interval: Duration
    /// Rows a round.
    public var batch: Int
    /// Tenants whose rows are committed at the same time.
    public var commitsAtOnce: Int
    /// Pause after a tenant's first refusal; each further one doubles it.
    public var firstPause: Duration
    public var longestPause: Duration

    public init(
        interval: Duration = .milliseconds(100), batch: Int = 1_024, commitsAtOnce: Int = 16,
        firstPause: Duration = .milliseconds(100), longestPause: Duration = .seconds(5)
    ) {
        self.interval = interval
        self.batch = max(1, batch)
        self.commitsAtOnce = max(1, commitsAtOnce)
        self.firstPause = firstPause
        self.longestPause = longestPause
    }
}

/// How the drain of the usage ledger is doing.
public struct DrainHealth: Sendable, Equatable {
    /// Rows moved since the start.
    public var moved: Int64 = 0
    /// Rows that the last round read and had to leave.
    public var pending = 0
    /// Tenants whose storage refused and that wait for their next try.
    public var failingTenants = 0
    /// Those of them that were tried up to the longest pause: their calls would only fill the journal, which is
    /// everybody's.
    public var stuckTenants: Set<TenantID> = []
    /// Age of the oldest row left by the last round.
    public var lag: Duration = .zero
    /// The last refusal; nil once all tenants' rows move again.
    public var lastError: String?

    public init() {}

    fileprivate mutating func failed(_ what: String) { lastError = what }
}

public import Domain
import Locking

/// Exact answers to exact calls, kept in memory for a while, apart for each tenant; behind one lock.
///
/// What may be cached is the caller's decision (good answers only); what is kept is bounded here in bytes, entries,
/// time and each tenant's share. The least recently used goes first.
public final class AnswerCache: Sendable {
    public let options: CacheOptions
    private let table: Locked<CacheTable>

    public init(options: CacheOptions = .init()) {
        self.options = options
        table = Locked(CacheTable(options: options))
    }

    /// The answer, if it is there and not too old; counts as a hit or a miss.
    public func find(_ key: CacheKey, at now: Instant) -> CachedAnswer? {
        table.withLock { $0.find(key, at: now) }
    }

    /// Keeps an answer until `timeToLive` after its `stored`, in place of an older one.
    ///
    /// Returns false, and keeps nothing, when it is too large or the time is not positive.
    @discardableResult
    public func store(_ answer: CachedAnswer, for key: CacheKey, timeToLive: Duration? = nil) -> Bool {
        table.withLock { $0.store(answer, for: key, timeToLive: timeToLive) }
    }

    /// Drops all of one tenant's answers; returns how many there were.
    @discardableResult
    public func purge(tenant: TenantID) -> Int { table.withLock { $0.purge(tenant) } }

    /// Drops all answers; returns how many there were.
    @discardableResult
    public func purgeAll() -> Int {
        // The old content is handed out of the lock, so that freeing it keeps nobody waiting.
        let old = table.withLock { table in
            let old = table
            table = table.emptied()
            return old
        }
        return old.total.entries
    }

    /// Counts over all tenants.
    public func stats() -> CacheFigures { table.withLock { $0.total } }

    /// Counts of one tenant.
    public func stats(of tenant: TenantID) -> CacheFigures { table.withLock { $0.figures(of: tenant) } }

    /// Counts of every tenant that ever asked.
    public func statsByTenant() -> [TenantID: CacheFigures] { table.withLock { $0.figuresByTenant } }
}

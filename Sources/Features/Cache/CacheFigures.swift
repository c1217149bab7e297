public import Domain

/// What a cache, or one tenant's part of it, holds and has done.
public struct CacheFigures: Sendable, Hashable {
    public var entries = 0
    public var bytes = 0
    public var hits: Int64 = 0
    public var misses: Int64 = 0
    public var stored: Int64 = 0
    /// Dropped for room; not those that expired, were replaced or purged.
    public var evicted: Int64 = 0
    /// What hits would have cost, as far as known.
    public var saved = Money.zero

    public init() {}
}

package import Domain

/// What a cache, or one tenant's part of it, holds and has done.
package struct CacheFigures: Sendable, Hashable {
    package var entries = 0
    package var bytes = 0
    package var hits: Int64 = 0
    package var misses: Int64 = 0
    package var stored: Int64 = 0
    /// Dropped for room; not those that expired, were replaced or purged.
    package var evicted: Int64 = 0
    /// What hits would have cost, as far as known.
    package var saved = Money.zero

    package init() {}
}

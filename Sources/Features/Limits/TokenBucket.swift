package import Domain

/// A bucket of tokens (requests or model tokens) that refills evenly; integer arithmetic, exact.
///
/// Amounts are kept in parts of `perMinute * nanoseconds`: one unit costs 60 s worth of nanoseconds, and each
/// nanosecond that passes gives `perMinute` parts. A bucket starts full and holds one minute's worth.
package struct TokenBucket: Sendable, Hashable {
    private static let partsPerUnit: Int64 = 60_000_000_000

    private var perMinute: Int64
    /// Below zero = debt: more was used than estimated.
    private var parts: Int64
    private var updated: Instant

    package init(perMinute: Int, at now: Instant) {
        // Keeps `perMinute * partsPerUnit` inside 64 bits.
        self.perMinute = min(Int64(max(1, perMinute)), 100_000_000)
        parts = self.perMinute * Self.partsPerUnit
        updated = now
    }

    private var full: Int64 { perMinute * Self.partsPerUnit }

    private mutating func refill(at now: Instant) {
        let elapsed = (now - updated).wholeNanoseconds
        guard elapsed > 0 else { return }
        updated = now
        let missing = full - parts
        guard missing > 0 else { return }
        // Enough to fill it: also avoids the overflow of a very long pause.
        guard elapsed < missing / perMinute + 1 else {
            parts = full
            return
        }
        parts = min(full, parts + elapsed * perMinute)
    }

    /// Another limit from now on; what is left stays in proportion.
    package mutating func change(perMinute next: Int, at now: Instant) {
        let bounded = min(Int64(max(1, next)), 100_000_000)
        guard bounded != perMinute else { return }
        refill(at: now)
        let share = Double(parts) / Double(full)
        perMinute = bounded
        parts = Int64((share * Double(full)).rounded(.down))
    }

    /// How long until `amount` can be taken; nil when it can be now. An amount beyond the whole bucket passes when
    /// the bucket is full, and leaves a debt: else such a call could never pass.
    package mutating func wait(for amount: Int64, at now: Instant) -> Duration? {
        refill(at: now)
        let needed = min(amount, perMinute) * Self.partsPerUnit
        guard parts < needed else { return nil }
        let missing = needed - parts
        return .nanoseconds((missing + perMinute - 1) / perMinute)
    }

    /// Takes an amount, or gives some back when it is negative.
    package mutating func take(_ amount: Int64, at now: Instant) {
        refill(at: now)
        let (product, overflow) = min(max(amount, -perMinute), 16 * perMinute)
            .multipliedReportingOverflow(by: Self.partsPerUnit)
        guard !overflow else {
            parts = -full
            return
        }
        // A debt is bounded at sixteen minutes, so that one enormous call does not lock its owner out for hours.
        parts = max(-16 * min(full, .max / 32), min(full, parts - product))
    }

    /// Whole units left, never below zero, and how long until the bucket is full.
    package mutating func facts(at now: Instant) -> (remaining: Int64, reset: Duration) {
        refill(at: now)
        return (max(0, parts / Self.partsPerUnit), .nanoseconds((full - parts + perMinute - 1) / perMinute))
    }

    package mutating func isFull(at now: Instant) -> Bool {
        refill(at: now)
        return parts == full
    }
}

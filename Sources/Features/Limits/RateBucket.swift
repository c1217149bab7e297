public import Domain

/// A bucket of requests or tokens that refills steadily; exact, in integers, with time passed in.
///
/// It holds at most one minute's number (so the burst is that number) and starts full. A taking beyond what is there
/// is a debt that the refill must work off first: a call whose estimate is more than the whole bucket may go when the
/// bucket is full (else it never could), and a call that used more than estimated is settled after the fact.
///
/// Design note. The level is counted in shares: one piece is 60,000,000,000 shares, so that a refill is exactly
/// `perMinute` shares a nanosecond, without a fraction and so without drift. 128 bits because a level in shares of
/// more than 153 million pieces does not fit 64.
public struct RateBucket: Sendable, Hashable {
    private static var shares: Int128 { 60_000_000_000 }
    /// Above any real ceiling or use; keeps every product far from overflow.
    private static var piecesMax: Int64 { 1_000_000_000_000 }
    /// A debt is never more than this many minutes' refill: one absurd usage figure must not lock a tenant out.
    private static var debtMinutesMax: Int128 { 60 }

    public private(set) var perMinute: Int64
    private var level: Int128
    private var filledAt: Instant

    public init(perMinute: Int, at now: Instant) {
        self.perMinute = min(max(Int64(perMinute), 0), Self.piecesMax)
        level = Int128(self.perMinute) * Self.shares
        filledAt = now
    }

    /// A bucket as it was left, with what it refilled since.
    ///
    /// - Parameters:
    ///   - used: how many pieces were missing (``used``), rounded up.
    ///   - elapsed: how long ago that was; never negative, whatever a wall clock did.
    public init(perMinute: Int64, used: Int64, elapsed: Duration, at now: Instant) {
        self.perMinute = min(max(perMinute, 0), Self.piecesMax)
        let full = Int128(self.perMinute) * Self.shares
        let missing = Int128(min(max(used, 0), Self.piecesMax)) * Self.shares
        let refilled = Int128(max(0, elapsed.wholeNanoseconds)) * Int128(self.perMinute)
        level = min(max(full - missing, -full * Self.debtMinutesMax) + refilled, full)
        filledAt = now
    }

    /// How many pieces are missing from a full bucket, rounded up: debts count.
    public var used: Int64 {
        let missing = full - level
        guard missing > 0 else { return 0 }
        return Int64(clamping: (missing + Self.shares - 1) / Self.shares)
    }

    /// Brings the level up to now, and to another ceiling where that changed: what is there stays, up to the ceiling.
    public mutating func refill(to now: Instant, perMinute ceiling: Int) {
        refill(to: now)
        let wanted = min(max(Int64(ceiling), 0), Self.piecesMax)
        guard wanted != perMinute else { return }
        perMinute = wanted
        level = clamped(level)
    }

    /// A moment before the last one (threads race by nanoseconds) refills nothing.
    public mutating func refill(to now: Instant) {
        let elapsed = now.nanoseconds.subtractingReportingOverflow(filledAt.nanoseconds)
        guard !elapsed.overflow, elapsed.partialValue > 0 else { return }
        filledAt = now
        guard level < full else { return }
        level = min(level + Int128(elapsed.partialValue) * Int128(perMinute), full)
    }

    /// Whether that many pieces may be taken now.
    public func admits(_ pieces: Int64) -> Bool {
        perMinute > 0 ? level >= needed(for: pieces) : pieces <= 0
    }

    /// How long until `admits` holds, to the nanosecond; nil = never, with a ceiling of 0.
    public func wait(for pieces: Int64) -> Duration? {
        guard !admits(pieces) else { return .zero }
        guard perMinute > 0 else { return nil }
        return time(toGain: needed(for: pieces) - level)
    }

    /// Takes pieces whether they are there or not; a negative number gives back.
    public mutating func take(_ pieces: Int64) {
        let bounded = min(max(pieces, -Self.piecesMax), Self.piecesMax)
        level = clamped(level - Int128(bounded) * Self.shares)
    }

    /// Whole pieces left; 0 in debt.
    public var remaining: Int {
        guard level > 0 else { return 0 }
        // Nearly always fits 64 bits, whose division is several times cheaper.
        if let small = Int64(exactly: level) { return Int(small / Int64(Self.shares)) }
        return Int(level / Self.shares)
    }

    public var isFull: Bool { level >= full }

    public var isInDebt: Bool { level < 0 }

    /// How long until it is full when nothing more is taken.
    public var untilFull: Duration { perMinute > 0 && level < full ? time(toGain: full - level) : .zero }

    private var full: Int128 { Int128(perMinute) * Self.shares }

    private func needed(for pieces: Int64) -> Int128 { min(Int128(max(pieces, 0)) * Self.shares, full) }

    private func clamped(_ level: Int128) -> Int128 { min(max(level, -full * Self.debtMinutesMax), full) }

    /// Rounded up, so that at that moment it is really there.
    private func time(toGain missing: Int128) -> Duration {
        if let small = Int64(exactly: missing) {
            return .nanoseconds(small / perMinute + (small % perMinute > 0 ? 1 : 0))
        }
        let (whole, rest) = missing.quotientAndRemainder(dividingBy: Int128(perMinute))
        return .nanoseconds(Int64(whole) + (rest > 0 ? 1 : 0))
    }
}

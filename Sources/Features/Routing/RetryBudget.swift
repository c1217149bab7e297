public import Domain

/// How many retries one provider may still get: a share of its live traffic, so that retries never become the storm
/// that keeps a provider down.
///
/// Of the first attempts of the last 10 s at most 20 % may be tried again, and always ten: a quiet gateway must be able
/// to retry too. (Finagle's budget allows 20 % as well, with a floor by rate.)
public struct RetryBudget: Sendable {
    private struct Tally: Sendable {
        var calls: UInt32 = 0
        var retries: UInt32 = 0
    }

    /// How far back calls and retries count.
    public static var window: Duration { .seconds(10) }
    /// Retries per hundred first attempts.
    public static var percent: Int { 20 }
    /// Retries that are always allowed in a window.
    public static var floor: Int { 10 }

    private var ring: TimeRing<Tally>
    /// When it was last asked or told anything.
    public private(set) var lastUsed: Instant

    public init(at now: Instant) {
        // A ring drops its oldest bucket whole; one bucket more, and no retry is forgotten before its time.
        ring = TimeRing(span: Self.window + Self.window / 29, empty: Tally(), at: now)
        lastUsed = now
    }

    /// A call makes its first attempt.
    public mutating func call(at now: Instant) {
        lastUsed = now
        ring.update(at: now) { $0.calls &+= 1 }
    }

    /// Whether one more attempt may be made; takes it when it may.
    public mutating func mayRetry(at now: Instant) -> Bool {
        lastUsed = now
        var (calls, retries) = (0, 0)
        ring.forEach(at: now) { tally in
            calls += Int(tally.calls)
            retries += Int(tally.retries)
        }
        guard retries < max(Self.floor, calls * Self.percent / 100) else { return false }
        ring.update(at: now) { $0.retries &+= 1 }
        return true
    }
}

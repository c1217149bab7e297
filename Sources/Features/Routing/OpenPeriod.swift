import Domain

/// How long a breaker stays open: longer with each opening since it was last closed, and never shorter than the
/// provider asked for.
struct OpenPeriod: Sendable {
    /// Openings since it was last closed; sets the next one's length.
    private(set) var count = 0
    /// When an open breaker becomes half-open.
    private(set) var until: Instant
    /// The longest Retry-After since it was last closed, as a moment.
    private var asked: Instant?

    init(at now: Instant) { until = now }

    /// Notes what the provider asked for, up to the ceiling: of overlapping waits the longest holds.
    mutating func ask(for retryAfter: Duration?, at now: Instant, options: BreakerOptions) {
        guard let retryAfter, retryAfter > .zero else { return }
        let moment = now + min(retryAfter, options.retryAfterLongest)
        asked = max(asked ?? moment, moment)
    }

    /// Begins one more opening.
    mutating func begin(at now: Instant, options: BreakerOptions) {
        var length = options.openFirst
        for _ in 0..<count where length < options.openLongest { length += length }
        count += 1
        until = max(now + min(length, options.openLongest), asked ?? now)
    }

    /// Lets what was asked for meanwhile hold for the opening under way.
    mutating func prolong() { until = max(until, asked ?? until) }

    /// Whether nothing was asked for that still holds.
    func mayEndEarly(at now: Instant) -> Bool { asked.map { $0 <= now } ?? true }

    /// The breaker closed: the next opening is short again.
    mutating func end() {
        count = 0
        asked = nil
    }
}

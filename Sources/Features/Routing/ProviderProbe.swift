public import Domain

/// What a free call without a key showed of a provider.
public enum ProbeFinding: Sendable, Hashable {
    /// It answered, if only to refuse: calls can get there.
    case reachable
    /// It did not, or not as a working server does.
    case unreachable(FailureClass)

    /// By the status of an answer: below 500 somebody is there who reads requests, 401 and 403 included.
    public init(status: Int) {
        self = status < 500 ? .reachable : .unreachable(status == 529 ? .overloaded : .providerFault)
    }
}

/// When a provider is asked next: a plain value, findings in, waits out.
///
/// Asked more often while it does not answer, so that an outage is noticed, and its end too, within about one interval.
public struct ProbeSchedule: Sendable, Hashable {
    /// A provider that does not answer is asked after this part of the interval.
    private static let hurry = 4
    /// The shortest wait, whatever the interval: probes are no load.
    private static let shortest = Duration.seconds(1)

    public let interval: Duration
    /// Findings in a row that it does not answer.
    public private(set) var failures = 0
    private var hasAsked = false

    public init(interval: Duration) { self.interval = interval }

    public mutating func note(_ finding: ProbeFinding) {
        hasAsked = true
        failures = finding == .reachable ? 0 : failures + 1
    }

    /// How long to wait from now, by lot: a fifth more or less, so that probes do not march in step with anything; the
    /// first one comes anywhere in the interval.
    public func wait(_ draw: UInt64) -> Duration {
        let whole =
            failures == 0 ? interval : max(min(interval, Self.shortest), interval / Self.hurry)
        let share = Double(draw >> 11) / Double(1 << 53)
        return hasAsked ? whole * (0.8 + 0.4 * share) : interval * share
    }
}

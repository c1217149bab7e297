/// When a breaker trips, how long it stays open, and what closes it again.
///
/// The defaults trip within seconds of a real outage and never on a handful of failures; they are the middle of what
/// comparable gateways ship.
public struct BreakerOptions: Sendable, Hashable {
    /// Share of failures in the window that trips, 1 to 100.
    public var failurePercent = 50
    /// Fewer calls than this in the window never trip by share.
    public var callsMin = 10
    /// An answer whose first content took longer is slow: half of the default time limit for an answer's first byte,
    /// late enough for models that reason before they speak, early enough to turn away before calls begin to fail.
    public var slowCall = Duration.seconds(30)
    /// Share of slow ones among the window's answers that trips, 1 to 100; `callsMin` answers are needed.
    ///
    /// Far above `failurePercent`: a slow answer is still an answer (resilience4j's default is 100).
    public var slowPercent = 80
    /// How far back calls count.
    public var window = Duration.seconds(30)
    /// This many attempts in a row without any answer (connect failures, timeouts) trip whatever the share.
    public var silentRunMax = 5
    /// An attempt that its own call gave up (its time was over, its caller left) was in vain when it had waited this
    /// long without a byte; shorter ones say more of the caller's patience than of the target.
    public var vainWait = Duration.seconds(10)
    /// So many attempts in vain, with no answer for `silence`, trip: else a target that says nothing at all would never
    /// open to callers whose own time limits are shorter than the gateway's.
    public var vainMin = 10
    /// As long as the default time limit for an answer's first byte: one answer in it is enough to stay closed, so that
    /// impatient callers cannot close a target to patient ones.
    public var silence = Duration.seconds(60)
    /// How long the first opening lasts; every failed probe doubles it.
    public var openFirst = Duration.seconds(10)
    /// What doubling ends at.
    public var openLongest = Duration.seconds(120)
    /// The most that a provider's own Retry-After may keep the breaker open: a broken header must not shut a target
    /// for good.
    public var retryAfterLongest = Duration.seconds(3_600)
    /// Probes that must succeed to close; one runs at a time.
    public var probesToClose = 3
    /// When a probe of which nothing was heard no longer blocks the next.
    public var probeTimeout = Duration.seconds(60)
    /// The longest hold, whatever its end says: no override lives for ever.
    public var holdLongest = Duration.seconds(30 * 86_400)

    public init() {}
}

import Domain

/// The bounds of the path; every one finite.
public struct PathOptions: Sendable, Hashable {
    /// Attempts of one call, over all targets and keys.
    public var attempts: Int
    public var connect: Duration
    /// From the request being sent to the first byte of the answer.
    public var firstByte: Duration
    /// Between two pieces of an answer.
    public var idle: Duration
    /// The whole call, all attempts together.
    public var total: Duration
    public var cacheEnabled: Bool
    public var cacheTimeToLive: Duration
    /// Calls in flight over all event loops; beyond them callers get a 503 at once.
    public var callsInFlight: Int
    /// The longest pause before the same target is tried again: what a provider asks for beyond it is not waited for.
    public var retryWaitMost: Duration

    public init(
        attempts: Int = 4, connect: Duration = .seconds(5), firstByte: Duration = .seconds(60),
        idle: Duration = .seconds(60), total: Duration = .seconds(600), cacheEnabled: Bool = true,
        cacheTimeToLive: Duration = .seconds(300), callsInFlight: Int = 4_096,
        retryWaitMost: Duration = .seconds(10)
    ) {
        self.attempts = attempts
        self.connect = connect
        self.firstByte = firstByte
        self.idle = idle
        self.total = total
        self.cacheEnabled = cacheEnabled
        self.cacheTimeToLive = cacheTimeToLive
        self.callsInFlight = callsInFlight
        self.retryWaitMost = retryWaitMost
    }
}

import Domain

/// The bounds of the path; every one finite.
package struct PathOptions: Sendable, Hashable {
    /// Attempts of one call, over all targets and keys.
    package var attempts: Int
    package var connect: Duration
    /// From the request being sent to the first byte of the answer.
    package var firstByte: Duration
    /// Between two pieces of an answer.
    package var idle: Duration
    /// The whole call, all attempts together.
    package var total: Duration
    package var cacheEnabled: Bool
    package var cacheTimeToLive: Duration
    /// Calls in flight over all event loops; beyond them callers get a 503 at once.
    package var callsInFlight: Int
    /// The longest pause before the same target is tried again: what a provider asks for beyond it is not waited for.
    package var retryWaitMost: Duration

    package init(
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

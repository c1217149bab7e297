internal import NIOHTTP1

/// The bounds on the time of one exchange. Never early; late by at most twice `UpstreamOptions.tick`.
public struct UpstreamTimeouts: Hashable, Sendable {
    /// From the request to a usable connection: look-up, TCP and TLS together.
    public var connect: Duration
    /// From the moment the request is written until the response's head is complete. A long prompt to a reasoning
    /// model may take most of a minute.
    public var firstByte: Duration
    /// Between two pieces of a response; time during which the caller takes nothing does not count.
    public var idle: Duration
    /// Of everything; nil for none.
    public var total: Duration?

    public init(
        connect: Duration = .seconds(5), firstByte: Duration = .seconds(60), idle: Duration = .seconds(60),
        total: Duration? = nil
    ) {
        self.connect = connect
        self.firstByte = firstByte
        self.idle = idle
        self.total = total
    }
}

/// Settings of an `UpstreamPool`; every bound is per event loop.
public struct UpstreamOptions: Sendable {
    public var timeouts = UpstreamTimeouts()
    /// Idle connections kept for one origin and credential.
    public var idlePerKeyMax = 16
    /// Connections open or opening, of all origins.
    public var openMax = 512
    /// How long an idle connection is kept: below the idle timeouts providers' front ends are known for.
    public var keepIdle: Duration = .seconds(60)
    /// How often timeouts are looked at: one timer per event loop, instead of one or more per exchange.
    public var tick: Duration = .milliseconds(250)
    public var addressRule = AddressRule()

    public init() {}

    /// Bounds on a response's head: providers send some 2 KiB in 30 headers; eight times that is room enough.
    static var headLimits: NIOHTTPDecoderLimitConfiguration {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 16 * 1024
        limits.maxHeaderListSize = 64 * 1024
        limits.maxHeaderFieldCount = 256
        return limits
    }
}

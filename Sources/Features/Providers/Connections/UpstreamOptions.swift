internal import NIOHTTP1

/// The bounds on the time of one exchange. Never early; late by at most twice `UpstreamOptions.tick`.
package struct UpstreamTimeouts: Hashable, Sendable {
    /// From the request to a usable connection: look-up, TCP and TLS together.
    package var connect: Duration
    /// From the moment the request is written until the response's head is complete. A long prompt to a reasoning
    /// model may take most of a minute.
    package var firstByte: Duration
    /// Between two pieces of a response; time during which the caller takes nothing does not count.
    package var idle: Duration
    /// Of everything; nil for none.
    package var total: Duration?

    package init(
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
package struct UpstreamOptions: Sendable {
    package var timeouts = UpstreamTimeouts()
    /// Idle connections kept for one origin and credential.
    package var idlePerKeyMax = 16
    /// Connections open or opening, of all origins.
    package var openMax = 512
    /// How long an idle connection is kept: below the idle timeouts providers' front ends are known for.
    package var keepIdle: Duration = .seconds(60)
    /// How often timeouts are looked at: one timer per event loop, instead of one or more per exchange.
    package var tick: Duration = .milliseconds(250)
    package var addressRule = AddressRule()

    package init() {}

    /// Bounds on a response's head: providers send some 2 KiB in 30 headers; eight times that is room enough.
    static var headLimits: NIOHTTPDecoderLimitConfiguration {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 16 * 1024
        limits.maxHeaderListSize = 64 * 1024
        limits.maxHeaderFieldCount = 256
        return limits
    }
}

internal import Domain
public import NIOCore
public import NIOHTTP1

/// Takes a response as it comes; called on the pool's event loop only, never from inside `send`.
///
/// Exactly one of `upstreamEnd` and `upstreamFailed` is called, once, and nothing after it; after
/// `UpstreamExchange.cancel` nothing at all.
public protocol UpstreamDelegate: AnyObject {
    /// The head: a redirect is a response like any other and is not followed.
    func upstreamHead(status: Int, headers: HTTPHeaders)
    /// A piece of the body, as it came.
    func upstreamBody(_ piece: ByteBuffer)
    /// No more will come for the moment: the time to flush.
    func upstreamPause()
    /// The response is complete.
    func upstreamEnd()
    func upstreamFailed(_ failure: UpstreamFailure)
}

extension UpstreamDelegate {
    public func upstreamPause() {}
}

/// One request and its response: what the caller of `UpstreamPool.send` holds on to.
///
/// Confined to the pool's event loop.
public final class UpstreamExchange {
    var outgoing: OutgoingRequest
    let timeouts: UpstreamTimeouts
    let startedAt: Int
    private(set) var delegate: (any UpstreamDelegate)?
    weak var connection: UpstreamConnection?
    /// Whether the request went to a connection: from then on the provider may have it.
    public internal(set) var hasLeft = false
    var headCame = false
    var hasRetried = false
    /// The request is gone and can not be sent a second time.
    private(set) var isSpent = false
    private(set) var isPaused = false
    private let pool: UpstreamPool

    init(
        _ outgoing: OutgoingRequest, timeouts: UpstreamTimeouts, startedAt: Int,
        delegate: any UpstreamDelegate,
        pool: UpstreamPool
    ) {
        self.outgoing = outgoing
        self.timeouts = timeouts
        self.startedAt = startedAt
        self.delegate = delegate
        self.pool = pool
    }

    public var isOver: Bool { delegate == nil }

    /// Ends the exchange without a further word to the delegate; the connection is closed, never used again.
    public func cancel() {
        guard delegate != nil else { return }
        delegate = nil
        connection?.abandon()
        forget()
    }

    /// Stops reading from the provider, because the caller takes the response more slowly than it comes. Up to four
    /// reads of 16 KiB that are under way may still be delivered.
    public func pauseReading() { setPaused(true) }

    /// Reads again.
    public func resumeReading() { setPaused(false) }

    private func setPaused(_ paused: Bool) {
        guard isPaused != paused, !isOver else { return }
        isPaused = paused
        connection?.setReading(!paused)
    }

    func end() {
        let told = delegate
        delegate = nil
        forget()
        told?.upstreamEnd()
    }

    func fail(_ failure: UpstreamFailure) {
        // An address refused, or a descriptor that cannot be had, shows while `send` still runs.
        guard !pool.isStarting else { return pool.loop.assumeIsolated().execute { self.fail(failure) } }
        let told = delegate
        delegate = nil
        forget()
        told?.upstreamFailed(failure)
    }

    /// Wipes the key and lets go of the body: the request will not be sent again.
    func dropRequest() {
        guard !isSpent else { return }
        isSpent = true
        pool.noteWipe(inPlace: outgoing.wipe())
        outgoing.body = nil
    }

    /// By now the connection was closed or its write is complete, so the buffer is not shared with a write any more.
    private func forget() {
        dropRequest()
        pool.takeBack(&outgoing.head)
    }
}

internal import Domain
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL
internal import NIOTLS

/// One connection to a provider, used by one exchange at a time and by one credential for all its life.
///
/// Design note. The pipeline is [TLS], this handler, `ResponseParts`. NIOHTTP1's `HTTPResponseDecoder` does the
/// parsing, but is driven from here instead of by a `ByteToMessageHandler`: so the raw bytes are seen beside what
/// the decoder makes of them, and "nothing followed the response" can be decided exactly (`ResponseFraming`).
/// Requests are written as bytes past the decoder, which is only told that one is under way.
///
/// A connection goes back to the pool after exactly one complete response to one completely sent request with
/// nothing behind it, and in no other case.
final class UpstreamConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = HTTPClientResponsePart

    private enum Phase {
        case opening
        case active
        case idle
        case closed
    }

    let shelf: ConnectionShelf
    private let pool: UpstreamPool
    private var phase = Phase.opening
    private var exchange: UpstreamExchange?
    private var context: ChannelHandlerContext?
    private let decoder = HTTPResponseDecoder(
        leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .forward,
        limitConfiguration: UpstreamOptions.headLimits)
    private var framing = ResponseFraming()
    /// The socket, asked for once: asking costs a dynamic cast of some microseconds (measured). Used only while the
    /// channel is active and on its loop, where it cannot have been closed and its number given away. Nil in tests.
    private var descriptor: CInt?
    /// Bytes that the decoder asked to see again together with the next ones.
    private var pending = ByteBuffer()
    private var isDecoding = false
    private var requestSent = false
    private var sawByte = false
    private var responseEnded = false
    private var mayBeReused = false
    private var informational = 0
    private var uses = 0
    /// The pool's tick at which the present phase, or the wait for the next piece, began.
    private(set) var since = 0
    /// Not to be given back, for a reason outside the present exchange.
    var retiresAfterUse = false

    /// RFC 9110 section 15.2 sets no number; a server that sends more of them before an answer is not well.
    private static let informationalMax = 8
    /// A close without a byte of response counts as "was closed before our request came" for so many ticks only;
    /// later the request may have been acted upon, and is not sent twice (RFC 9112 section 9.3.1).
    private static let staleTicks = 2

    /// Tells the decoder that a response is due; never written to the wire.
    private static let requestMark: (get: HTTPRequestHead, post: HTTPRequestHead) = (
        HTTPRequestHead(version: .http1_1, method: .GET, uri: "/"),
        HTTPRequestHead(version: .http1_1, method: .POST, uri: "/")
    )

    init(pool: UpstreamPool, shelf: ConnectionShelf, for exchange: UpstreamExchange) {
        self.pool = pool
        self.shelf = shelf
        self.exchange = exchange
        since = pool.ticks
        exchange.connection = self
    }

    var isIdle: Bool { phase == .idle }
    var isClosed: Bool { phase == .closed }

    // MARK: - From the pool

    /// Puts the handlers onto a connected channel. Reading begins only after this, so nothing is missed.
    func opened(_ channel: any Channel) {
        guard phase == .opening else { return channel.close(promise: nil) }
        do {
            if shelf.key.origin.secure {
                try channel.pipeline.syncOperations.addHandler(pool.tlsHandler(for: shelf.key.origin))
            }
            try channel.pipeline.syncOperations.addHandlers([self, ResponseParts(connection: self)])
            descriptor = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
                of: NIOBSDSocket.Handle.self
            ) { $0 }
            try channel.syncOptions?.setOption(.autoRead, value: true)
            if !shelf.key.origin.secure { ready() }
        } catch {
            channel.close(promise: nil)
            fail(.tls)
        }
    }

    /// Takes an idle connection into use; false where it turns out to be closed or to hold bytes nobody asked for.
    func use(for exchange: UpstreamExchange) -> Bool {
        guard phase == .idle, let context, isQuiet(context) else {
            close()
            return false
        }
        self.exchange = exchange
        exchange.connection = self
        phase = .opening
        ready()
        return true
    }

    /// Looks at the socket without taking anything from it: bytes or an end that wait there came before our
    /// request, and are no answer to it.
    private func isQuiet(_ context: ChannelHandlerContext) -> Bool {
        guard context.channel.isActive else { return false }
        return descriptor.map(socketIsQuiet) ?? true
    }

    /// The exchange was cancelled.
    func abandon() {
        exchange = nil
        close()
    }

    func setReading(_ reading: Bool) {
        guard phase == .active, let context else { return }
        since = pool.ticks
        try? context.channel.syncOptions?.setOption(.autoRead, value: reading)
    }

    /// Called once a tick: which bound, if any, has been passed.
    func tick() {
        let timeouts = exchange?.timeouts
        switch phase {
        case .idle where pool.hasPassed(pool.options.keepIdle, since: since): close()
        case .opening where pool.hasPassed(timeouts?.connect, since: since): fail(.timeout(.connect))
        case .active:
            guard let exchange else { return }
            if requestSent, !sawByte, pool.ticks - since > Self.staleTicks { dropRequest() }
            let bound = exchange.headCame ? exchange.timeouts.idle : exchange.timeouts.firstByte
            if !exchange.isPaused, pool.hasPassed(bound, since: since) {
                return fail(.timeout(exchange.headCame ? .idle : .firstByte))
            }
            if pool.hasPassed(exchange.timeouts.total, since: exchange.startedAt) { fail(.timeout(.total)) }
        default:
            if let exchange, pool.hasPassed(exchange.timeouts.total, since: exchange.startedAt) {
                fail(.timeout(.total))
            }
        }
    }

    // MARK: - Sending

    private func ready() {
        guard phase == .opening, let exchange, let context else { return }
        phase = .active
        since = pool.ticks
        uses += 1
        exchange.hasLeft = true
        framing = ResponseFraming()
        requestSent = false
        sawByte = false
        responseEnded = false
        mayBeReused = false
        decoder.write(
            data: .head(exchange.outgoing.endpoint.isPost ? Self.requestMark.post : Self.requestMark.get))
        let sent = context.eventLoop.makePromise(of: Void.self)
        let use = uses
        sent.futureResult.assumeIsolated().whenSuccess { [self] in requestWasSent(use) }
        if let body = exchange.outgoing.body {
            context.write(NIOAny(exchange.outgoing.head), promise: nil)
            context.write(NIOAny(body), promise: sent)
        } else {
            context.write(NIOAny(exchange.outgoing.head), promise: sent)
        }
        pool.flushes.flush(context)
        if exchange.isPaused { setReading(false) }
    }

    private func requestWasSent(_ use: Int) {
        guard use == uses, phase == .active else { return }
        requestSent = true
        if !sawByte { since = pool.ticks }
        // A request on a used connection may have to be sent again, see `staleTicks`.
        guard uses == 1, let exchange else { return }
        // A turn later, because the write that tells us this still holds the buffer that is to be overwritten.
        context?.eventLoop.assumeIsolated().execute { exchange.dropRequest() }
    }

    /// The request will not be sent again: the key is wiped, the body let go.
    private func dropRequest() {
        exchange?.dropRequest()
    }

    // MARK: - Receiving

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard phase == .active, exchange != nil else { return phase == .closed ? () : fail(.malformed) }
        var buffer = unwrapInboundIn(data)
        if pending.readableBytes > 0 {
            pending.writeBuffer(&buffer)
            buffer = pending
            pending = ByteBuffer()
        }
        if !sawByte {
            sawByte = true
            if requestSent { dropRequest() }
        }
        framing.reads(buffer)
        var wellFormed = true
        isDecoding = true
        do { _ = try decoder.decode(context: context, buffer: &buffer) } catch { wellFormed = false }
        isDecoding = false
        if responseEnded {
            finish(clean: wellFormed && buffer.readableBytes == 0 && framing.isExact)
        } else if !wellFormed {
            fail(.malformed)
        } else if buffer.readableBytes > 0 {
            pending = buffer
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        exchange?.delegate?.upstreamPause()
    }

    /// What the decoder made of the bytes.
    func received(_ part: HTTPClientResponsePart) {
        guard phase == .active, let exchange, !exchange.isOver, !responseEnded else { return }
        switch part {
        case .head(let head): received(head, exchange)
        case .body(let piece):
            since = pool.ticks
            framing.bodyPiece(piece)
            exchange.delegate?.upstreamBody(piece)
        case .end(let trailers):
            if trailers != nil { mayBeReused = false }
            responseEnded = true
        }
    }

    private func received(_ head: HTTPResponseHead, _ exchange: UpstreamExchange) {
        let status = Int(head.status.code)
        guard status >= 200 else {
            // We expect none (no `expect`, no `upgrade` was sent): skipped, and the connection is not used again.
            informational += 1
            retiresAfterUse = true
            return status == 101 || informational > Self.informationalMax ? fail(.malformed) : ()
        }
        since = pool.ticks
        mayBeReused = head.isKeepAlive
        framing.head(head)
        exchange.headCame = true
        exchange.delegate?.upstreamHead(status: status, headers: head.headers)
    }

    private func finish(clean: Bool) {
        guard phase == .active, let exchange else { return }
        let keep = clean && mayBeReused && requestSent && !retiresAfterUse
        if keep, exchange.isPaused { setReading(true) }
        self.exchange = nil
        if keep {
            phase = .idle
            since = pool.ticks
            pool.release(self)
        } else {
            close()
        }
        exchange.end()
    }

    // MARK: - Ending

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSUserEvent, case .handshakeCompleted = event { ready() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(phase == .opening && shelf.key.origin.secure ? .tls : .reset)
    }

    func channelInactive(context: ChannelHandlerContext) {
        guard phase != .closed else { return }
        if phase == .active, sawByte, !isDecoding {
            // A body without a length ends where the connection ends (RFC 9112 section 6.3, point 8).
            let whole: Void? = try? decoderSeesEnd(context)
            if whole != nil, responseEnded { return finish(clean: false) }
        }
        fail(phase == .opening && shelf.key.origin.secure ? .tls : .reset)
    }

    private func decoderSeesEnd(_ context: ChannelHandlerContext) throws {
        isDecoding = true
        defer { isDecoding = false }
        _ = try decoder.decodeLast(context: context, buffer: &pending, seenEOF: true)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        decoder.decoderAdded(context: context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        decoder.decoderRemoved(context: context)
        self.context = nil
    }

    /// Closes the connection, and tells the exchange or sends its request once more.
    func fail(_ failure: UpstreamFailure) {
        guard phase != .closed else { return }
        let again =
            failure == .reset && phase == .active && uses > 1 && !sawByte
            && pool.ticks - since <= Self.staleTicks
        let exchange = exchange
        self.exchange = nil
        close()
        guard let exchange, !exchange.isOver else { return }
        if again, !exchange.isSpent, !exchange.hasRetried {
            exchange.hasRetried = true
            pool.sendAgain(exchange, on: shelf)
        } else {
            exchange.fail(failure)
        }
    }

    private func close() {
        guard phase != .closed else { return }
        phase = .closed
        pool.removed(self)
        context?.channel.close(promise: nil)
    }

    func closeIdle() {
        if phase == .idle { close() }
    }

    /// No more exchanges after the present one.
    func retire() {
        retiresAfterUse = true
        closeIdle()
    }
}

/// Hands the decoder's parts to the connection they belong to.
private final class ResponseParts: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let connection: UpstreamConnection

    init(connection: UpstreamConnection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.received(unwrapInboundIn(data))
    }

    /// The decoder reports a wrong version here as well as by throwing; the latter is answered.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

import Access
import Cache
import Cipher
import Dialects
import Domain
import Engine
import Glibc
import Locking
import NIOCore
import NIOHTTP1
import Providers

/// One caller's connection: reads a request, lets the path decide, and answers; one call at a time.
///
/// Runs on the connection's event loop only. Requests that come while a call is under way wait, a few of them; then
/// the connection is not read until the answer is out.
final class CallHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    private enum State {
        case idle
        case body(Pending)
        /// The rest of a refused request is read and thrown away.
        case discarding
        case busy(CallExchange)
        /// A refusal waits for its time.
        case pausing
        case closing
    }

    /// A request that is being read. A class: the state around it is moved for every part of the request.
    private final class Pending {
        let head: HTTPRequestHead
        var headers: CallHeaders
        let endpoint: Endpoint
        /// nil for a body that is small.
        let hold: BodyHold?
        var body = ByteBuffer()

        init(head: HTTPRequestHead, headers: CallHeaders, endpoint: Endpoint, hold: BodyHold?) {
            self.head = head
            self.headers = headers
            self.endpoint = endpoint
            self.hold = hold
        }
    }

    /// Far above a usual request, far below what would hurt if many connections held it.
    private static let strangersBytesMost = 64 << 10

    /// Of a body that does not come at once, so much is waited for at a time: waking up for each byte of many slow bodies
    /// costs all callers of the event loop. Small beside what a body takes in the idle time, after which it is given up.
    private static let bodyPiece = 2 << 10

    /// Parts of requests that wait behind the one being answered.
    private static let waitingMost = 64

    private let loop: LoopContext
    private let options: GatewayOptions
    private var state = State.idle
    private var waiting = CircularBuffer<HTTPServerRequestPart>()
    private var isReading = true
    /// Bytes that have to be there before the kernel says so.
    private var readsFrom = 1
    /// What `channelWritabilityChanged` said last: asking the channel for each part costs more.
    private(set) var isWritable = true
    /// What made the rest of the connection's bytes worthless; told when its turn comes.
    private var fault: HTTPParserError?
    /// When the newest call was refused; nil = it was not.
    private var refused: NIODeadline?
    private var context: ChannelHandlerContext?
    private var lastActive = NIODeadline.now()
    private var bodyBegan = NIODeadline.now()
    private var timer: Scheduled<Void>?

    init(_ loop: LoopContext, _ options: GatewayOptions) {
        self.loop = loop
        self.options = options
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        isWritable = context.channel.isWritable
        watchIdleness(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        isWritable = false
        self.context = nil
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        guard waiting.isEmpty, takesParts else {
            waiting.append(part)
            if waiting.count >= Self.waitingMost || !isWritable { setReading(false, context) }
            return
        }
        take(part, context)
    }

    /// Once for all parts that one read brought.
    func channelReadComplete(context: ChannelHandlerContext) {
        lastActive = .now()
        waitForBytes(context)
        context.fireChannelReadComplete()
    }

    /// Wakes up for a slow body's next piece, or its end, and for any byte of all else (socket(7), `SO_RCVLOWAT`).
    ///
    /// Only where what is missing is known to the byte: not under TLS, which may hold a part of a record that is not yet
    /// whole, and not while parts wait here.
    private func waitForBytes(_ context: ChannelHandlerContext) {
        guard options.certificatePath == nil else { return }
        var needed = 1
        if waiting.isEmpty, case .body(let pending) = state, let length = pending.headers.contentLength {
            needed = max(1, min(Self.bodyPiece, length - pending.body.readableBytes))
        }
        guard needed != readsFrom else { return }
        readsFrom = needed
        // A kernel that does not take it wakes us more often.
        try? context.channel.syncOptions?.setOption(
            .socketOption(NIOBSDSocket.Option(rawValue: SO_RCVLOWAT)), value: needed)
    }

    /// Not while a call is under way, which keeps answers in their order, and not while the caller leaves earlier
    /// answers unread, which keeps memory where it is.
    private var takesParts: Bool {
        switch state {
        case .busy, .pausing: false
        case .idle, .body, .discarding, .closing: isWritable
        }
    }

    /// Goes on with what waits, as far as that is possible now.
    private func takeWaiting(_ context: ChannelHandlerContext) {
        while takesParts, let part = waiting.popFirst() { take(part, context) }
        if waiting.isEmpty, let fault { refuse(fault, context) }
        setReading(waiting.count < Self.waitingMost && isWritable, context)
    }

    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch (part, state) {
        case (.head(let head), .idle): begin(head, context)
        case (.body(var chunk), .body(let pending)):
            guard pending.body.readableBytes + chunk.readableBytes <= options.bodyBytesMax else {
                return refuse(tooLarge, pending.endpoint.dialect, context, closing: true)
            }
            do throws(CallFailure) { try pending.hold?.grow(by: chunk.readableBytes) } catch {
                return refuse(error, pending.endpoint.dialect, context, closing: true)
            }
            if pending.body.readableBytes == 0 {
                pending.body = chunk
            } else {
                pending.body.writeBuffer(&chunk)
            }
        case (.end, .body(let pending)):
            state = .idle
            answer(pending, context)
        case (.end, .discarding): state = .idle
        default: break
        }
    }

    private var tooLarge: CallFailure {
        CallFailure(
            .bodyTooLarge, source: .caller,
            "the body is larger than \(options.bodyBytesMax) bytes, the most taken here")
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        switch Endpoint.find(head) {
        case .failure(let miss):
            let hasBody =
                head.headers.contains(name: "content-length")
                || head.headers.contains(name: "transfer-encoding")
            // Behind a target that is no path, or an upgrade, the parser reads no further requests.
            let isLast = miss.failure.status == 400 || head.headers.contains(name: "upgrade")
            state = .discarding
            send(
                miss.failure, miss.dialect, closes: hasBody || isLast || !head.isKeepAlive, allow: miss.allow,
                context)
        case .success(let endpoint):
            do throws(CallFailure) {
                let headers = try CallHeaders(head.headers)
                guard (headers.contentLength ?? 0) <= options.bodyBytesMax else { throw tooLarge }
                if headers.expectsContinue {
                    context.writeAndFlush(
                        wrapOutboundOut(
                            context.channel.allocator.buffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n")),
                        promise: nil)
                }
                let hold = try refuseStranger(headers, endpoint)
                bodyBegan = .now()
                state = .body(Pending(head: head, headers: headers, endpoint: endpoint, hold: hold))
            } catch {
                refuse(error, endpoint.dialect, context, closing: true)
            }
        }
    }

    /// Nobody without a good key gets room for a large body, and his tenant no more than its share; a small one is cheaper to read than to look up twice.
    private func refuseStranger(
        _ headers: CallHeaders, _ endpoint: Endpoint
    ) throws(CallFailure) -> BodyHold? {
        guard headers.chunked || (headers.contentLength ?? 0) > Self.strangersBytesMost else { return nil }
        guard case .call = endpoint else { throw tooLarge }
        var headers = headers
        let (who, _) = try headers.withCredential { (credential) throws(CallFailure) in
            try loop.path.identify(credential, at: loop.parts.clock.wall)
        }
        return BodyHold(loop.bodies, who.tenant.id)
    }

    // MARK: Answering

    private func answer(_ pending: Pending, _ context: ChannelHandlerContext) {
        // The parser takes what follows an upgrade for another protocol, and nothing here speaks one.
        let keepAlive = pending.head.isKeepAlive && !pending.headers.asksForUpgrade
        switch pending.endpoint {
        case .live: sendPlain(200, #"{"status":"live"}"#, keepAlive, context)
        case .ready:
            let health = loop.health()
            sendPlain(health.ready ? 200 : 503, health.body, keepAlive, context)
        case .models: answerModels(pending, keepAlive, context)
        case .call(let dialect): call(pending, dialect, keepAlive, context)
        }
    }

    private func answerModels(_ pending: Pending, _ keepAlive: Bool, _ context: ChannelHandlerContext) {
        // One path for both formats: only this header tells who asks.
        let isAnthropic = pending.head.headers.contains(name: "anthropic-version")
        do throws(CallFailure) {
            let (who, directory) = try pending.headers.withCredential { (credential) throws(CallFailure) in
                try loop.path.identify(credential, at: loop.parts.clock.wall)
            }
            let names = directory.modelNames(for: who.tenant)
            let allowed = Set(try Authorizer.allowed(of: names.map(\.name), for: who))
            let body = ModelList(
                names.filter { allowed.contains($0.name) }.map {
                    ModelList.Entry(id: $0.name, owner: $0.owner)
                }
            ).encoded(isAnthropic: isAnthropic)
            var out = context.channel.allocator.buffer(capacity: body.count + 256)
            AnswerHead(status: 200, length: body.count, request: loop.newCall(), closes: !keepAlive).write(
                into: &out)
            out.writeBytes(body)
            context.writeAndFlush(wrapOutboundOut(out), promise: nil)
            if !keepAlive { closeAfterWrites(context) }
        } catch {
            send(
                error, isAnthropic ? .anthropicMessages : .openAIModels, closes: !keepAlive, context)
        }
    }

    private func call(
        _ pending: Pending, _ dialect: Dialect, _ keepAlive: Bool, _ context: ChannelHandlerContext
    ) {
        let now = loop.parts.clock.now
        let wall = loop.parts.clock.wall
        do throws(CallFailure) {
            let headers = pending.headers
            let body = pending.body
            let fields = try body.scan(as: dialect)
            // What nobody states is supposed: most answers are shorter than 256 tokens.
            let output = min(fields.maxOutputTokens ?? 256, 1_000_000)
            let inbound = InboundCall(
                id: loop.newCall(), dialect: dialect, model: fields.model, streamed: fields.stream,
                estimatedTokens: fields.estimatedInputTokens + output, estimatedOutput: output,
                wishes: wishes(headers.wishes, fields, body, dialect),
                bodyDigest: headers.cache.enabled ? body.digest(as: dialect, headers.shaping) : nil,
                cache: headers.cache,
                tags: headers.tags, timeout: headers.timeout, received: now, at: wall)
            let decision = try pending.headers.withCredential { (credential) throws(CallFailure) in
                loop.path.decide(inbound, presenting: credential, lane: loop.lane)
            }
            switch decision {
            case .refuse(let failure): turnAway(failure, dialect, closes: !keepAlive, context)
            case .answer(let session, let cached):
                refused = nil
                sendCached(session, cached, keepAlive, context)
            case .forward(let session):
                refused = nil
                let exchange = CallExchange(
                    session: session, loop: loop, caller: self, dialect: dialect, fields: fields, body: body,
                    hold: pending.hold, headers: pending.head.headers, keepAlive: keepAlive,
                    wholeMost: options.wholeAnswerBytesMax)
                state = .busy(exchange)
                exchange.start()
            }
        } catch {
            turnAway(error, dialect, closes: !keepAlive, context)
        }
    }

    /// Refuses a call. A caller that comes back at once, only to be refused again, is answered after a pause: one that
    /// calls in a circle would take the time of all callers of its event loop. A first refusal comes at once, and so does
    /// any other answer, so that nobody is kept from what a limit still allows.
    private func turnAway(
        _ failure: CallFailure, _ dialect: Dialect, closes: Bool, _ context: ChannelHandlerContext
    ) {
        let now = NIODeadline.now()
        let isAgain = refused.map { now - $0 < .nanoseconds(options.refusalRest.wholeNanoseconds) } ?? false
        refused = now
        guard isAgain, options.refusalPause > .zero else {
            return send(failure, dialect, closes: closes, context)
        }
        state = .pausing
        schedule(in: options.refusalPause) { [self] in
            guard case .pausing = state, let context = self.context else { return }
            state = .idle
            refused = .now()
            send(failure, dialect, closes: closes, context)
            takeWaiting(context)
        }
    }

    /// What routing wants to know of this call, read from the body only where the directory has a use for it.
    private func wishes(
        _ stated: CallWishes, _ fields: RequestFields, _ body: ByteBuffer, _ dialect: Dialect
    ) -> CallWishes {
        var wishes = stated
        let directory = loop.parts.directory.load()
        if !directory.routing.traits.isEmpty {
            wishes.needs = body.withUnsafeReadableBytes { CallTraits.needs($0, as: dialect) }
        }
        // Looked at only where the length would matter: see `RouteFinder`.
        if body.readableBytes > 4 << 10, directory.mayChoose(for: fields.model) {
            wishes.inlinesData = body.withUnsafeReadableBytes { CallTraits.inlinesData($0) }
        }
        if wishes.conversation == nil, directory.routes[fields.model]?.strategy.asksConversation ?? false {
            wishes.conversation = body.withUnsafeReadableBytes {
                CallTraits.conversation($0, as: dialect)
            }
        }
        return wishes
    }

    private func sendCached(
        _ session: CallSession, _ answer: CachedAnswer, _ keepAlive: Bool, _ context: ChannelHandlerContext
    ) {
        session.firstByte(of: nil, at: loop.parts.clock.now)
        session.settle(
            .init(end: .answered, status: 200, failure: nil, usage: nil, estimate: nil), cached: answer,
            at: loop.parts.clock.now)
        var out = context.channel.allocator.buffer(capacity: answer.body.count + 512)
        AnswerHead(
            status: 200, contentType: answer.contentType, length: answer.body.count, request: session.call.id,
            attempts: 0, cache: .hit, cost: .zero, limits: session.limitFacts, closes: !keepAlive
        ).write(into: &out)
        out.writeBytes(answer.body)
        context.writeAndFlush(wrapOutboundOut(out), promise: nil)
        if !keepAlive { closeAfterWrites(context) }
    }

    private func sendPlain(_ status: Int, _ body: String, _ keepAlive: Bool, _ context: ChannelHandlerContext)
    {
        var out = context.channel.allocator.buffer(capacity: body.utf8.count + 256)
        AnswerHead(status: status, length: body.utf8.count, request: loop.newCall(), closes: !keepAlive)
            .write(
                into: &out)
        out.writeString(body)
        context.writeAndFlush(wrapOutboundOut(out), promise: nil)
        if !keepAlive { closeAfterWrites(context) }
    }

    /// Refuses a request whose body is still coming: the connection ends, because what follows cannot be trusted to
    /// be a request.
    private func refuse(
        _ failure: CallFailure, _ dialect: Dialect, _ context: ChannelHandlerContext, closing: Bool
    ) {
        state = .discarding
        send(failure, dialect, closes: closing, context)
    }

    private func send(
        _ failure: CallFailure, _ dialect: Dialect, closes: Bool, allow: HTTPMethod? = nil,
        _ context: ChannelHandlerContext
    ) {
        let id = loop.newCall()
        let body = ErrorEnvelope.body(of: failure, as: dialect, requestID: id.text)
        var out = context.channel.allocator.buffer(capacity: body.count + 256)
        AnswerHead(
            status: failure.status, length: body.count, request: id, limits: failure.limits,
            retryAfter: failure.retryAfter,
            allow: allow, closes: closes
        ).write(into: &out)
        out.writeBytes(body)
        context.writeAndFlush(wrapOutboundOut(out), promise: nil)
        if closes { closeAfterWrites(context) }
    }

    private func closeAfterWrites(_ context: ChannelHandlerContext) {
        state = .closing
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let written = context.eventLoop.makePromise(of: Void.self)
        context.close(mode: .output, promise: written)
        // Once the answer is out, the peer has a moment to read it before the rest goes too; one that never reads
        // is let go by the watch on idleness.
        written.futureResult.assumeIsolated().whenComplete { [self] _ in
            timer?.cancel()
            timer = context.eventLoop.scheduleTask(in: .seconds(1)) { bound.value.close(promise: nil) }
        }
    }

    // MARK: For the exchange

    func makeBuffer(_ capacity: Int) -> ByteBuffer {
        context?.channel.allocator.buffer(capacity: capacity) ?? ByteBuffer()
    }

    func write(_ buffer: ByteBuffer) { context?.write(wrapOutboundOut(buffer), promise: nil) }

    func flush() { if let context { loop.pool.flushes.flush(context) } }

    /// The exchange has written its last byte.
    func finished(closes: Bool) {
        guard let context else { return }
        lastActive = .now()
        guard !closes else {
            context.flush()
            return closeAfterWrites(context)
        }
        flush()
        state = .idle
        takeWaiting(context)
    }

    private func setReading(_ reading: Bool, _ context: ChannelHandlerContext) {
        guard reading != isReading else { return }
        isReading = reading
        context.channel.setOption(.autoRead, value: reading).whenFailure { _ in }
    }

    @discardableResult
    func schedule(in delay: Duration, _ work: @escaping () -> Void) -> Scheduled<Void>? {
        guard let context else { return nil }
        let bound = NIOLoopBound(work, eventLoop: context.eventLoop)
        return context.eventLoop.scheduleTask(in: .nanoseconds(delay.wholeNanoseconds)) { bound.value() }
    }

    // MARK: The connection

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if case .busy(let exchange) = state {
            exchange.callerTakesMore(isWritable)
        } else if isWritable {
            takeWaiting(context)
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        let last = state
        state = .closing
        if case .busy(let exchange) = last { exchange.callerLeft() }
        waiting.removeAll()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The parser complains again of whatever comes behind a fault.
        guard fault == nil else { return }
        guard let error = error as? HTTPParserError else { return context.close(promise: nil) }
        fault = error
        if waiting.isEmpty { refuse(error, context) }
    }

    /// Framing that cannot be trusted is refused and the connection ends; it is never repaired.
    private func refuse(_ fault: HTTPParserError, _ context: ChannelHandlerContext) {
        var dialect = Dialect.openAIChat
        switch state {
        case .busy, .pausing, .closing: return
        case .body(let pending): dialect = pending.endpoint.dialect
        case .idle, .discarding: break
        }
        let failure: CallFailure
        if case .headerOverflow = fault {
            failure = CallFailure(
                .invalidRequest, source: .caller,
                "the request's head is too large: \(GatewayOptions.headBytesMax) bytes in all and "
                    + "\(GatewayOptions.fieldBytesMax) in one field are the most",
                status: 431)
        } else {
            failure = CallFailure(
                .invalidRequest, source: .caller, "the request is not well-formed HTTP/1.1")
        }
        send(failure, dialect, closes: true, context)
    }

    /// Closes connections that neither send nor wait for an answer.
    private func watchIdleness(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: .seconds(options.idleSeconds)) {
            let (handler, context) = bound.value
            guard context.channel.isActive else { return }
            if case .busy = handler.state { return handler.watchIdleness(context) }
            // A body that trickles in holds its room for so long and no longer.
            if case .body = handler.state,
                NIODeadline.now() - handler.bodyBegan > .seconds(handler.options.bodySeconds)
            {
                return context.close(promise: nil)
            }
            guard NIODeadline.now() - handler.lastActive < .seconds(handler.options.idleSeconds) else {
                return context.close(promise: nil)
            }
            handler.watchIdleness(context)
        }
    }
}

extension ByteBuffer {
    fileprivate func scan(as dialect: Dialect) throws(CallFailure) -> RequestFields {
        try withUnsafeReadableBytes { bytes in
            Result { () throws(CallFailure) in try RequestFields.scan(bytes, as: dialect) }
        }
        .get()
    }

    /// SHA-256 over the format's name, the headers that shape an answer, and the body.
    fileprivate func digest(as dialect: Dialect, _ shaping: String) -> Digest256 {
        withUnsafeReadableBytes { bytes in
            var name = shaping.isEmpty ? dialect.rawValue : "\(dialect.rawValue)\n\(shaping)"
            return name.withUTF8 { SHA256.digest(prefix: UnsafeRawBufferPointer($0), body: bytes) }
        }
    }
}

import Access
import Cache
import Cipher
import Dialects
import Domain
import Engine
import NIOCore
import NIOHTTP1
import Providers
import Vault

/// Moves the bytes of one forwarded call: asks the session for attempts, sends each to its provider, and hands the
/// answer on to the caller as it comes.
///
/// Nothing goes to the caller before it is sure that this attempt answers: a whole answer is collected up to a bound,
/// a stream until its first event. From the first byte on there is no other attempt. Confined to one event loop.
final class CallExchange: UpstreamDelegate {
    private enum Stage {
        /// No answer's head yet.
        case waiting
        /// An error answer is being collected, to be classified.
        case error(status: Int, headers: HTTPHeaders, body: ByteBuffer)
        /// A whole answer is being collected.
        case whole(contentType: String, body: ByteBuffer)
        /// A whole answer that grew too large is passing through; its tail is kept for the usage.
        case passing(tail: ByteBuffer)
        /// A stream, before and after its first event.
        case stream(committed: Bool)
        case over
    }

    /// Error answers are read up to here; what is longer is cut.
    private static let errorBytesMost = 64 << 10
    private static let tailBytes = 16 << 10
    /// What may wait for a stream's first piece.
    private static let peekBytesMost = 64 << 10
    /// A stream larger than this is not kept for the cache.
    private static let keptBytesMost = 256 << 10

    private let session: CallSession
    private let loop: LoopContext
    private let caller: CallHandler
    private let dialect: Dialect
    private let fields: RequestFields
    private let body: ByteBuffer
    private let headers: HTTPHeaders
    private let keepAlive: Bool
    private let wholeMost: Int

    private var stage = Stage.waiting
    private var attempt: CallSession.Attempt?
    private var upstream: UpstreamExchange?
    /// Follows a stream that goes on as it is.
    private var reader: StreamReader
    private var translation: CallTranslation
    /// Whole events that wait for the next write.
    private var outgoing = ByteBuffer()
    private var kept: ByteBuffer?
    private var sent: Int64 = 0
    /// Bounds the wait for a stream's first content, and then for the next: comments and pings are none.
    private var contentTimer: Scheduled<Void>?
    private var contentAt = Instant(nanoseconds: 0)
    private var contentSeen: Int64 = 0

    init(
        session: CallSession, loop: LoopContext, caller: CallHandler, dialect: Dialect, fields: RequestFields,
        body: ByteBuffer, headers: HTTPHeaders, keepAlive: Bool, wholeMost: Int
    ) {
        self.session = session
        self.loop = loop
        self.caller = caller
        self.dialect = dialect
        self.fields = fields
        self.body = body
        self.headers = headers
        self.keepAlive = keepAlive
        self.wholeMost = wholeMost
        reader = StreamReader(dialect: dialect, dropsUsage: !fields.callerAskedForUsage)
        translation = CallTranslation(
            dialect: dialect,
            context: AnswerContext(
                id: session.call.id.text, model: fields.model.text, created: session.call.at,
                wantsStreamUsage: dialect != .openAIChat || fields.callerAskedForUsage,
                inputEstimate: fields.estimatedInputTokens))
    }

    private var now: Instant { loop.parts.clock.now }

    // MARK: Attempts

    func start() { tryNext() }

    private func tryNext() {
        stage = .waiting
        upstream = nil
        // Between two attempts nothing is with a provider, and nothing is used.
        attempt = nil
        translation.reset()
        contentTimer?.cancel()
        switch session.next(at: now) {
        case .fail(let failure): fail(failure)
        case .pause(let pause):
            caller.schedule(in: pause) { [self] in if case .waiting = stage { tryNext() } }
        case .send(let next):
            attempt = next
            if let fault = next.drill { drill(fault, next) } else { send(next) }
        }
    }

    // MARK: Drills

    /// What a slow answer is late by: long enough to be seen, shorter than any client's patience.
    private static let drillDelay = Duration.seconds(3)

    /// Meets the attempt with a made fault, in the provider's place or on top of its answer.
    private func drill(_ fault: DrillFault, _ attempt: CallSession.Attempt) {
        switch fault {
        case .rateLimited: drill(.keyRateLimit, status: 429, after: .milliseconds(20), attempt)
        case .overloaded: drill(.overloaded, status: 529, after: .milliseconds(20), attempt)
        case .badKey: drill(.badKey, status: 401, after: .milliseconds(20), attempt)
        case .slow: meet(attempt, after: Self.drillDelay) { [self] in send(attempt) }
        case .cut where !fields.stream: drill(.transport, status: nil, after: .milliseconds(20), attempt)
        case .stall where !fields.stream:
            drill(.timeoutBeforeFirstByte, status: nil, after: attempt.timeouts.firstByte, attempt)
        // The stream begins as it is: see `drillStream`.
        case .cut, .stall: send(attempt)
        }
    }

    private func drill(
        _ failure: FailureClass, status: Int?, after delay: Duration, _ attempt: CallSession.Attempt
    ) {
        meet(attempt, after: delay) { [self] in
            let wait: Duration? = failure == .keyRateLimit ? .seconds(1) : nil
            attemptFailed(
                failure, status: status, retryAfter: wait,
                face(of: failure, status: status ?? 0, UpstreamError(type: "drill"), retryAfter: wait))
        }
    }

    private func meet(
        _ attempt: CallSession.Attempt, after delay: Duration, _ work: @escaping () -> Void
    ) {
        caller.schedule(in: delay) { [self] in
            // The caller may have left, or the call's time be over.
            guard case .waiting = stage, self.attempt?.number == attempt.number, upstream == nil else {
                return
            }
            work()
        }
    }

    /// A drilled stream ends, or stands still, behind its first content.
    private func drillStream() {
        guard let attempt, case .stream(committed: true) = stage else { return }
        switch attempt.drill {
        case .cut:
            upstream?.cancel()
            cutStream("a drill cut the stream")
        case .stall:
            upstream?.cancel()
            caller.flush()
        default: break
        }
    }

    private func send(_ attempt: CallSession.Attempt) {
        let outgoing: ByteBuffer
        do throws(CallFailure) {
            outgoing = try upstreamBody(for: attempt)
        } catch {
            session.attemptUnsendable(error, at: now)
            return tryNext()
        }
        do {
            let request = try UpstreamRequest(
                endpoint: loop.endpoint(
                    attempt.provider, dialect, attempt.target.model, streamed: fields.stream),
                tenant: session.who.tenant.id,
                key: attempt.key?.id,
                callerHeaders: headers, body: outgoing, time: loop.parts.clock.wall)
            let bounds = UpstreamTimeouts(
                connect: attempt.timeouts.connect, firstByte: attempt.timeouts.firstByte,
                idle: attempt.timeouts.idle,
                total: attempt.timeouts.total)
            guard attempt.key != nil else {
                upstream = try loop.pool.send(request, secret: nil, delegate: self, timeouts: bounds)
                return
            }
            let sent = try session.withSecret(of: attempt, at: now) { secret in
                Result { () throws(ProviderRefusal) in
                    try loop.pool.send(request, secret: secret, delegate: self, timeouts: bounds)
                }
            }
            upstream = try sent?.get()
        } catch SealFailure.locked {
            // Locked since this call was let in: no key's fault.
            session.attemptUnsendable(
                CallFailure(
                    .vaultSealed, source: .gateway, "the vault is sealed; an operator has to unlock it",
                    retryAfter: .seconds(10)), at: now)
            tryNext()
        } catch is SealFailure {
            // A damaged record, or one sealed for another origin: this key's fault, and another may serve.
            attemptFailed(
                .badKey, status: nil, retryAfter: nil,
                CallFailure(
                    .upstreamRefused, source: .providerKey,
                    "the sealed key for \(attempt.target) does not open; its owner has to replace it",
                    status: 424))
        } catch {
            attemptFailed(
                .unknownRefusal, status: nil, retryAfter: nil,
                CallFailure(
                    .invalidRequest, source: .caller,
                    "this call cannot be sent to \(attempt.target): \(error)"))
        }
    }

    private func upstreamBody(for attempt: CallSession.Attempt) throws(CallFailure) -> ByteBuffer {
        if let said = try translation.request(for: attempt, body) {
            var out = caller.makeBuffer(said.count)
            out.writeBytes(said)
            return out
        }
        let edits = BodyEdit.edits(
            fields: fields, upstreamModel: attempt.target.model,
            askForUsage: attempt.provider.asksForUsage)
        guard !edits.isEmpty else { return body }
        var out = caller.makeBuffer(BodyEdit.editedCount(edits, original: body.readableBytes))
        body.withUnsafeReadableBytes { bytes in
            BodyEdit.apply(edits, to: bytes) { out.writeBytes($0) }
        }
        return out
    }

    private func attemptFailed(
        _ failure: FailureClass, status: Int?, retryAfter: Duration?, _ face: CallFailure
    ) {
        session.attemptFailed(failure, status: status, retryAfter: retryAfter, face: face, at: now)
        tryNext()
    }

    // MARK: The provider's answer

    func upstreamHead(status: Int, headers: HTTPHeaders) {
        if let headroom = RateLimitHeaders.read(headers.lazy.map { (name: $0.name, value: $0.value) }) {
            session.heard(headroom, at: now)
        }
        guard status == 200 else {
            stage = .error(status: status, headers: headers, body: ByteBuffer())
            return
        }
        let type = headers.first(name: "content-type")
        guard fields.stream, isStream(type) else {
            stage = .whole(contentType: AnswerHead.safeContentType(type), body: ByteBuffer())
            return
        }
        reader = StreamReader(dialect: dialect, dropsUsage: !fields.callerAskedForUsage)
        translation.beginStream()
        outgoing.clear()
        stage = .stream(committed: false)
        contentSeen = 0
        contentAt = now
        watchContent(after: attempt?.timeouts.firstByte ?? .zero)
    }

    /// Ends an attempt whose stream brings nothing but comments, pings and preliminaries for too long.
    private func watchContent(after bound: Duration) {
        contentTimer?.cancel()
        contentTimer = caller.schedule(in: bound - (now - contentAt)) { [self] in
            guard case .stream(let committed) = stage, let attempt else { return }
            let bound = committed ? attempt.timeouts.idle : attempt.timeouts.firstByte
            guard now - contentAt >= bound else { return watchContent(after: bound) }
            upstream?.cancel()
            let seconds = bound.secondsRoundedUp
            if committed {
                cutStream("no content came for \(seconds) s")
            } else {
                attemptFailed(
                    .timeoutBeforeFirstByte, status: 200, retryAfter: nil,
                    CallFailure(
                        .upstreamTimeout, source: .provider,
                        "\(attempt.target): the stream brought no content for \(seconds) s"))
            }
        }
    }

    /// Bedrock has a framing of its own (AWS, "Event stream encoding"); all others send server-sent events.
    private func isStream(_ type: String?) -> Bool {
        guard let type = type?.utf8 else { return false }
        return type.starts(with: "text/event-stream".utf8)
            || (translation.format == .bedrockConverse
                && type.starts(with: "application/vnd.amazon.eventstream".utf8))
    }

    func upstreamBody(_ piece: ByteBuffer) {
        switch stage {
        case .error(let status, let headers, var collected):
            stage = .waiting
            var piece = piece
            collected.writeBuffer(&piece)
            stage = .error(status: status, headers: headers, body: collected)
            if collected.readableBytes >= Self.errorBytesMost {
                // Enough to tell what it is; the rest is not waited for.
                upstream?.cancel()
                classify(status, headers, collected)
            }
        case .whole(let contentType, var collected):
            stage = .waiting
            var piece = piece
            if collected.readableBytes == 0 { collected = piece } else { collected.writeBuffer(&piece) }
            if collected.readableBytes > wholeMost, translation.format != nil {
                upstream?.cancel()
                attemptFailed(.unknownRefusal, status: 200, retryAfter: nil, tooLargeToTranslate)
            } else if collected.readableBytes > wholeMost {
                passThrough(contentType, collected)
            } else {
                stage = .whole(contentType: contentType, body: collected)
            }
        case .passing(let tail):
            writeChunk(piece)
            stage = .passing(tail: Self.tail(of: tail, and: piece))
        case .stream: takeStream(piece)
        case .waiting, .over: break
        }
    }

    func upstreamPause() { caller.flush() }

    func upstreamEnd() {
        switch stage {
        case .error(let status, let headers, let body): classify(status, headers, body)
        case .whole(let contentType, let body): answerWhole(contentType, body)
        case .passing(let tail): endPassing(tail)
        case .stream: endStream(cut: nil)
        case .waiting, .over: break
        }
    }

    /// Whether the call's own time ran out, rather than a bound of the provider's: that says nothing of the provider.
    private func isDeadline(_ failure: UpstreamFailure) -> Bool {
        guard case .timeout(let which) = failure, let bounds = attempt?.timeouts else { return false }
        return switch which {
        case .total: true
        case .connect: bounds.total <= bounds.connect
        case .firstByte: bounds.total <= bounds.firstByte
        case .idle: false
        }
    }

    func upstreamFailed(_ failure: UpstreamFailure) {
        let target = attempt?.target.description ?? ""
        if isDeadline(failure) { return deadlinePassed(target) }
        switch stage {
        case .stream(committed: true): endStream(cut: failure)
        case .passing(let tail): cutPassing(tail, failure)
        case .over: break
        case .waiting, .error, .whole, .stream(committed: false):
            let progress: UpstreamFailure.Progress =
                if case .waiting = stage { .beforeHead } else { .beforeContent }
            guard let known = failure.failureClass(at: progress) else {
                return attemptFailed(
                    .cancelled, status: nil, retryAfter: nil,
                    CallFailure(.overloaded, source: .gateway, "\(failure)", retryAfter: .seconds(1)))
            }
            let code: CallFailure.Code = known == .timeoutBeforeFirstByte ? .upstreamTimeout : .upstreamFailed
            attemptFailed(
                known, status: nil, retryAfter: nil,
                CallFailure(code, source: .provider, "\(target): \(failure)"))
        }
    }

    private func deadlinePassed(_ target: String) {
        let face = CallFailure(
            .deadlineExceeded, source: .gateway, "the call's own time ran out while \(target) worked on it")
        switch stage {
        case .stream(committed: true): cutStream("the call's own time ran out", .cancelled)
        case .passing(let tail): cutPassing(tail, .timeout(.total), .cancelled)
        case .over: break
        case .waiting, .error, .whole, .stream(committed: false):
            attemptFailed(.cancelled, status: nil, retryAfter: nil, face)
        }
    }

    // MARK: Errors

    private func classify(_ status: Int, _ headers: HTTPHeaders, _ body: ByteBuffer) {
        let error = body.withUnsafeReadableBytes { UpstreamError.read($0) }
            .labelled(headers.first(name: "x-amzn-errortype"))
        let failure = error.classify(status: status, kind: attempt?.provider.kind ?? .openaiCompatible)
        let wait = RetryAfter.parse(
            headers.lazy.map { (name: $0.name, value: $0.value) }, ofKey: failure == .keyRateLimit,
            now: loop.parts.clock.wall)
        attemptFailed(
            failure, status: status, retryAfter: wait,
            face(of: failure, status: status, error, retryAfter: wait))
    }

    /// What the caller is told. A provider's own words go on only where they are about the caller's request.
    private func face(
        of failure: FailureClass, status: Int, _ error: UpstreamError, retryAfter: Duration?
    ) -> CallFailure {
        let target = attempt?.target.description ?? ""
        switch failure {
        case .callerFault, .contextWindow, .contentPolicy, .unknownRefusal:
            let words = error.message.map { isEchoOfSecret($0) ? "" : $0 } ?? ""
            return CallFailure(
                .upstreamRefused, source: .caller,
                words.isEmpty ? "\(target) refused the request with \(status)" : words,
                status: status)
        case .badKey:
            return CallFailure(
                .upstreamRefused, source: .providerKey,
                "\(target) rejects this tenant's provider key; its owner has to replace it")
        case .notPermitted:
            return CallFailure(
                .upstreamRefused, source: .providerKey,
                "this tenant's provider key may not use \(target)", status: 403)
        case .keyQuota:
            return CallFailure(
                .upstreamRefused, source: .providerKey,
                "the quota or credit of this tenant's provider key for \(target) is spent", status: 402)
        case .keyRateLimit:
            return CallFailure(
                .upstreamRefused, source: .providerKey,
                "\(target) limits the rate of this tenant's provider key",
                retryAfter: retryAfter ?? .seconds(1), status: 429)
        case .timeoutBeforeFirstByte:
            return CallFailure(
                .upstreamTimeout, source: .provider, "\(target) did not answer in time (\(status))")
        default:
            return CallFailure(
                .upstreamFailed, source: .provider, "\(target) failed with \(status)", retryAfter: retryAfter)
        }
    }

    /// Whether a text holds eight bytes in a row of the key that was sent.
    private func isEchoOfSecret(_ text: String) -> Bool {
        guard let attempt, attempt.key != nil else { return false }
        let bytes = Array(text.utf8)
        guard bytes.count >= 8 else { return false }
        let found = try? session.withSecret(of: attempt, at: now) { secret in
            secret.withBytes { key -> Bool in
                guard key.count >= 8 else { return false }
                return (0...(key.count - 8)).contains { start in
                    let window = key[start..<(start + 8)]
                    return (0...(bytes.count - 8)).contains { bytes[$0..<($0 + 8)].elementsEqual(window) }
                }
            }
        }
        return found ?? true
    }

    // MARK: Whole answers

    private var tooLargeToTranslate: CallFailure {
        CallFailure(
            .upstreamFailed, source: .provider,
            "the answer has more than the \(wholeMost) bytes that are translated at once; ask for a stream")
    }

    private func answerWhole(_ contentType: String, _ original: ByteBuffer) {
        guard translation.format != nil else {
            let usage = original.withUnsafeReadableBytes { UnaryReader.usage(in: $0, as: dialect) }
            return answerWhole(contentType, original, usage)
        }
        guard let said = translation.answer(original) else {
            return attemptFailed(
                .providerFault, status: 200, retryAfter: nil,
                CallFailure(
                    .upstreamFailed, source: .provider,
                    "\(attempt?.target.description ?? "") sent an answer that is not of its own format"))
        }
        var body = caller.makeBuffer(said.body.count)
        body.writeBytes(said.body)
        answerWhole("application/json", body, said.usage)
    }

    private func answerWhole(_ contentType: String, _ body: ByteBuffer, _ usage: Usage?) {
        session.attemptAnswered(status: 200, at: now)
        session.firstByte(at: now)
        let ending = CallSession.Ending(
            end: .answered, status: 200, failure: nil, usage: usage,
            estimate: Usage(input: fields.estimatedInputTokens, output: Int64(body.readableBytes / 4)))
        let cost = session.settle(ending, at: now)
        if mayStore, let usage {
            session.store(
                CachedAnswer(
                    status: 200, contentType: contentType, body: Array(body.readableBytesView), usage: usage,
                    cost: cost,
                    stored: now, model: fields.model.text, streamed: false))
        }
        var out = caller.makeBuffer(body.readableBytes + 640)
        head(contentType, length: body.readableBytes, cost: cost).write(into: &out)
        stage = .over
        if body.readableBytes <= 16 << 10 {
            out.writeImmutableBuffer(body)
            caller.write(out)
        } else {
            caller.write(out)
            caller.write(body)
        }
        caller.finished(closes: !keepAlive)
    }

    private func head(_ contentType: String, length: Int?, cost: Money? = nil) -> AnswerHead {
        AnswerHead(
            status: 200, contentType: contentType, length: length, request: session.call.id,
            target: attempt?.target,
            attempts: max(1, session.attemptCount + (length == nil ? 1 : 0)), payer: session.payer,
            cache: session.cacheOutcome,
            cost: cost,
            limits: session.limitFacts, closes: !keepAlive, translatedFrom: translation.format,
            dropped: translation.losses.fields)
    }

    /// An answer to a request that something was left out of says so in its head, which the cache does not keep.
    private var mayStore: Bool { session.mayStore && translation.losses.fields.isEmpty }

    private func passThrough(_ contentType: String, _ collected: ByteBuffer) {
        session.firstByte(at: now)
        var out = caller.makeBuffer(640)
        head(contentType, length: nil).write(into: &out)
        caller.write(out)
        writeChunk(collected)
        stage = .passing(tail: Self.tail(of: ByteBuffer(), and: collected))
    }

    private static func tail(of old: ByteBuffer, and piece: ByteBuffer) -> ByteBuffer {
        var joined = old
        joined.writeImmutableBuffer(piece)
        if joined.readableBytes > 2 * tailBytes {
            joined = joined.getSlice(at: joined.writerIndex - tailBytes, length: tailBytes) ?? joined
            // Copies the slice, so that the large buffer behind it is let go.
            joined = ByteBuffer(bytes: joined.readableBytesView)
        }
        return joined
    }

    /// The last `usage` member of an answer that was too large to keep, read as an object of its own.
    private static func usage(inTail tail: ByteBuffer, as dialect: Dialect) -> Usage? {
        let bytes = tail.readableBytesView
        let needle = Array("\"usage\"".utf8)
        guard bytes.count >= needle.count else { return nil }
        let last = (0...(bytes.count - needle.count)).last { offset in
            bytes[(bytes.startIndex + offset)...].starts(with: needle)
        }
        guard let last else { return nil }
        let object = Array("{".utf8) + bytes[(bytes.startIndex + last)...]
        return object.withUnsafeBytes { UnaryReader.usage(in: $0, as: dialect) }
    }

    private func endPassing(_ tail: ByteBuffer) {
        session.attemptAnswered(status: 200, at: now)
        let usage = Self.usage(inTail: tail, as: dialect)
        session.settle(
            .init(
                end: .answered, status: 200, failure: nil, usage: usage,
                estimate: Usage(input: fields.estimatedInputTokens, output: sent / 4)), at: now)
        finishChunks(closes: !keepAlive)
    }

    /// A whole answer that broke half-way: there is no frame for that in JSON, so the connection ends without the
    /// last chunk, which every HTTP client takes for what it is.
    private func cutPassing(
        _ tail: ByteBuffer, _ failure: UpstreamFailure, _ kind: FailureClass = .brokeAfterContent
    ) {
        session.attemptFailed(
            kind, status: 200, retryAfter: nil,
            face: CallFailure(.upstreamCut, source: .provider, "\(failure)"), at: now)
        session.settle(
            .init(
                end: .cut, status: 200, failure: .upstreamCut, usage: nil,
                estimate: Usage(input: fields.estimatedInputTokens, output: sent / 4)), at: now)
        stage = .over
        caller.finished(closes: true)
    }

    // MARK: Streams

    private func takeStream(_ piece: ByteBuffer) {
        let fed: Result<Void, StreamFault> =
            if translation.stream != nil {
                Result { () throws(StreamFault) in try translation.read(piece, into: &outgoing) }
            } else {
                passOn(piece)
            }
        if let error = streamFault { return streamBroke(error) }
        switch fed {
        case .success:
            writeEvents()
            if attempt?.drill != nil { drillStream() }
        case .failure(.eventTooLarge): streamBroke(UpstreamError(type: "event_too_long"))
        case .failure(.brokenFrame): streamBroke(UpstreamError(type: "broken_frame"))
        }
    }

    private func passOn(_ piece: ByteBuffer) -> Result<Void, StreamFault> {
        piece.withUnsafeReadableBytes { bytes in
            Result { () throws(StreamFault) in
                try reader.read(bytes) { kept in
                    switch kept {
                    case .held(let earlier): outgoing.writeBytes(earlier)
                    case .part(let range): outgoing.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[range]))
                    }
                }
            }
        }
    }

    // Either way of following a stream tells the same; asked piece by piece, as the facts are large to hand around.
    private var streamFault: UpstreamError? {
        translation.stream.map { $0.fault } ?? reader.answer.fault
    }
    private var streamEnded: Bool { translation.stream?.ended ?? reader.answer.ended }
    private var sawContent: Bool { translation.stream?.sawContent ?? reader.answer.sawContent }
    private var contentCount: Int64 { translation.stream?.deltas ?? reader.answer.deltas }
    private var streamUsage: Usage? { translation.stream.map { $0.usage } ?? reader.answer.usage }

    private func writeEvents() {
        guard case .stream(let committed) = stage, outgoing.readableBytes > 0 else { return }
        let seen = contentCount
        if seen != contentSeen {
            contentSeen = seen
            contentAt = now
        }
        if !committed {
            // Comments, pings and preliminaries do not prove that there will be an answer: they wait, bounded, for
            // its first piece or its end.
            guard
                sawContent || streamEnded || outgoing.readableBytes > Self.peekBytesMost
            else { return }
            stage = .stream(committed: true)
            session.firstByte(at: now)
            var out = caller.makeBuffer(640)
            head("text/event-stream", length: nil).write(into: &out)
            caller.write(out)
            if mayStore { kept = ByteBuffer() }
            watchContent(after: attempt?.timeouts.idle ?? .zero)
        }
        if kept != nil {
            kept?.writeImmutableBuffer(outgoing)
            if (kept?.readableBytes ?? 0) > Self.keptBytesMost { kept = nil }
        }
        writeChunk(outgoing)
        outgoing = caller.makeBuffer(512)
        if !caller.isWritable { upstream?.pauseReading() }
    }

    /// One chunk (RFC 9112 section 7.1); small ones are copied into one buffer, which is cheaper than three writes.
    private func writeChunk(_ data: ByteBuffer) {
        let count = data.readableBytes
        guard count > 0 else { return }
        sent += Int64(count)
        var out = caller.makeBuffer(count <= 8 << 10 ? count + 12 : 12)
        out.writeString(String(count, radix: 16))
        out.writeStaticString("\r\n")
        if count <= 8 << 10 {
            out.writeImmutableBuffer(data)
            out.writeStaticString("\r\n")
            caller.write(out)
        } else {
            caller.write(out)
            caller.write(data)
            caller.write(ByteBuffer(staticString: "\r\n"))
        }
        if !caller.isWritable { upstream?.pauseReading() }
    }

    private func finishChunks(closes: Bool) {
        contentTimer?.cancel()
        stage = .over
        caller.write(ByteBuffer(staticString: "0\r\n\r\n"))
        caller.finished(closes: closes)
    }

    /// The provider reported an error inside its 200.
    private func streamBroke(_ error: UpstreamError) {
        upstream?.cancel()
        guard case .stream(committed: true) = stage else {
            let failure = error.classify(
                status: error.impliedStatus, kind: attempt?.provider.kind ?? .openaiCompatible)
            return attemptFailed(
                failure, status: 200, retryAfter: nil, face(of: failure, status: 502, error, retryAfter: nil))
        }
        // Whole events that came in the same read, ahead of the error.
        writeEvents()
        cutStream("the provider reported an error in the middle of its answer")
    }

    private func endStream(cut failure: UpstreamFailure?) {
        if translation.stream != nil {
            translation.finish(into: &outgoing)
        } else {
            reader.finish { kept in if case .held(let earlier) = kept { outgoing.writeBytes(earlier) } }
        }
        if let error = streamFault { return streamBroke(error) }
        // Its last event came: whatever became of the connection afterwards, the answer is whole.
        if streamEnded {
            writeEvents()
            return finishStream()
        }
        guard case .stream(committed: true) = stage else {
            return attemptFailed(
                .brokeBeforeContent, status: 200, retryAfter: nil,
                CallFailure(.upstreamFailed, source: .provider, "the stream ended before it began"))
        }
        // What is left is the beginning of an event: the frame that follows would read as its end.
        outgoing.clear()
        cutStream(failure.map { "\($0)" } ?? "the provider's stream ended without its last event")
    }

    private func finishStream() {
        guard case .stream(committed: true) = stage else {
            // Finished without a single piece: an answer all the same, and an empty one.
            return attemptFailed(
                .brokeBeforeContent, status: 200, retryAfter: nil,
                CallFailure(.upstreamFailed, source: .provider, "the stream held nothing"))
        }
        session.attemptAnswered(status: 200, at: now)
        let cost = session.settle(ending(.answered, nil), at: now)
        if let kept, let usage = streamUsage {
            session.store(
                CachedAnswer(
                    status: 200, contentType: "text/event-stream", body: Array(kept.readableBytesView),
                    usage: usage,
                    cost: cost, stored: now, model: fields.model.text, streamed: true))
        }
        finishChunks(closes: !keepAlive)
    }

    private func cutStream(_ why: String, _ kind: FailureClass = .brokeAfterContent) {
        let failure = CallFailure(.upstreamCut, source: .provider, "the answer is incomplete: \(why)")
        session.attemptFailed(kind, status: 200, retryAfter: nil, face: failure, at: now)
        session.settle(ending(.cut, .upstreamCut), at: now)
        writeChunk(
            ByteBuffer(
                bytes: ErrorEnvelope.streamFrame(of: failure, as: dialect, requestID: session.call.id.text)))
        finishChunks(closes: true)
    }

    /// The provider's figures where they are its last word, else what was counted: a stream that was cut or left has
    /// used its input and the pieces that came.
    private func ending(_ end: CallEnd, _ failure: CallFailure.Code?) -> CallSession.Ending {
        let estimate = fields.estimatedInputTokens
        let (usage, source) =
            translation.stream?.settledUsage(inputEstimate: estimate)
            ?? reader.answer.settledUsage(inputEstimate: estimate)
        return CallSession.Ending(
            end: end, status: end == .cancelled ? 499 : 200, failure: failure,
            usage: source == .reported ? usage : nil, estimate: usage)
    }

    // MARK: The caller

    func callerTakesMore(_ writable: Bool) {
        if writable { upstream?.resumeReading() } else { upstream?.pauseReading() }
    }

    /// The caller hung up: the upstream call ends too, and what was used is metered.
    func callerLeft() {
        upstream?.cancel()
        let used: CallSession.Ending
        switch stage {
        case .over: return
        case .stream(committed: true): used = ending(.cancelled, .cancelled)
        case .stream, .whole, .passing:
            used = CallSession.Ending(
                end: .cancelled, status: 499, failure: .cancelled, usage: nil,
                estimate: Usage(
                    input: fields.estimatedInputTokens,
                    output: max(
                        sent / 4, translation.stream?.estimatedOutput ?? reader.answer.estimatedOutput)))
        case .waiting, .error:
            // The request is with the provider, which may bill its input: counted, and marked as an estimate.
            used = CallSession.Ending(
                end: .cancelled, status: 499, failure: .cancelled, usage: nil,
                estimate: attempt == nil ? nil : Usage(input: fields.estimatedInputTokens))
        }
        stage = .over
        contentTimer?.cancel()
        session.settle(used, at: now)
    }

    private func fail(_ failure: CallFailure) {
        stage = .over
        session.settle(
            .init(end: .failed, status: failure.status, failure: failure.code, usage: nil, estimate: nil),
            at: now)
        let body = ErrorEnvelope.body(of: failure, as: dialect, requestID: session.call.id.text)
        var out = caller.makeBuffer(body.count + 320)
        AnswerHead(
            status: failure.status, length: body.count, request: session.call.id,
            attempts: session.attemptCount,
            limits: session.limitFacts, retryAfter: failure.retryAfter, closes: !keepAlive
        ).write(into: &out)
        out.writeBytes(body)
        caller.write(out)
        caller.finished(closes: !keepAlive)
    }
}

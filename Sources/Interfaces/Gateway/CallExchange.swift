import Access
import Cache
import Dialects
import Domain
import Engine
import NIOCore
import NIOHTTP1
import Providers

/// One forwarded call: asks the session for attempts, lets each of them do its work, and owns what goes to the caller.
///
/// Nothing goes to the caller before it is sure that an attempt answers: a whole answer is collected up to a bound, a
/// stream until its first event. From the first byte on there is no other attempt. Confined to one event loop.
final class CallExchange {
    /// A stream larger than this is not kept for the cache.
    private static let keptBytesMost = 256 << 10

    let session: CallSession
    let loop: LoopContext
    let dialect: Dialect
    let fields: RequestFields
    let body: ByteBuffer
    let headers: HTTPHeaders
    let wholeMost: Int
    private let caller: CallHandler
    private let keepAlive: Bool

    private var attempt: AttemptExchange?
    private var isOver = false
    /// The request as it was understood, once an attempt had to say it anew.
    private var source: Translator.Source?
    private var kept: ByteBuffer?
    /// Bytes of the answer so far.
    private(set) var sent: Int64 = 0

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
    }

    var now: Instant { loop.parts.clock.now }

    /// What an answer that is said anew needs to know of the call.
    var answerContext: AnswerContext {
        AnswerContext(
            id: session.call.id.text, model: fields.model.text, created: session.call.at,
            wantsStreamUsage: dialect != .openAIChat || fields.callerAskedForUsage,
            inputEstimate: fields.estimatedInputTokens)
    }

    // MARK: Attempts

    func start() { tryNext() }

    private func tryNext() {
        // Between two attempts nothing is with a provider, and nothing is used.
        attempt = nil
        switch session.next(at: now) {
        case .fail(let failure): fail(failure)
        case .pause(let pause):
            caller.schedule(in: pause) { [self] in if !isOver, attempt == nil { tryNext() } }
        case .send(let next):
            let fresh = AttemptExchange(next, of: self)
            attempt = fresh
            fresh.start()
        }
    }

    /// The request as it is understood; read once for all attempts.
    func understood() throws(CallFailure) -> Translator.Source {
        if let source { return source }
        let dialect = dialect
        let read = try body.withUnsafeReadableBytes { bytes in
            Result { () throws(CallFailure) in try Translator.read(bytes, as: dialect) }
        }.get()
        source = read
        return read
    }

    // MARK: From the attempts

    /// How an attempt failed that the caller has seen nothing of.
    struct Failure {
        let kind: FailureClass
        /// The provider's, where one came.
        var status: Int?
        var retryAfter: Duration?
        /// What the caller sees if nothing else helps.
        let face: CallFailure
    }

    func failed(_ attempt: AttemptExchange, _ failure: Failure) {
        session.attemptFailed(
            failure.kind, status: failure.status, retryAfter: failure.retryAfter, face: failure.face, at: now)
        tryNext()
    }

    /// The call cannot be said in the words of the attempt's provider.
    func isUnsendable(_ attempt: AttemptExchange, _ face: CallFailure) {
        session.attemptUnsendable(face, at: now)
        tryNext()
    }

    /// The whole answer of an attempt, in one piece.
    func answer(_ attempt: AttemptExchange, _ contentType: String, _ body: ByteBuffer, _ usage: Usage?) {
        session.attemptAnswered(status: 200, at: now)
        session.firstByte(at: now)
        let ending = CallSession.Ending(
            end: .answered, status: 200, failure: nil, usage: usage,
            estimate: Usage(input: fields.estimatedInputTokens, output: Int64(body.readableBytes / 4)))
        let cost = session.settle(ending, at: now)
        if mayStore(attempt), let usage {
            session.store(
                CachedAnswer(
                    status: 200, contentType: contentType, body: Array(body.readableBytesView), usage: usage,
                    cost: cost, stored: now, model: fields.model.text, streamed: false))
        }
        var out = caller.makeBuffer(body.readableBytes + 640)
        head(contentType, length: body.readableBytes, of: attempt, cost: cost).write(into: &out)
        end()
        if body.readableBytes <= 16 << 10 {
            out.writeImmutableBuffer(body)
            caller.write(out)
        } else {
            caller.write(out)
            caller.write(body)
        }
        caller.finished(closes: !keepAlive)
    }

    /// An attempt's answer begins and will come in pieces: from here on there is no other attempt.
    ///
    /// - Parameter keeps: whether the answer may be kept for the cache.
    func begin(_ attempt: AttemptExchange, _ contentType: String, keeps: Bool) {
        session.firstByte(at: now)
        var out = caller.makeBuffer(640)
        head(contentType, length: nil, of: attempt).write(into: &out)
        caller.write(out)
        if keeps, mayStore(attempt) { kept = ByteBuffer() }
    }

    /// The next piece of the answer that has begun.
    func write(_ data: ByteBuffer) {
        if kept != nil {
            kept?.writeImmutableBuffer(data)
            if (kept?.readableBytes ?? 0) > Self.keptBytesMost { kept = nil }
        }
        writeChunk(data)
    }

    /// The answer that had begun is whole.
    ///
    /// - Parameter reported: what the provider said was used.
    func finish(_ ending: CallSession.Ending, reported: Usage?) {
        session.attemptAnswered(status: 200, at: now)
        let cost = session.settle(ending, at: now)
        if let kept, let reported {
            session.store(
                CachedAnswer(
                    status: 200, contentType: "text/event-stream", body: Array(kept.readableBytesView),
                    usage: reported, cost: cost, stored: now, model: fields.model.text, streamed: true))
        }
        finishChunks(closes: !keepAlive)
    }

    /// The answer that had begun broke off.
    ///
    /// - Parameter frameNumber: of the event that tells the failure. Without events, in JSON, it is nil: there is no way
    ///   to tell it, and the connection ends without the last chunk, which every HTTP client takes for what it is.
    func cut(_ failure: Failure, _ ending: CallSession.Ending, frameNumber: Int64?) {
        session.attemptFailed(
            failure.kind, status: failure.status, retryAfter: nil, face: failure.face, at: now)
        session.settle(ending, at: now)
        if let frameNumber {
            writeChunk(
                ByteBuffer(
                    bytes: ErrorEnvelope.streamFrame(
                        of: failure.face, as: dialect, requestID: session.call.id.text,
                        sequenceNumber: frameNumber)))
            finishChunks(closes: true)
        } else {
            end()
            caller.finished(closes: true)
        }
    }

    // MARK: The caller

    func makeBuffer(_ capacity: Int) -> ByteBuffer { caller.makeBuffer(capacity) }
    func flush() { caller.flush() }

    @discardableResult
    func schedule(in delay: Duration, _ work: @escaping () -> Void) -> Scheduled<Void>? {
        caller.schedule(in: delay, work)
    }

    func callerTakesMore(_ writable: Bool) { attempt?.setReading(writable) }

    /// The caller hung up: the upstream call ends too, and what was used is metered.
    func callerLeft() {
        guard !isOver else { return }
        let used =
            attempt?.abandon()
            ?? CallSession.Ending(
                end: .cancelled, status: 499, failure: .cancelled, usage: nil, estimate: nil)
        end()
        session.settle(used, at: now)
    }

    private func fail(_ failure: CallFailure) {
        end()
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

    private func head(
        _ contentType: String, length: Int?, of attempt: AttemptExchange, cost: Money? = nil
    ) -> AnswerHead {
        AnswerHead(
            status: 200, contentType: contentType, length: length, request: session.call.id,
            target: attempt.attempt.target,
            attempts: max(1, session.attemptCount + (length == nil ? 1 : 0)), payer: session.payer,
            cache: session.cacheOutcome,
            cost: cost,
            limits: session.limitFacts, closes: !keepAlive, translatedFrom: attempt.translation.format,
            dropped: attempt.translation.losses.fields)
    }

    /// An answer to a request that something was left out of says so in its head, which the cache does not keep.
    private func mayStore(_ attempt: AttemptExchange) -> Bool {
        session.mayStore && attempt.translation.losses.fields.isEmpty
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
        if !caller.isWritable { attempt?.setReading(false) }
    }

    private func finishChunks(closes: Bool) {
        end()
        caller.write(ByteBuffer(staticString: "0\r\n\r\n"))
        caller.finished(closes: closes)
    }

    /// Nothing more is heard from attempts: call and attempt let go of each other.
    private func end() {
        isOver = true
        attempt?.close()
        attempt = nil
    }
}

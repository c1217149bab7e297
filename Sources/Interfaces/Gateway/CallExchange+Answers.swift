import Access
import Cache
import Dialects
import Domain
import Engine
import NIOCore

// What goes to the caller.
extension CallExchange {
    /// A stream larger than this is not kept for the cache.
    private static let keptBytesMost = 256 << 10

    /// The whole answer of an attempt, in one piece.
    func answer(_ attempt: AttemptExchange, _ contentType: String, _ body: ByteBuffer, _ usage: Usage?) {
        settle(on: attempt)
        session.attemptAnswered(attempt.attempt, status: 200, at: now)
        session.firstByte(of: attempt.attempt, at: now)
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
        settle(on: attempt)
        session.firstByte(of: attempt.attempt, at: now)
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
    func finish(_ attempt: AttemptExchange, _ ending: CallSession.Ending, reported: Usage?) {
        session.attemptAnswered(attempt.attempt, status: 200, at: now)
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
    /// - Parameter inFrame: whether the failure is told in an event. Without events, in JSON, there is no way to tell
    ///   it: the connection ends without the last chunk, which every HTTP client takes for what it is.
    func cut(
        _ attempt: AttemptExchange, _ failure: Failure, _ ending: CallSession.Ending, inFrame: Bool
    ) {
        session.attemptFailed(
            attempt.attempt, failure.kind, status: failure.status, retryAfter: nil, face: failure.face,
            at: now)
        session.settle(ending, at: now)
        if inFrame {
            writeChunk(
                ByteBuffer(
                    bytes: ErrorEnvelope.streamFrame(
                        of: failure.face, as: dialect, requestID: session.call.id.text,
                        sequenceNumber: attempt.stream?.nextEventNumber ?? 0)))
            finishChunks(closes: true)
        } else {
            end()
            caller.finished(closes: true)
        }
    }

    func fail(_ failure: CallFailure) {
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
            attempts: max(1, session.attemptCount + (length == nil ? 1 : 0)),
            payer: session.payer(of: attempt.attempt),
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
}

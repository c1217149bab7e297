import Access
import Cipher
import Dialects
import Domain
import Engine
import NIOCore
import NIOHTTP1
import Providers
import Vault

/// One attempt of a call: sends the request to its provider, follows the answer, and tells the call what came of it.
///
/// Confined to one event loop.
final class AttemptExchange: UpstreamDelegate {
    enum Stage {
        /// No answer's head yet.
        case waiting
        /// An error answer is being collected, to be classified.
        case error(status: Int, headers: HTTPHeaders, body: ByteBuffer)
        /// A whole answer is being collected.
        case whole(contentType: String, body: ByteBuffer)
        /// A whole answer that grew too large is passing through; its tail is kept for the usage.
        case passing(tail: AnswerTail)
        /// A stream, before and after its first event.
        case stream(committed: Bool)
        case over
    }

    /// Error answers are read up to here; what is longer is cut.
    private static let errorBytesMost = 64 << 10

    let attempt: CallSession.Attempt
    let call: CallExchange
    var stage = Stage.waiting
    var upstream: UpstreamExchange?
    private(set) var translation = CallTranslation()
    /// Followed from its head on.
    var stream: FollowedStream?
    /// Whole events that wait for the next write.
    var outgoing = ByteBuffer()
    /// Bounds the wait for a stream's first content, and then for the next: comments and pings are none.
    var contentTimer: Scheduled<Void>?
    var contentAt = Instant(nanoseconds: 0)
    var contentSeen: Int64 = 0
    /// Whether the caller takes nothing for the moment.
    private(set) var isPaused = false

    init(_ attempt: CallSession.Attempt, of call: CallExchange) {
        self.attempt = attempt
        self.call = call
    }

    var now: Instant { call.now }
    /// Of the whole call.
    var timeLeft: Duration { attempt.timeouts.total - (now - attempt.started) }

    // MARK: Sending

    func start() {
        if let fault = attempt.drill { drill(fault) } else { send() }
    }

    func send() {
        let outgoing: ByteBuffer
        do throws(CallFailure) {
            outgoing = try upstreamBody()
        } catch {
            stage = .over
            return call.isUnsendable(self, error)
        }
        do {
            let request = try UpstreamRequest(
                endpoint: call.loop.endpoint(
                    attempt.provider, call.dialect, attempt.target.model, streamed: call.fields.stream),
                tenant: call.session.who.tenant.id, key: attempt.keyID, callerHeaders: call.headers,
                body: outgoing, time: call.loop.parts.clock.wall)
            let bounds = UpstreamTimeouts(
                connect: min(attempt.timeouts.connect, timeLeft),
                firstByte: min(attempt.timeouts.firstByte, timeLeft),
                idle: attempt.timeouts.idle, total: timeLeft)
            let pool = call.loop.pool
            guard attempt.keyID != nil else {
                upstream = try pool.send(request, secret: nil, delegate: self, timeouts: bounds)
                return
            }
            let sent = try call.session.withSecret(of: attempt, at: now) { secret in
                Result { () throws(ProviderRefusal) in
                    try pool.send(request, secret: secret, delegate: self, timeouts: bounds)
                }
            }
            upstream = try sent?.get()
        } catch SealFailure.locked {
            // Locked since this call was let in: no key's fault.
            stage = .over
            call.isUnsendable(self, .sealedVault)
        } catch is SealFailure {
            // A damaged record, or one sealed for another origin: this key's fault, and another may serve.
            let face = CallFailure(
                .upstreamRefused, source: .providerKey,
                "the sealed key for \(attempt.target) does not open; its owner has to replace it",
                status: 424)
            failed(.badKey, face)
        } catch {
            let face = CallFailure(
                .invalidRequest, source: .caller, "this call cannot be sent to \(attempt.target): \(error)")
            failed(.unknownRefusal, face)
        }
    }

    private func upstreamBody() throws(CallFailure) -> ByteBuffer {
        if let said = try translation.request(for: attempt, of: call) {
            var out = call.makeBuffer(said.count)
            out.writeBytes(said)
            return out
        }
        let edits = BodyEdit.edits(
            fields: call.fields, upstreamModel: attempt.target.model,
            askForUsage: attempt.provider.definition.asksForUsage)
        guard !edits.isEmpty else { return call.body }
        var out = call.makeBuffer(BodyEdit.editedCount(edits, original: call.body.readableBytes))
        call.body.withUnsafeReadableBytes { bytes in
            BodyEdit.apply(edits, to: bytes) { out.writeBytes($0) }
        }
        return out
    }

    // MARK: The provider's answer

    func upstreamHead(status: Int, headers: HTTPHeaders) {
        var limits = RateLimitHeaders.Found()
        var isPacked = false
        for (name, value) in headers {
            limits.take(name, value)
            if name.isHeader("content-encoding") {
                isPacked = isPacked || !value.isEmpty && !value.isHeader("identity")
            }
        }
        if let headroom = limits.headroom { call.session.heard(headroom, by: attempt, at: now) }
        guard status == 200 else {
            stage = .error(status: status, headers: headers, body: ByteBuffer())
            return
        }
        guard !isPacked else { return refusePacked() }
        let type = headers.first(name: "content-type")
        guard call.fields.stream, isStream(type) else {
            stage = .whole(contentType: AnswerHead.safeContentType(type), body: ByteBuffer())
            return
        }
        beginStream()
    }

    /// Nothing here opens what somebody else packed: a few bytes may open to more than the memory holds.
    private func refusePacked() {
        upstream?.cancel()
        failed(
            .providerFault, status: 200,
            CallFailure(
                .upstreamFailed, source: .provider,
                "\(attempt.target) sent a packed answer (content-encoding), which it was asked not to"))
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
            collect(contentType, collected)
        case .passing(var tail):
            stage = .waiting
            call.write(piece)
            tail.append(piece)
            stage = .passing(tail: tail)
        case .stream: takeStream(piece)
        case .waiting, .over: break
        }
    }

    func upstreamPause() { call.flush() }

    func upstreamEnd() {
        switch stage {
        case .error(let status, let headers, let body): classify(status, headers, body)
        case .whole(let contentType, let body): answerWhole(contentType, body)
        case .passing(let tail): endPassing(tail)
        case .stream: endStream(cut: nil)
        case .waiting, .over: break
        }
    }

    // MARK: From the call

    func setReading(_ reading: Bool) {
        if reading, isPaused { contentAt = now }
        isPaused = !reading
        if reading { upstream?.resumeReading() } else { upstream?.pauseReading() }
    }

    /// Ends the attempt without a further word from it.
    func close() {
        stage = .over
        contentTimer?.cancel()
        upstream?.cancel()
    }

    /// Ends the attempt because nobody waits for it any more; returns what it may have used.
    func abandon() -> CallSession.Ending {
        defer { close() }
        if case .stream = stage { return ending(.cancelled, .cancelled) }
        return CallSession.Ending(
            end: .cancelled, status: 499, failure: .cancelled, usage: nil, estimate: estimate)
    }

    /// What is counted for an answer that has not been read to its end; nil where nothing was used.
    private var estimate: Usage? {
        let input = call.fields.estimatedInputTokens
        switch stage {
        case .passing, .stream: return Usage(input: input, output: call.sent / 4)
        case .whole(_, let body): return Usage(input: input, output: Int64(body.readableBytes / 4))
        // A request that is with the provider may be billed, answered or not: counted, and marked as an estimate.
        case .waiting: return upstream?.hasLeft ?? false ? Usage(input: input) : nil
        // Errors are not billed.
        case .error, .over: return nil
        }
    }
}

import Dialects
import Domain
import Engine
import NIOCore
import Providers

// Answers in events.
extension AttemptExchange {
    /// What may wait for a stream's first piece. OpenAI's responses begin with two events that repeat the request's
    /// instructions and tools, which may be long.
    private static let peekBytesMost = 1 << 20

    func beginStream() {
        stream = FollowedStream(from: translation.format, of: call)
        stage = .stream(committed: false)
        contentAt = now
        watchContent()
    }

    /// Ends an attempt whose stream brings nothing but comments, pings and preliminaries for too long.
    private func watchContent() {
        guard case .stream(let committed) = stage else { return }
        let bound = committed ? attempt.timeouts.idle : attempt.timeouts.firstByte
        contentTimer?.cancel()
        // The provider's own connection minds the call's time, but a drill may have ended that.
        contentTimer = call.schedule(in: min(bound - (now - contentAt), timeLeft)) { [self] in
            guard case .stream(let committed) = stage else { return }
            // A caller who takes nothing keeps the provider waiting, not the other way about.
            if isPaused { contentAt = now }
            guard timeLeft > .zero else {
                upstream?.cancel()
                return deadlinePassed()
            }
            let bound = committed ? attempt.timeouts.idle : attempt.timeouts.firstByte
            guard now - contentAt >= bound else { return watchContent() }
            upstream?.cancel()
            let seconds = bound.secondsRoundedUp
            if committed {
                cutStream("no content came for \(seconds) s")
            } else {
                failed(
                    .timeoutBeforeFirstByte, status: 200,
                    CallFailure(
                        .upstreamTimeout, source: .provider,
                        "\(attempt.target): the stream brought no content for \(seconds) s"))
            }
        }
    }

    func takeStream(_ piece: ByteBuffer) {
        let fed = Result { () throws(StreamFault) in try stream?.read(piece, into: &outgoing) }
        if let error = stream?.fault { return streamBroke(error) }
        switch fed {
        case .success:
            writeEvents()
            if attempt.drill != nil { drillStream() }
        case .failure(.eventTooLarge): streamBroke(UpstreamError(type: "event_too_long"))
        case .failure(.brokenFrame): streamBroke(UpstreamError(type: "broken_frame"))
        }
    }

    private func writeEvents() {
        guard case .stream(let committed) = stage, outgoing.readableBytes > 0 else { return }
        let seen = stream?.deltas ?? 0
        if seen != contentSeen {
            contentSeen = seen
            contentAt = now
        }
        if !committed {
            // Comments, pings and preliminaries do not prove that there will be an answer: they wait, bounded, for
            // its first piece or its end.
            let isAnswer = stream?.sawContent ?? false || stream?.ended ?? false
            guard isAnswer || outgoing.readableBytes > Self.peekBytesMost else { return }
            stage = .stream(committed: true)
            call.begin(self, "text/event-stream", keeps: true)
            watchContent()
        }
        call.write(outgoing)
        outgoing = call.makeBuffer(512)
    }

    /// The provider reported an error inside its 200.
    private func streamBroke(_ error: UpstreamError) {
        upstream?.cancel()
        guard case .stream(committed: true) = stage else { return refusedInside(error) }
        // Whole events that came in the same read, ahead of the error.
        writeEvents()
        cutStream("the provider reported an error in the middle of its answer")
    }

    func endStream(cut failure: UpstreamFailure?) {
        stream?.finish(into: &outgoing)
        if let error = stream?.fault { return streamBroke(error) }
        // Its last event came: whatever became of the connection afterwards, the answer is whole.
        if stream?.ended ?? false {
            writeEvents()
            return finishStream()
        }
        guard case .stream(committed: true) = stage else {
            return failed(
                .brokeBeforeContent, status: 200,
                CallFailure(.upstreamFailed, source: .provider, "the stream ended before it began"))
        }
        // What is left is the beginning of an event: the frame that follows would read as its end.
        outgoing.clear()
        cutStream(failure.map { "\($0)" } ?? "the provider's stream ended without its last event")
    }

    private func finishStream() {
        guard case .stream(committed: true) = stage else {
            // Finished without a single piece: an answer all the same, and an empty one.
            return failed(
                .brokeBeforeContent, status: 200,
                CallFailure(.upstreamFailed, source: .provider, "the stream held nothing"))
        }
        call.finish(self, ending(.answered, nil), reported: stream?.usage)
    }

    func cutStream(_ why: String, _ kind: FailureClass = .brokeAfterContent) {
        let face = CallFailure(.upstreamCut, source: .provider, "the answer is incomplete: \(why)")
        call.cut(
            self, CallExchange.Failure(kind: kind, status: 200, face: face), ending(.cut, .upstreamCut),
            frameNumber: stream?.nextSequenceNumber ?? 0)
    }

    func ending(_ end: CallEnd, _ failure: CallFailure.Code?) -> CallSession.Ending {
        let estimate = call.fields.estimatedInputTokens
        let (usage, source) =
            stream?.settledUsage(inputEstimate: estimate) ?? (Usage(input: estimate), .estimated)
        return CallSession.Ending(
            end: end, status: end == .cancelled ? 499 : 200, failure: failure,
            usage: source == .reported ? usage : nil, estimate: usage)
    }
}

import Dialects
import Domain
import Engine
import NIOCore
import Providers

// Answers in one piece.
extension AttemptExchange {
    /// Takes what has come of a whole answer so far.
    func collect(_ contentType: String, _ collected: ByteBuffer) {
        guard collected.readableBytes > call.wholeMost else {
            stage = .whole(contentType: contentType, body: collected)
            return
        }
        guard translation.format == nil else {
            upstream?.cancel()
            return failed(.unknownRefusal, status: 200, tooLargeToTranslate)
        }
        call.begin(self, contentType, keeps: false)
        call.write(collected)
        var tail = AnswerTail()
        tail.append(collected)
        stage = .passing(tail: tail)
    }

    private var tooLargeToTranslate: CallFailure {
        CallFailure(
            .upstreamFailed, source: .provider,
            "the answer has more than the \(call.wholeMost) bytes that are translated at once; ask for a stream"
        )
    }

    func answerWhole(_ contentType: String, _ original: ByteBuffer) {
        guard translation.format != nil else {
            let facts = original.withUnsafeReadableBytes { UnaryReader.read($0, as: call.dialect) }
            guard !facts.hasError else {
                return refusedInside(original.withUnsafeReadableBytes { UpstreamError.read($0) })
            }
            return call.answer(self, contentType, original, facts.usage)
        }
        guard let said = translation.answer(original, of: call) else { return answerBroke(original) }
        var body = call.makeBuffer(said.body.count)
        body.writeBytes(said.body)
        call.answer(self, "application/json", body, said.usage)
    }

    /// The provider's 200 holds no answer: it may say why.
    private func answerBroke(_ body: ByteBuffer) {
        guard let error = translation.failure(in: body) else {
            return failed(
                .providerFault, status: 200,
                CallFailure(
                    .upstreamFailed, source: .provider,
                    "\(attempt.target) sent an answer that is not of its own format"))
        }
        refusedInside(error)
    }

    func endPassing(_ tail: AnswerTail) {
        let usage = tail.usage(as: call.dialect)
        call.finish(
            self,
            CallSession.Ending(
                end: .answered, status: 200, failure: nil, usage: usage, estimate: passedEstimate),
            reported: usage)
    }

    func cutPassing(_ why: String, _ kind: FailureClass = .brokeAfterContent) {
        call.cut(
            self,
            CallExchange.Failure(
                kind: kind, status: 200, face: CallFailure(.upstreamCut, source: .provider, why)),
            CallSession.Ending(
                end: .cut, status: 200, failure: .upstreamCut, usage: nil, estimate: passedEstimate),
            frameNumber: nil)
    }

    private var passedEstimate: Usage {
        Usage(input: call.fields.estimatedInputTokens, output: call.sent / 4)
    }
}

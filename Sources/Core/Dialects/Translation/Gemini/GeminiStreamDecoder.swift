import Domain

/// Reads the streams of Gemini's streamGenerateContent with `alt=sse`, however they are cut into chunks.
///
/// Source: Gemini API reference, "models.streamGenerateContent": each event is a whole response that goes on where the
/// last one stopped. No event says that it is the last. A `finishReason` came when the answer is whole, but older models
/// have one in every event; so the end is reported when the connection ends.
public struct GeminiStreamDecoder: StreamDecoder {
    private var scanner = EventStreamScanner()
    private var answer = GeminiEvents()

    public init() {}

    public mutating func read(
        _ chunk: UnsafeRawBufferPointer, _ take: (AnswerPiece) -> Void
    ) throws(StreamFault) {
        try scanner.scan(chunk, for: &answer) { answer, event in
            if !event.data.isEmpty { answer.read(event.data, take) }
        }
    }

    public mutating func finish(_ take: (AnswerPiece) -> Void) {
        scanner.finish(for: &answer) { answer, event in
            if !event.data.isEmpty { answer.read(event.data, take) }
        }
        answer.finish(take)
    }
}

/// What is known of a streamed answer of Gemini's so far.
private struct GeminiEvents {
    /// No model calls as many tools in an answer.
    private static var callsMost: Int { 256 }

    private var began = false
    private var isOver = false
    private var id = ""
    private var calls = 0
    /// Whether a thought is open that nobody signed yet.
    private var isInThought = false
    private var reason: String?
    private var usage: Usage?

    mutating func read(_ data: UnsafeRawBufferPointer, _ take: (AnswerPiece) -> Void) {
        guard !isOver else { return }
        guard let chunk = try? JSONNode.read(data) else {
            return fail(UpstreamError(message: "the stream holds an event that is not JSON"), take)
        }
        if let error = GeminiFailure.error(chunk) ?? GeminiFailure.blocked(chunk) { return fail(error, take) }
        let usage = GeminiUsage.read(chunk["usageMetadata"])
        let candidate = GeminiCandidate.first(of: chunk)
        guard usage != nil || candidate != nil else { return }
        begin(chunk, take)
        if let usage, usage != self.usage {
            self.usage = usage
            take(.usage(usage, isFinal: false))
        }
        guard let candidate else { return }
        for node in GeminiCandidate.parts(of: candidate) where !isOver { read(part: node, take) }
        guard !isOver, let reason = candidate["finishReason"]?.text, !reason.isEmpty else { return }
        self.reason = reason
        if GeminiStop.read(reason, hasCalls: calls > 0) == nil {
            endThought(take)
            fail(GeminiFailure.malformed(reason), take)
        }
    }

    private mutating func begin(_ chunk: JSONNode, _ take: (AnswerPiece) -> Void) {
        guard !began else { return }
        began = true
        id = chunk["responseId"]?.text ?? ""
        take(.began(id: id.isEmpty ? nil : id))
    }

    // MARK: Parts

    private mutating func read(part node: JSONNode, _ take: (AnswerPiece) -> Void) {
        switch GeminiAnswerPart(node) {
        case .text(let text, let signature):
            guard !text.isEmpty || !signature.isEmpty else { return }
            endThought(take)
            if !text.isEmpty { take(.text(text)) }
            guard !signature.isEmpty else { return }
            // The text before it is with the caller already.
            take(.reasoning(""))
            take(.reasoningToken(GeminiSignature.end.token(signature)))
        case .thought(let text, let signature):
            guard !text.isEmpty || !signature.isEmpty else { return }
            if !text.isEmpty || !isInThought { take(.reasoning(text)) }
            isInThought = signature.isEmpty
            if !signature.isEmpty { take(.reasoningToken(GeminiSignature.thought.token(signature))) }
        case .call(let call):
            endThought(take)
            read(call, take)
        case .other: return
        case nil: fail(UpstreamError(message: "the stream holds a part that is not of its own format"), take)
        }
    }

    /// A thought that nobody signed goes back to its maker all the same.
    private mutating func endThought(_ take: (AnswerPiece) -> Void) {
        guard isInThought else { return }
        isInThought = false
        take(.reasoningToken(GeminiSignature.thought.token("")))
    }

    private mutating func read(_ call: GeminiCall, _ take: (AnswerPiece) -> Void) {
        guard calls < Self.callsMost else {
            return fail(UpstreamError(message: "the model called too many tools at once"), take)
        }
        let index = calls
        calls += 1
        take(
            .callBegan(
                index: index, id: call.id(index, of: id), name: call.name, signature: call.signature))
        take(.callArguments(index: index, call.arguments))
        take(.callEnded(index: index))
    }

    // MARK: The end

    /// The connection ended.
    mutating func finish(_ take: (AnswerPiece) -> Void) {
        guard !isOver, let reason, let stop = GeminiStop.read(reason, hasCalls: calls > 0) else { return }
        isOver = true
        endThought(take)
        take(.stopped(stop, sequence: nil))
        if let usage { take(.usage(usage, isFinal: true)) }
        take(.ended)
    }

    private mutating func fail(_ error: UpstreamError, _ take: (AnswerPiece) -> Void) {
        isOver = true
        take(.failed(error))
    }
}

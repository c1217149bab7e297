/// Reads whole answers of Gemini's generateContent.
///
/// Source: Gemini API reference, "GenerateContentResponse". An answer whose output the model broke counts as none, and so
/// does one without candidates; ``GeminiFailure`` says what such an answer means.
public enum GeminiAnswerDecoder: AnswerDecoder {
    public static func decode(_ answer: JSONNode) -> TranslatedAnswer? {
        guard let candidate = GeminiCandidate.first(of: answer) else { return nil }
        let id = answer["responseId"]?.text ?? ""
        var parts: [Conversation.Part] = []
        var calls = 0
        for node in GeminiCandidate.parts(of: candidate) {
            guard let part = GeminiAnswerPart(node) else { return nil }
            if case .call = part { calls += 1 }
            append(part, id: id, calls: calls, to: &parts)
        }
        let reason = candidate["finishReason"]?.text ?? ""
        guard !reason.isEmpty || !parts.isEmpty, let stop = GeminiStop.read(reason, hasCalls: calls > 0)
        else { return nil }
        return TranslatedAnswer(
            id: id.isEmpty ? nil : id, parts: parts, stop: stop,
            usage: GeminiUsage.read(answer["usageMetadata"]))
    }

    /// The signature of a text goes before it, and so does the one behind it: for callers the text comes last.
    private static func append(
        _ part: GeminiAnswerPart, id: String, calls: Int, to parts: inout [Conversation.Part]
    ) {
        switch part {
        case .text(let text, let signature):
            if text.isEmpty, !signature.isEmpty {
                var position = parts.count
                if case .text = parts.last { position -= 1 }
                parts.insert(
                    .reasoning(.init(text: "", token: GeminiSignature.end.token(signature))), at: position)
                return
            }
            if !signature.isEmpty {
                parts.append(.reasoning(.init(text: "", token: GeminiSignature.text.token(signature))))
            }
            if !text.isEmpty { parts.append(.text(text)) }
        case .thought(let text, let signature):
            guard !text.isEmpty || !signature.isEmpty else { return }
            parts.append(.reasoning(.init(text: text, token: GeminiSignature.thought.token(signature))))
        case .call(let call):
            parts.append(
                .toolCall(
                    .init(
                        id: call.id(calls - 1, of: id), name: call.name, arguments: call.arguments,
                        signature: call.signature)))
        case .other: return
        }
    }
}

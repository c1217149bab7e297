/// What an answer or a chunk of a stream says of a failure, though its HTTP status was 200.
enum GeminiFailure {
    /// nil where it says none.
    static func read(_ answer: JSONNode) -> UpstreamError? {
        if let error = error(answer) { return error }
        if let blocked = blocked(answer) { return blocked }
        guard let reason = GeminiCandidate.first(of: answer)?["finishReason"]?.text,
            GeminiStop.read(reason, hasCalls: false) == nil
        else { return nil }
        return malformed(reason)
    }

    /// Google's envelope, also as an array of one.
    static func error(_ answer: JSONNode) -> UpstreamError? {
        let answer = answer.elements?.first ?? answer
        guard answer["error"] != nil else { return nil }
        return answer.bytes.withUnsafeBytes { UpstreamError.read($0) }
    }

    /// A prompt that was filtered has no candidates but `promptFeedback` (Gemini API reference, "PromptFeedback"). For
    /// Google it is an answer like any other; the status is what such a refusal has elsewhere.
    static func blocked(_ answer: JSONNode) -> UpstreamError? {
        guard GeminiCandidate.first(of: answer) == nil,
            let reason = answer["promptFeedback"]?["blockReason"]?.text
        else { return nil }
        let words = answer["promptFeedback"]?["blockReasonMessage"]?.text ?? ""
        return error(
            "content_filter", status: 400, reason: reason,
            words.isEmpty ? "the prompt was blocked by Gemini: \(reason)" : words)
    }

    /// The model's output could not be made into an answer.
    static func malformed(_ reason: String) -> UpstreamError {
        if reason.utf8.elementsEqual("MISSING_THOUGHT_SIGNATURE".utf8) {
            return error(
                "INVALID_ARGUMENT", status: 400, reason: reason,
                "Gemini needs the signatures of its tool calls handed back unchanged")
        }
        return error("INTERNAL", status: 500, reason: reason, "the model's output was malformed: \(reason)")
    }

    private static func error(
        _ type: String, status: Int64, reason: String, _ message: String
    ) -> UpstreamError {
        // By way of an envelope, so that the texts are bounded and cleaned like those of every other error.
        let envelope = JSONNode.object([
            "error": .object([
                "code": .whole(status), "status": .string(type), "message": .string(message),
                "details": .array([.object(["reason": .string(reason)])]),
            ])
        ])
        return envelope.bytes.withUnsafeBytes { UpstreamError.read($0) }
    }
}

/// Says requests to count tokens as Gemini's countTokens, and the answer back.
///
/// Source: Gemini API reference, "models.countTokens": `generateContentRequest` holds a whole request, so that the
/// system's texts, tools and schemas count too.
enum GeminiTokenCount {
    static func request(
        _ conversation: Conversation, for target: WireTarget, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode {
        var conversation = conversation
        // How many calls come at once changes nothing about the prompt.
        conversation.parallelToolCalls = nil
        let body = try GeminiRequestEncoder.encode(conversation, for: target, losses: &losses)
        let model = JSONNode.Member("model", .string(resource(target.model)))
        return .object(["generateContentRequest": .object([model] + (body.members ?? []))])
    }

    static func answer(_ answer: JSONNode) -> Int64? {
        guard let total = answer["totalTokens"]?.whole, total >= 0 else { return nil }
        return total
    }

    /// The name of a model as bodies have it: `models/…`; tuned ones have a folder of their own.
    static func resource(_ model: String) -> String {
        model.utf8.contains(UInt8(ascii: "/")) ? model : "models/\(model)"
    }
}

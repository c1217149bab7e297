/// How a model of Amazon Bedrock's shall pick its words and think.
///
/// Anthropic's models there have the rules that they have at Anthropic (User Guide, "Extended thinking" and "Adaptive
/// thinking"), so ``MessagesThinking`` and ``MessagesSampling`` hold for them; Converse has words of its own for no more
/// than the usual figures and the effort. Other models take the figures as they are and no wish for reasoning.
struct ConverseWishes {
    private let maxTokens: Int64?
    private let temperature: String?
    private let topP: String?
    /// `additionalModelRequestFields`; nil without any.
    let modelFields: JSONNode?
    /// `outputConfig.effort`.
    let effort: String?

    /// - Parameter callsWithoutThought: as ``ConverseMessages/callsWithoutThought(_:)`` has it.
    init(
        _ conversation: Conversation, model: String, callsWithoutThought: Bool, losses: inout Losses
    ) throws(TranslationRefusal) {
        guard Self.isAnthropic(model) else {
            try Self.refuse(conversation)
            (maxTokens, temperature, topP) = (
                conversation.maxOutputTokens, conversation.temperature, conversation.topP
            )
            (modelFields, effort) = (nil, nil)
            return
        }
        var thinking = try MessagesThinking(conversation, model: model, losses: &losses)
        try thinking.suit(conversation, callsWithoutThought: callsWithoutThought, losses: &losses)
        let sampling = try MessagesSampling(conversation, thinking, losses: &losses)
        // A budget has to lie below it.
        maxTokens = thinking.isBudgeted ? thinking.maxTokens : conversation.maxOutputTokens
        (temperature, topP) = (sampling.temperature, sampling.topP)
        modelFields = ConverseRequestEncoder.filled([
            "top_k": sampling.topK.map { .number($0) }, "thinking": thinking.thinking,
        ])
        effort = thinking.effort
    }

    func inferenceConfig(stops: [String]) -> JSONNode? {
        ConverseRequestEncoder.filled([
            "maxTokens": maxTokens.map { .whole($0) },
            "temperature": temperature.map { .number($0) },
            "topP": topP.map { .number($0) },
            "stopSequences": stops.isEmpty ? nil : .array(stops.map { .string($0) }),
        ])
    }

    private static func refuse(_ conversation: Conversation) throws(TranslationRefusal) {
        guard conversation.topK != nil || conversation.reasoning != nil else { return }
        throw TranslationRefusal(
            conversation.topK != nil ? "top_k" : "reasoning",
            "can only be said to Anthropic's models at Amazon Bedrock: leave it out for this model")
    }

    /// Ids and inference profiles of Anthropic's models: `anthropic.claude-…`, `us.anthropic.claude-…`, ARNs of both.
    private static func isAnthropic(_ model: String) -> Bool {
        var rest = Substring(model).utf8
        while rest.count >= anthropicMark.utf8.count {
            if rest.starts(with: anthropicMark.utf8) { return true }
            rest = rest.dropFirst()
        }
        return false
    }

    private static let anthropicMark = "anthropic."
}

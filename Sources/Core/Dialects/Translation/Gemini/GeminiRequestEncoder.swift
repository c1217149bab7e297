/// Writes requests of Gemini's generateContent and streamGenerateContent, which share one body; the model and whether it
/// is a stream stand in the path.
///
/// Source: Gemini API reference, "Generating content", v1beta, and the members that the SDK writes (google-genai 3.6.1).
public enum GeminiRequestEncoder: RequestEncoder {
    /// The most stop sequences that are taken (API reference, "GenerationConfig").
    private static var stopsMost: Int { 5 }

    public static func encode(
        _ conversation: Conversation, for target: WireTarget, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode {
        let model = GeminiModel(target.model)
        if conversation.endUser != nil { losses.note("user") }
        return .object([
            "systemInstruction": try GeminiContents.writeSystem(conversation.system, losses: &losses),
            "contents": try GeminiContents.write(conversation.turns, for: model, losses: &losses),
            "tools": try GeminiTools.write(conversation.tools, losses: &losses),
            "toolConfig": try GeminiTools.writeConfig(conversation),
            "generationConfig": try generationConfig(conversation, model, losses: &losses),
        ])
    }

    private static func generationConfig(
        _ conversation: Conversation, _ model: GeminiModel, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode? {
        let stops = conversation.stopSequences
        guard stops.count <= stopsMost else {
            throw TranslationRefusal("stop", "may hold at most \(stopsMost) texts for Gemini")
        }
        let shape = try shape(conversation, model, losses: &losses)
        let config = JSONNode.object([
            "maxOutputTokens": conversation.maxOutputTokens.map { .whole($0) },
            "temperature": conversation.temperature.map { .number($0) },
            "topP": conversation.topP.map { .number($0) },
            "topK": conversation.topK.map { .number($0) },
            "seed": seed(conversation.seed, losses: &losses),
            "presencePenalty": penalty(conversation.presencePenalty),
            "frequencyPenalty": penalty(conversation.frequencyPenalty),
            "stopSequences": stops.isEmpty ? nil : .array(stops.map { .string($0) }),
            "responseMimeType": shape.mimeType.map { .string($0) },
            "responseJsonSchema": shape.schema,
            "thinkingConfig": try GeminiThinking.config(
                conversation.reasoning, for: model, losses: &losses),
        ])
        return config.members?.isEmpty == false ? config : nil
    }

    /// Gemini's has 32 bits; a seed makes no promise that could be broken.
    private static func seed(_ seed: String?, losses: inout Losses) -> JSONNode? {
        guard let seed else { return nil }
        guard Int32(seed) != nil else {
            losses.note("seed")
            return nil
        }
        return .number(seed)
    }

    /// None is the default, and some models refuse the word ("Penalty is not enabled for this model").
    private static func penalty(_ penalty: String?) -> JSONNode? {
        penalty.flatMap { Double($0) == 0 ? nil : .number($0) }
    }

    private static func shape(
        _ conversation: Conversation, _ model: GeminiModel, losses: inout Losses
    ) throws(TranslationRefusal) -> (mimeType: String?, schema: JSONNode?) {
        guard conversation.output != .text else { return (nil, nil) }
        if !conversation.tools.isEmpty, model.generation != .level {
            throw TranslationRefusal(
                "response_format",
                "cannot stand beside tools for this model of Gemini's: leave out one of them")
        }
        guard case .schema(_, let description, let schema, let strict) = conversation.output else {
            return ("application/json", nil)
        }
        // Gemini always holds the model to the schema, which has neither name nor description.
        if strict == false { losses.note("strict") }
        if description != nil { losses.note("response_format") }
        return ("application/json", schema)
    }
}

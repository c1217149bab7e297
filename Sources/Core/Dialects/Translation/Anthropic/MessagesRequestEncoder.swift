/// Writes requests of Anthropic's messages.
///
/// Source: Anthropic API reference, "Create a Message" (SDK 2.12.0); "Structured outputs" for schemas. See
/// ``MessagesThinking`` for what depends on the model.
public enum MessagesRequestEncoder: RequestEncoder {
    public static func encode(
        _ conversation: Conversation, for target: WireTarget, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode {
        try refuse(conversation)
        if conversation.seed != nil { losses.note("seed") }
        let messages = try MessagesTurns.write(conversation.turns, losses: &losses)
        let system = try MessagesTurns.writeSystem(conversation.system, losses: &losses)
        var thinking = try MessagesThinking(conversation, model: target.model, losses: &losses)
        try thinking.suit(
            conversation, callsWithoutThought: MessagesTurns.callsWithoutThought(messages), losses: &losses)
        let sampling = try MessagesSampling(conversation, thinking, losses: &losses)
        let stops = conversation.stopSequences
        return .object([
            "model": .string(target.model),
            "max_tokens": .whole(thinking.maxTokens),
            "system": system,
            "messages": .array(messages),
            "tools": try MessagesTools.write(conversation.tools),
            "tool_choice": try MessagesTools.writeChoice(conversation),
            "temperature": sampling.temperature.map { .number($0) },
            "top_p": sampling.topP.map { .number($0) },
            "top_k": sampling.topK.map { .number($0) },
            "stop_sequences": stops.isEmpty ? nil : .array(stops.map { .string($0) }),
            "thinking": thinking.thinking,
            "output_config": try outputConfig(conversation, thinking, losses: &losses),
            "metadata": metadata(conversation, losses: &losses),
            "stream": conversation.streamed ? .bool(true) : nil,
        ])
    }

    /// What the API has no word for and would change the answer.
    private static func refuse(_ conversation: Conversation) throws(TranslationRefusal) {
        for (name, value) in [
            ("presence_penalty", conversation.presencePenalty),
            ("frequency_penalty", conversation.frequencyPenalty),
        ] {
            guard let value, Double(value) != 0 else { continue }
            throw TranslationRefusal(name, "is not known to Anthropic: leave it out")
        }
        if conversation.stopSequences.contains(where: { MessagesTurns.isBlank($0) }) {
            throw TranslationRefusal(
                "stop", "holds a blank text, which Anthropic does not take: leave it out")
        }
    }

    // MARK: The shape of the answer

    private static func outputConfig(
        _ conversation: Conversation, _ thinking: MessagesThinking, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode? {
        let format: JSONNode?
        switch conversation.output {
        case .text: format = nil
        case .json:
            throw TranslationRefusal(
                "response_format", "must name a JSON schema for Anthropic, which has no free JSON mode")
        case .schema(_, let description, let schema, let strict):
            // Anthropic always holds the model to the schema, which has neither name nor description.
            if strict == false { losses.note("strict") }
            if description != nil { losses.note("response_format") }
            format = .object(["type": .string("json_schema"), "schema": schema])
        }
        guard format != nil || thinking.effort != nil else { return nil }
        return .object(["effort": thinking.effort.map { .string($0) }, "format": format])
    }

    /// The longest `metadata.user_id` in bytes (Anthropic API reference: 256 characters).
    private static var endUserMost: Int { 256 }

    private static func metadata(_ conversation: Conversation, losses: inout Losses) -> JSONNode? {
        guard let user = conversation.endUser else { return nil }
        guard user.utf8.count <= endUserMost else {
            losses.note("user")
            return nil
        }
        return .object(["user_id": .string(user)])
    }
}

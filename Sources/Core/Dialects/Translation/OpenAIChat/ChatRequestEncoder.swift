import Domain

/// Writes requests of OpenAI's chat completions, for OpenAI and those who speak like it.
///
/// Source: OpenAI API reference, "Create chat completion" (SDK 3.54.0); what a provider wants otherwise is in its
/// ``ChatQuirks``. `top_k` only narrows what the model picks from, so where it is unknown it is noted like the other
/// things the format has no word for.
public enum ChatRequestEncoder: RequestEncoder {
    public static func encode(
        _ conversation: Conversation, for target: WireTarget, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode {
        let quirks = target.quirks
        if conversation.topK != nil, !quirks.takesTopK { losses.note("top_k") }
        if conversation.endUser != nil, !quirks.takesUser { losses.note("user") }
        let messages = try ChatTurns.write(conversation, quirks: quirks, losses: &losses)
        let tools = ChatTools.write(
            conversation.tools, needsSchemas: quirks.needsToolSchemas, losses: &losses)
        let stops = conversation.stopSequences
        let most = conversation.maxOutputTokens.map { JSONNode.whole($0) }
        let members: KeyValuePairs<String, JSONNode?> = [
            "model": .string(target.model),
            "messages": .array(messages),
            "tools": tools,
            "tool_choice": try ChatTools.writeChoice(conversation, any: quirks.anyTool),
            // The API refuses it without tools.
            "parallel_tool_calls": tools == nil ? nil : conversation.parallelToolCalls.map { .bool($0) },
            "response_format": try ChatWishes.format(conversation.output, takesSchemas: quirks.takesSchemas),
            quirks.outputBound.rawValue: most,
            "temperature": number(conversation.temperature),
            "top_p": number(conversation.topP),
            "top_k": quirks.takesTopK ? number(conversation.topK) : nil,
            "presence_penalty": number(conversation.presencePenalty),
            "frequency_penalty": number(conversation.frequencyPenalty),
            quirks.seed: number(conversation.seed),
            "stop": stops.isEmpty ? nil : .array(stops.map { .string($0) }),
        ]
        let thinking = try ChatWishes.reasoning(conversation.reasoning, for: target, losses: &losses)
        let rest: KeyValuePairs<String, JSONNode?> = [
            "user": quirks.takesUser ? conversation.endUser.map { .string($0) } : nil,
            "stream": conversation.streamed ? .bool(true) : nil,
            "stream_options": conversation.streamed && quirks.asksForUsage
                ? .object(["include_usage": .bool(true)]) : nil,
        ]
        return .object(given(members) + (thinking.map { [$0] } ?? []) + given(rest))
    }

    private static func given(_ pairs: KeyValuePairs<String, JSONNode?>) -> [JSONNode.Member] {
        pairs.compactMap { name, value in value.map { .init(name, $0) } }
    }

    private static func number(_ text: String?) -> JSONNode? { text.map { .number($0) } }
}

/// Writes requests of OpenAI's chat completions, for OpenAI and those who speak like it.
///
/// Source: OpenAI API reference, "Create chat completion" (SDK 3.54.0). `top_k` is unknown there and only narrows what
/// the model picks from, so it is noted like the other things the format has no word for.
package enum ChatRequestEncoder: RequestEncoder {
    package static func encode(
        _ conversation: Conversation, for target: WireTarget, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode {
        if conversation.topK != nil { losses.note("top_k") }
        let messages = try ChatTurns.write(conversation, losses: &losses)
        let tools = ChatTools.write(conversation.tools, losses: &losses)
        let stops = conversation.stopSequences
        let most = conversation.maxOutputTokens.map { JSONNode.whole($0) }
        let newer = target.usesMaxCompletionTokens
        return .object([
            "model": .string(target.model),
            "messages": .array(messages),
            "tools": tools,
            "tool_choice": try ChatTools.writeChoice(conversation),
            // The API refuses it without tools.
            "parallel_tool_calls": tools == nil ? nil : conversation.parallelToolCalls.map { .bool($0) },
            "response_format": ChatWishes.format(conversation.output),
            "max_completion_tokens": newer ? most : nil,
            "max_tokens": newer ? nil : most,
            "temperature": number(conversation.temperature),
            "top_p": number(conversation.topP),
            "presence_penalty": number(conversation.presencePenalty),
            "frequency_penalty": number(conversation.frequencyPenalty),
            "seed": number(conversation.seed),
            "stop": stops.isEmpty ? nil : .array(stops.map { .string($0) }),
            "reasoning_effort": try ChatWishes.effort(
                conversation.reasoning, model: target.model, losses: &losses),
            "user": conversation.endUser.map { .string($0) },
            "stream": conversation.streamed ? .bool(true) : nil,
            "stream_options": conversation.streamed && target.asksForUsage
                ? .object(["include_usage": .bool(true)]) : nil,
        ])
    }

    private static func number(_ text: String?) -> JSONNode? { text.map { .number($0) } }
}

/// Writes requests of Amazon Bedrock's Converse and ConverseStream, which share one body; the model and whether it is a
/// stream stand in the path (``BedrockPath``).
///
/// Sources: Amazon Bedrock API reference, "Converse"; User Guide, "Get validated JSON results from models" (schemas),
/// "Adaptive thinking" and "Extended thinking" (what Anthropic's models take in `additionalModelRequestFields`).
public enum ConverseRequestEncoder: RequestEncoder {
    public static func encode(
        _ conversation: Conversation, for target: WireTarget, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode {
        try refuse(conversation)
        if conversation.seed != nil { losses.note("seed") }
        if conversation.endUser != nil { losses.note("user") }
        let messages = try ConverseMessages.write(conversation.turns, losses: &losses)
        let system = try ConverseMessages.writeSystem(conversation.system, losses: &losses)
        let tools = try ConverseTools.write(conversation, losses: &losses)
        let wishes = try ConverseWishes(
            conversation, model: target.model,
            callsWithoutThought: ConverseMessages.callsWithoutThought(messages), losses: &losses)
        let format = try textFormat(conversation.output, losses: &losses)
        return .object([
            "messages": .array(messages),
            "system": system,
            "inferenceConfig": wishes.inferenceConfig(stops: conversation.stopSequences),
            "toolConfig": tools,
            "additionalModelRequestFields": wishes.modelFields,
            "outputConfig": filled([
                "textFormat": format, "effort": wishes.effort.map { .string($0) },
            ]),
        ])
    }

    /// What Converse has no word for and would change the answer.
    private static func refuse(_ conversation: Conversation) throws(TranslationRefusal) {
        for (name, value) in [
            ("presence_penalty", conversation.presencePenalty),
            ("frequency_penalty", conversation.frequencyPenalty),
        ] where value != nil {
            throw TranslationRefusal(name, "is not known to Amazon Bedrock: leave it out")
        }
        if conversation.parallelToolCalls == false {
            throw TranslationRefusal(
                "parallel_tool_calls", "cannot be switched off at Amazon Bedrock: leave it out")
        }
    }

    // MARK: The shape of the answer

    private static func textFormat(
        _ output: Conversation.OutputShape, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode? {
        switch output {
        case .text: return nil
        case .json:
            throw TranslationRefusal(
                "response_format", "must name a JSON schema for Amazon Bedrock, which has no free JSON mode")
        case .schema(let name, let description, let schema, let strict):
            // Bedrock always holds the model to the schema.
            if strict == false { losses.note("strict") }
            let definition = JSONNode.object([
                "schema": .string(schema.json), "name": .string(name),
                "description": description.map { .string($0) },
            ])
            return .object([
                "type": .string("json_schema"), "structure": .object(["jsonSchema": definition]),
            ])
        }
    }

    /// nil in place of an object without members.
    static func filled(_ pairs: KeyValuePairs<String, JSONNode?>) -> JSONNode? {
        let node = JSONNode.object(pairs)
        return node.members?.isEmpty == false ? node : nil
    }
}

/// Writes requests of Amazon Bedrock's Converse and ConverseStream, which share one body; the model and whether it is a
/// stream stand in the path (``BedrockPath``).
///
/// Sources: Amazon Bedrock API reference, "Converse"; User Guide, "Get validated JSON results from models" (schemas),
/// "Adaptive thinking" and "Extended thinking" (what Anthropic's models take in `additionalModelRequestFields`).
package enum ConverseRequestEncoder: RequestEncoder {
    package static func encode(
        _ conversation: Conversation, for target: WireTarget, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode {
        try refuse(conversation)
        if conversation.seed != nil { losses.note("seed") }
        if conversation.endUser != nil { losses.note("user") }
        let messages = try ConverseMessages.write(conversation.turns, losses: &losses)
        let system = try ConverseMessages.writeSystem(conversation.system, losses: &losses)
        let tools = try ConverseTools.write(conversation, losses: &losses)
        let output = try outputConfig(conversation, losses: &losses)
        return .object([
            "messages": messages,
            "system": system,
            "inferenceConfig": inferenceConfig(conversation),
            "toolConfig": tools,
            "additionalModelRequestFields": try modelFields(conversation, model: target.model),
            "outputConfig": output,
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

    private static func inferenceConfig(_ conversation: Conversation) -> JSONNode? {
        let stops = conversation.stopSequences
        return filled([
            "maxTokens": conversation.maxOutputTokens.map { .whole($0) },
            "temperature": conversation.temperature.map { .number($0) },
            "topP": conversation.topP.map { .number($0) },
            "stopSequences": stops.isEmpty ? nil : .array(stops.map { .string($0) }),
        ])
    }

    // MARK: What only Anthropic's models take

    private static func modelFields(
        _ conversation: Conversation, model: String
    ) throws(TranslationRefusal) -> JSONNode? {
        guard conversation.topK != nil || conversation.reasoning != nil else { return nil }
        guard isAnthropic(model) else {
            let field = conversation.topK != nil ? "top_k" : "reasoning"
            throw TranslationRefusal(
                field, "can only be said to Anthropic's models at Amazon Bedrock: leave it out for this model"
            )
        }
        return filled([
            "top_k": conversation.topK.map { .number($0) }, "thinking": thinking(conversation.reasoning),
        ])
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

    private static func thinking(_ wish: Conversation.ReasoningWish?) -> JSONNode? {
        switch wish {
        case nil: nil
        case .off: .object(["type": .string("disabled")])
        case .adaptive, .effort: .object(["type": .string("adaptive")])
        case .budget(let tokens):
            .object(["type": .string("enabled"), "budget_tokens": .whole(tokens)])
        }
    }

    // MARK: The shape of the answer

    private static func outputConfig(
        _ conversation: Conversation, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode? {
        filled([
            "textFormat": try textFormat(conversation.output, losses: &losses),
            "effort": try effort(conversation.reasoning),
        ])
    }

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

    /// As the description of `OutputConfig.effort` in the SDKs' service model has them (2026-11).
    private static let efforts = ["low", "medium", "high", "xhigh", "max"]

    private static func effort(
        _ wish: Conversation.ReasoningWish?
    ) throws(TranslationRefusal) -> JSONNode? {
        guard case .effort(let wanted) = wish else { return nil }
        guard efforts.contains(where: { $0.utf8.elementsEqual(wanted.utf8) }) else {
            throw TranslationRefusal(
                "reasoning_effort", "must be one of \(efforts.joined(separator: ", ")) for Amazon Bedrock")
        }
        return .string(wanted)
    }

    /// nil in place of an object without members.
    private static func filled(_ pairs: KeyValuePairs<String, JSONNode?>) -> JSONNode? {
        let node = JSONNode.object(pairs)
        return node.members?.isEmpty == false ? node : nil
    }
}

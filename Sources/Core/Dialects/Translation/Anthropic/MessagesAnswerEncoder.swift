import Domain

/// Writes whole answers of Anthropic's messages.
///
/// Source: Anthropic API reference, "Create a Message". What a model said in place of an answer goes as text: the stop
/// reason tells that it refused.
public enum MessagesAnswerEncoder: AnswerEncoder {
    public static func encode(_ answer: TranslatedAnswer, in context: AnswerContext) -> [UInt8] {
        var blocks: [JSONNode] = []
        var hasCalls = false
        for part in answer.parts {
            switch part {
            case .text(let text, _), .refusal(let text):
                if !text.isEmpty { blocks.append(MessagesBlock.text(text)) }
            case .reasoning(let reasoning):
                if let block = MessagesBlock.thinking(reasoning) { blocks.append(block) }
            case .toolCall(let call, _):
                hasCalls = true
                if let token = call.signature {
                    blocks.append(MessagesBlock.thinking("", MessagesSignature.written(ofCall: token)))
                }
                blocks.append(MessagesBlock.call(id: call.id, name: call.name, input: input(of: call)))
            // No model answers with these.
            case .image, .toolResult: continue
            }
        }
        return message(
            context, content: blocks, stop: MessagesStop.write(answer.stop, hasCalls: hasCalls),
            sequence: answer.stopSequence,
            usage: MessagesUsage.write(answer.usage, inputEstimate: context.inputEstimate)
        ).bytes
    }

    /// The message around its content; in a stream's beginning nothing is known of its end.
    static func message(
        _ context: AnswerContext, content: [JSONNode], stop: JSONNode = .null, sequence: String? = nil,
        usage: JSONNode
    ) -> JSONNode {
        .object([
            "id": .string("msg_\(context.id)"), "type": .string("message"), "role": .string("assistant"),
            "model": .string(context.model), "content": .array(content), "stop_reason": stop,
            "stop_sequence": sequence.map { .string($0) } ?? .null, "usage": usage,
        ])
    }

    /// Arguments that are no JSON object go under the name that Anthropic gives them where they must go back as one
    /// (Anthropic, "Fine-grained tool streaming").
    private static func input(of call: Conversation.ToolCall) -> JSONNode {
        guard !call.arguments.isEmpty else { return .object([]) }
        if let node = try? JSONNode.read(call.arguments), node.members != nil { return node }
        return .object(["INVALID_JSON": .string(call.arguments)])
    }
}

extension MessagesBlock {
    static func text(_ text: String) -> JSONNode {
        .object(["type": .string("text"), "text": .string(text)])
    }

    static func thinking(_ text: String, _ signature: String) -> JSONNode {
        .object([
            "type": .string("thinking"), "thinking": .string(text), "signature": .string(signature),
        ])
    }

    static func redacted(_ token: OpaqueToken) -> JSONNode {
        .object([
            "type": .string("redacted_thinking"), "data": .string(MessagesSignature.written(token)),
        ])
    }

    /// nil for reasoning that holds nothing.
    static func thinking(_ reasoning: Conversation.Reasoning) -> JSONNode? {
        if reasoning.isHidden, reasoning.text.isEmpty { return reasoning.token.map { redacted($0) } }
        guard !reasoning.text.isEmpty || reasoning.token != nil else { return nil }
        return thinking(reasoning.text, reasoning.token.map { MessagesSignature.written($0) } ?? "")
    }

    static func call(id: String, name: String, input: JSONNode = .object([])) -> JSONNode {
        .object([
            "type": .string("tool_use"), "id": .string(id), "name": .string(name), "input": input,
        ])
    }
}

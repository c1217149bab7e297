/// Reads whole answers of Amazon Bedrock's Converse.
///
/// Source: Amazon Bedrock API reference, "Converse". Blocks that the gateway never asks for (images, the provider's own
/// tools) are passed over; an answer whose output the model broke (`malformed_…`) counts as none.
public enum ConverseAnswerDecoder: AnswerDecoder {
    public static func decode(_ answer: JSONNode) -> TranslatedAnswer? {
        guard let blocks = answer["output"]?["message"]?["content"]?.elements,
            let reason = answer["stopReason"]?.text, let stop = ConverseStop.read(reason)
        else { return nil }
        var parts: [Conversation.Part] = []
        for block in blocks {
            guard append(block, to: &parts) else { return nil }
        }
        return TranslatedAnswer(parts: parts, stop: stop, usage: ConverseUsage.read(answer["usage"]))
    }

    /// False for a block whose kind is known and whose content is not.
    private static func append(_ block: JSONNode, to parts: inout [Conversation.Part]) -> Bool {
        if let node = block["text"] {
            guard let text = node.text else { return false }
            parts.append(.text(text))
        } else if let use = block["toolUse"] {
            // A call that the provider runs itself: nobody waits for it.
            if use["type"] != nil { return true }
            guard let id = use["toolUseId"]?.text, let name = use["name"]?.text else { return false }
            let arguments = use["input"]?.json ?? "{}"
            parts.append(.toolCall(.init(id: id, name: name, arguments: arguments)))
        } else if let reasoning = block["reasoningContent"] {
            guard let part = Self.reasoning(reasoning) else { return false }
            parts.append(.reasoning(part))
        } else if let cited = block["citationsContent"] {
            for piece in cited["content"]?.elements ?? [] {
                if let text = piece["text"]?.text { parts.append(.text(text)) }
            }
        }
        return true
    }

    private static func reasoning(_ node: JSONNode) -> Conversation.Reasoning? {
        if let hidden = node["redactedContent"]?.text {
            return .init(text: "", token: OpaqueToken(hidden, of: .bedrockConverse), isHidden: true)
        }
        guard let text = node["reasoningText"]?["text"]?.text else { return nil }
        let signature = node["reasoningText"]?["signature"]?.text ?? ""
        return .init(
            text: text, token: signature.isEmpty ? nil : OpaqueToken(signature, of: .bedrockConverse))
    }
}

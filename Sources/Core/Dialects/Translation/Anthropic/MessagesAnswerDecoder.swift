import Domain

/// Reads whole answers of Anthropic's messages.
///
/// Source: Anthropic API reference, "Create a Message". Blocks that the gateway never asks for (the provider's own
/// tools and their results) are passed over.
public enum MessagesAnswerDecoder: AnswerDecoder {
    public static func decode(_ answer: JSONNode) -> TranslatedAnswer? {
        guard let blocks = answer["content"]?.elements, let reason = answer["stop_reason"]?.text else {
            return nil
        }
        var parts: [Conversation.Part] = []
        for block in blocks {
            guard append(block, to: &parts) else { return nil }
        }
        var figures = AnthropicUsage()
        let hasUsage = MessagesUsage.overlay(answer["usage"], on: &figures)
        return TranslatedAnswer(
            id: answer["id"]?.text, parts: parts, stop: MessagesStop.read(reason),
            stopSequence: answer["stop_sequence"]?.text, usage: hasUsage ? figures.disjoint : nil)
    }

    /// False for a block whose kind is known and whose content is not.
    private static func append(_ block: JSONNode, to parts: inout [Conversation.Part]) -> Bool {
        switch MessagesBlock(block) {
        case .text:
            guard let text = block["text"]?.text else { return false }
            parts.append(.text(text))
        case .toolUse:
            guard let id = block["id"]?.text, let name = block["name"]?.text else { return false }
            parts.append(.toolCall(.init(id: id, name: name, arguments: block["input"]?.json ?? "{}")))
        case .thinking:
            guard let text = block["thinking"]?.text else { return false }
            let token = MessagesSignature.read(native: block["signature"]?.text)
            parts.append(.reasoning(.init(text: text, token: token)))
        case .redactedThinking:
            guard let token = MessagesSignature.read(native: block["data"]?.text) else { return false }
            parts.append(.reasoning(.init(text: "", token: token, isHidden: true)))
        case nil: break
        }
        return true
    }
}

/// The content blocks of an answer that other formats know too.
enum MessagesBlock: String, CaseIterable {
    case text, thinking
    case toolUse = "tool_use"
    case redactedThinking = "redacted_thinking"

    init?(_ block: JSONNode) {
        guard let type = block["type"]?.text,
            let found = Self.allCases.first(where: { $0.rawValue.utf8.elementsEqual(type.utf8) })
        else { return nil }
        self = found
    }
}

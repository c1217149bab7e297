import Domain

/// Reads whole answers of OpenAI's chat completions, from OpenAI and those who speak like it.
///
/// Source: OpenAI API reference, "The chat completion object"; ``ChatReasoning`` for what others added. Reasoning comes
/// first, then the text, then the calls: the format keeps no other order.
public enum ChatAnswerDecoder: AnswerDecoder {
    public static func decode(_ answer: JSONNode) -> TranslatedAnswer? {
        guard let choice = answer["choices"]?.elements?.first, let message = choice["message"],
            message.members != nil
        else { return nil }
        let thoughts = ChatReasoning.read(answer: message) + thinking(message["content"])
        var parts = thoughts.map { Conversation.Part.reasoning($0) }
        if let text = text(message["content"]), !text.isEmpty { parts.append(.text(text)) }
        let refusal = message["refusal"]?.text ?? ""
        if !refusal.isEmpty { parts.append(.refusal(refusal)) }
        let id = answer["id"]?.text ?? ""
        let calls = message["tool_calls"]?.elements ?? []
        for (index, node) in calls.enumerated() {
            guard let call = ChatCall(node), let name = call.name else { return nil }
            parts.append(
                .toolCall(
                    .init(
                        id: call.id ?? ChatCall.id(index, of: id), name: name, arguments: call.arguments,
                        signature: call.signature)))
        }
        guard let end = ChatStop.read(choice, hasCalls: !calls.isEmpty, hasRefusal: !refusal.isEmpty) else {
            return nil
        }
        return TranslatedAnswer(
            id: id.isEmpty ? nil : id, parts: parts, stop: end.stop, stopSequence: end.sequence,
            usage: ChatUsage.read(of: answer))
    }

    /// What was thought, where that is among the parts.
    static func thinking(_ content: JSONNode?) -> [Conversation.Reasoning] {
        (content?.elements ?? []).compactMap { ChatThinking.read($0) }.filter { !$0.text.isEmpty }
    }

    /// Some servers answer with parts, as in requests.
    static func text(_ content: JSONNode?) -> String? {
        guard let parts = content?.elements else { return content?.text }
        return parts.reduce(into: "") { $0 += $1["text"]?.text ?? "" }
    }
}

/// What an answer, or a piece of one, says of a tool call. Compatible servers leave out ids, or write the arguments as
/// the object they are.
struct ChatCall {
    let id: String?
    let name: String?
    let arguments: String
    let signature: OpaqueToken?

    /// nil for a call that is no object.
    init?(_ node: JSONNode) {
        guard node.members != nil else { return nil }
        let function = node["function"]
        id = Self.filled(node["id"]?.text)
        name = Self.filled(function?["name"]?.text)
        let arguments = function?["arguments"]
        self.arguments = arguments?.text ?? (arguments?.members != nil ? arguments?.json : nil) ?? ""
        signature = ChatSignature.read(ofCall: node)
    }

    /// What a call without an id is called: the answer's own tells it from those of other answers.
    static func id(_ index: Int, of answer: String) -> String {
        "\(answer.isEmpty ? "call" : answer)_\(index)"
    }

    private static func filled(_ text: String?) -> String? { text?.isEmpty == false ? text : nil }
}

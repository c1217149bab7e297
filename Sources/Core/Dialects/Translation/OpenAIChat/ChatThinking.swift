/// What a model thought, as one of the parts of its content.
///
/// Source: Mistral AI API reference, "Reasoning" (SDK 3.7.0, `ThinkChunk`): `{"type":"thinking","thinking":[{"type":
/// "text","text":"…"}],"signature":"…"}`. The token is such a part but for its text, as JSON.
enum ChatThinking {
    private static let type = "thinking"

    /// nil for a part of another kind.
    static func read(_ part: JSONNode) -> Conversation.Reasoning? {
        guard part["type"]?.text?.utf8.elementsEqual(type.utf8) == true else { return nil }
        let text = (part["thinking"]?.elements ?? []).reduce(into: "") { $0 += $1["text"]?.text ?? "" }
        let kept = JSONNode.object(["type": .string(type), "signature": part["signature"]])
        return .init(text: text, token: OpaqueToken(kept.json, of: .openAIChat))
    }

    /// The part that a token was taken from; nil for another token.
    static func part(_ token: OpaqueToken, text: String) -> JSONNode? {
        guard let kept = try? JSONNode.read(token.text),
            kept["type"]?.text?.utf8.elementsEqual(type.utf8) == true
        else { return nil }
        return part(text, signature: kept["signature"])
    }

    static func part(_ text: String, signature: JSONNode? = nil) -> JSONNode {
        .object([
            "type": .string(type),
            "thinking": .array([.object(["type": .string("text"), "text": .string(text)])]),
            "signature": signature,
        ])
    }
}

/// How signatures of models travel in Anthropic's thinking blocks, whoever made them.
///
/// Anthropic's own go as they are; another provider's go as ``OpaqueToken/tagged``. What a model signed a tool call with
/// has no place in a `tool_use` block, so it stands in a thinking block without text right before it, whose signature
/// begins with ``callMark``: callers must hand thinking blocks back unchanged and in order (Anthropic, "Extended
/// thinking", "Preserving thinking blocks").
enum MessagesSignature {
    /// No tag begins so, and no signature of Anthropic's, which are base64.
    private static let callMark = "tool_call:"

    static func written(_ token: OpaqueToken) -> String {
        token.origin == .anthropicMessages ? token.text : token.tagged
    }

    /// nil for an empty one: nobody signed it.
    static func read(_ text: String) -> OpaqueToken? {
        text.isEmpty ? nil : OpaqueToken(tagged: text) ?? OpaqueToken(text, of: .anthropicMessages)
    }

    /// A provider's own, which is never tagged.
    static func read(native text: String?) -> OpaqueToken? {
        guard let text, !text.isEmpty else { return nil }
        return OpaqueToken(text, of: .anthropicMessages)
    }

    static func written(ofCall token: OpaqueToken) -> String { callMark + token.tagged }

    /// nil for a signature that is not of a call.
    static func read(ofCall text: String) -> OpaqueToken? {
        guard text.utf8.starts(with: callMark.utf8) else { return nil }
        return String(text.utf8.dropFirst(callMark.utf8.count)).flatMap { OpaqueToken(tagged: $0) }
    }
}

/// How signatures of models travel as `encrypted_content` of OpenAI's reasoning items, whoever made them.
///
/// OpenAI's own go as they are; another provider's go as ``OpaqueToken/tagged``. What a model signed a tool call with has
/// no place in a `function_call` item, so it stands in a reasoning item without summary right before it, whose
/// `encrypted_content` begins with ``callMark``: callers must hand reasoning items back unchanged and in order (OpenAI,
/// "Reasoning models", "Keeping reasoning items in context").
enum ResponsesSignature {
    /// No tag begins so, and no encrypted content of OpenAI's, which is base64.
    private static let callMark = "tool_call:"

    static func written(_ token: OpaqueToken) -> String {
        token.origin == .openAIResponses ? token.text : token.tagged
    }

    /// nil for an empty one: nobody made it.
    static func read(_ text: String) -> OpaqueToken? {
        text.isEmpty ? nil : OpaqueToken(tagged: text) ?? OpaqueToken(text, of: .openAIResponses)
    }

    static func written(ofCall token: OpaqueToken) -> String { callMark + token.tagged }

    /// nil for one that is not of a call.
    static func read(ofCall text: String) -> OpaqueToken? {
        guard text.utf8.starts(with: callMark.utf8) else { return nil }
        return String(text.utf8.dropFirst(callMark.utf8.count)).flatMap { OpaqueToken(tagged: $0) }
    }
}

/// How what a model signed its tool calls with travels in chat completions.
///
/// Source: Gemini API, "OpenAI compatibility" and "Thought signatures": `extra_content.google.thought_signature` of a
/// tool call, which callers hand back. To callers every signature goes as ``OpaqueToken/tagged``.
enum ChatSignature {
    static func extraContent(_ signature: String) -> JSONNode {
        .object(["google": .object(["thought_signature": .string(signature)])])
    }

    /// nil for an empty one. What has no tag is of the format's own.
    static func read(_ text: String) -> OpaqueToken? {
        text.isEmpty ? nil : OpaqueToken(tagged: text) ?? OpaqueToken(text, of: .openAIChat)
    }

    static func read(ofCall call: JSONNode) -> OpaqueToken? {
        call["extra_content"]?["google"]?["thought_signature"]?.text.flatMap { read($0) }
    }

    /// The same of a caller's request, where nothing may be what it should not.
    static func read(ofCall call: ChatPlace) throws(TranslationRefusal) -> OpaqueToken? {
        guard let extra = call["extra_content"] else { return nil }
        try extra.allow(["google"])
        guard let google = extra["google"] else { return nil }
        try google.allow(["thought_signature"])
        return try google.text("thought_signature").flatMap { read($0) }
    }
}

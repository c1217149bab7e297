/// Where in an answer of Gemini's a `thoughtSignature` stood, so that it goes back to the same place.
///
/// Signatures stand on parts of every kind, and must come back on the part they came with (Gemini API, "Thought
/// signatures"). A tool call carries its own. The others travel as tokens of reasoning; what marks the place stands
/// before the signature, which is base64 and so holds no colon.
enum GeminiSignature: String, CaseIterable {
    /// On the text that comes next.
    case text = "text:"
    /// On an empty text behind the text, as streams have it.
    case end = "end:"
    /// On the thought itself. An empty one marks a thought that was not signed, which only Gemini is handed back.
    case thought = ""

    func token(_ signature: String) -> OpaqueToken {
        OpaqueToken(rawValue + signature, of: .geminiContents)
    }

    /// The place and the signature as it came; nil for a token of another provider.
    static func read(_ token: OpaqueToken?) -> (place: GeminiSignature, signature: String)? {
        guard let token, token.origin == .geminiContents else { return nil }
        // The empty mark is the last one and fits everything.
        for place in allCases where token.text.utf8.starts(with: place.rawValue.utf8) {
            return (place, String(token.text.utf8.dropFirst(place.rawValue.utf8.count)) ?? "")
        }
        return nil
    }

    /// What stands for the signature of a call that Gemini did not make: from 3 on the first call of each step must have
    /// one, and a history of other models has none (Gemini API, "Thought signatures", on transferring history).
    static let foreign = "skip_thought_signature_validator"
}

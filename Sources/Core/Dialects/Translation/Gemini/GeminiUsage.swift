import Domain

/// What Gemini calls `usageMetadata`.
///
/// Source: Gemini API reference, "UsageMetadata": the prompt's tokens hold those of the cache; the results of the
/// provider's own tools are counted apart from the prompt, thoughts apart from the candidates. In a stream every chunk
/// has it, and the last counts.
enum GeminiUsage {
    static func read(_ node: JSONNode?) -> Usage? {
        guard let node, node["promptTokenCount"] != nil || node["candidatesTokenCount"] != nil else {
            return nil
        }
        let prompt = tokens(node["promptTokenCount"])
        let cached = min(prompt, tokens(node["cachedContentTokenCount"]))
        return Usage(
            input: prompt - cached + tokens(node["toolUsePromptTokenCount"]), cacheRead: cached,
            output: tokens(node["candidatesTokenCount"]), reasoning: tokens(node["thoughtsTokenCount"]))
    }

    /// 2^32 at most, as ``JSONScanner/takeTokens()`` has it; what is no count is none.
    static func tokens(_ node: JSONNode?) -> Int64 { max(0, min(node?.whole ?? 0, 1 << 32)) }
}

/// What Gemini calls `finishReason` (Gemini API reference, "FinishReason"; google-genai 3.6.1).
enum GeminiStop {
    /// nil where the model's output was broken: then there is no answer to hand on. A word that is not known means an
    /// end like any other.
    static func read(_ reason: String, hasCalls: Bool) -> StopReason? {
        let known = words.first { $0.0.utf8.elementsEqual(reason.utf8) }
        guard let meaning = known.map(\.1) ?? .finished else { return nil }
        return meaning == .finished && hasCalls ? .toolCalls : meaning
    }

    private static let words: [(String, StopReason?)] = [
        ("STOP", .finished), ("MAX_TOKENS", .length),
        // More could be had with a token of the provider's own.
        ("CONTINUATION", .length),
        ("SAFETY", .contentFilter), ("RECITATION", .contentFilter), ("LANGUAGE", .contentFilter),
        ("BLOCKLIST", .contentFilter), ("PROHIBITED_CONTENT", .contentFilter), ("SPII", .contentFilter),
        ("IMAGE_SAFETY", .contentFilter), ("IMAGE_PROHIBITED_CONTENT", .contentFilter),
        ("IMAGE_RECITATION", .contentFilter), ("MODEL_ARMOR", .contentFilter),
        ("ESCALATION", .contentFilter), ("PUP_LIMITED_DISABLED", .contentFilter),
        // Whatever the reason, the answer is not whole.
        ("OTHER", .contentFilter),
        ("MALFORMED_FUNCTION_CALL", nil), ("MALFORMED_RESPONSE", nil), ("UNEXPECTED_TOOL_CALL", nil),
        ("TOO_MANY_TOOL_CALLS", nil), ("MISSING_THOUGHT_SIGNATURE", nil), ("NO_IMAGE", nil),
        ("IMAGE_OTHER", nil),
    ]
}

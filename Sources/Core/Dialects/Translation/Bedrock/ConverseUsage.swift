import Domain

/// What Converse calls `usage`: its input already holds neither cache reads nor cache writes.
///
/// Source: Amazon Bedrock API reference, "TokenUsage" and "CacheDetail".
enum ConverseUsage {
    static func read(_ usage: JSONNode?) -> Usage? {
        guard let usage, usage["inputTokens"] != nil || usage["outputTokens"] != nil else { return nil }
        let written = tokens(usage["cacheWriteInputTokens"])
        let hour = (usage["cacheDetails"]?.elements ?? []).filter { detail in
            detail["ttl"]?.text.map { $0.utf8.elementsEqual("1h".utf8) } ?? false
        }
        let writtenForHour = min(written, hour.first.map { tokens($0["inputTokens"]) } ?? 0)
        return Usage(
            input: tokens(usage["inputTokens"]), cacheRead: tokens(usage["cacheReadInputTokens"]),
            cacheWrite: written - writtenForHour, cacheWriteHour: writtenForHour,
            output: tokens(usage["outputTokens"]))
    }

    /// 2^32 at most, as ``JSONScanner/takeTokens()`` has it; what is no count is none.
    private static func tokens(_ node: JSONNode?) -> Int64 {
        max(0, min(node?.whole ?? 0, 1 << 32))
    }
}

/// What Converse calls `stopReason` (Amazon Bedrock API reference, "ConverseResponse").
enum ConverseStop {
    /// nil where the model's output was broken: then there is no answer to hand on.
    static func read(_ reason: String) -> StopReason? {
        for (word, meaning) in words where reason.utf8.elementsEqual(word.utf8) { return meaning }
        return .finished
    }

    private static let words: [(String, StopReason?)] = [
        ("end_turn", .finished), ("tool_use", .toolCalls), ("max_tokens", .length),
        ("stop_sequence", .stopSequence), ("model_context_window_exceeded", .length),
        ("guardrail_intervened", .contentFilter), ("content_filtered", .contentFilter),
        ("refusal", .refusal), ("malformed_model_output", nil), ("malformed_tool_use", nil),
    ]
}

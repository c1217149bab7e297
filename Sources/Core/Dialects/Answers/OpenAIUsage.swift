import Domain

/// The `usage` object of OpenAI's chat, embeddings and responses answers and of those who speak like it.
///
/// Source: OpenAI API reference, "CompletionUsage" and "ResponseUsage", which has other names for the same figures. DeepSeek's API reference adds `prompt_cache_hit_tokens`.
struct OpenAIUsage {
    private var prompt: Int64?
    private var completion: Int64?
    private var total: Int64?
    private var cached: Int64?
    private var cacheHit: Int64?
    private var reasoning: Int64?

    /// Reads a `usage` value; nil if it is no object with a token count in it. The scanner passes the value either way.
    static func read(_ scanner: inout JSONScanner) throws(JSONFault) -> Usage? {
        guard scanner.peek() == UInt8(ascii: "{") else {
            try scanner.skipValue()
            return nil
        }
        var usage = OpenAIUsage()
        try scanner.enterObject()
        while let name = try scanner.nextMember() {
            if name.matches("prompt_tokens") || name.matches("input_tokens") {
                usage.prompt = try scanner.takeTokens()
            } else if name.matches("completion_tokens") || name.matches("output_tokens") {
                usage.completion = try scanner.takeTokens()
            } else if name.matches("total_tokens") {
                usage.total = try scanner.takeTokens()
            } else if name.matches("prompt_cache_hit_tokens") {
                usage.cacheHit = try scanner.takeTokens()
            } else if name.matches("prompt_tokens_details") || name.matches("input_tokens_details") {
                usage.cached = try detail("cached_tokens", &scanner)
            } else if name.matches("completion_tokens_details") || name.matches("output_tokens_details") {
                usage.reasoning = try detail("reasoning_tokens", &scanner)
            } else {
                try scanner.skipValue()
            }
        }
        return usage.disjoint
    }

    private static func detail(
        _ wanted: StaticString, _ scanner: inout JSONScanner
    ) throws(JSONFault) -> Int64? {
        guard scanner.peek() == UInt8(ascii: "{") else {
            try scanner.skipValue()
            return nil
        }
        var found: Int64?
        try scanner.enterObject()
        while let name = try scanner.nextMember() {
            if name.matches(wanted) { found = try scanner.takeTokens() } else { try scanner.skipValue() }
        }
        return found
    }

    private var disjoint: Usage? {
        guard prompt != nil || completion != nil else { return nil }
        let prompt = prompt ?? 0
        let completion = completion ?? 0
        let cacheRead = min(cached ?? cacheHit ?? 0, prompt)
        let reasoning = reasoning ?? 0
        return Usage(
            input: prompt - cacheRead, cacheRead: cacheRead,
            output: reasoningIsApart ? completion : completion - min(reasoning, completion),
            reasoning: reasoningIsApart ? reasoning : min(reasoning, completion))
    }

    /// OpenAI counts reasoning inside `completion_tokens`; xAI counts it beside them and only in `total_tokens`
    /// (docs.x.ai, "Consumption and rate limits"). The total tells the two apart.
    private var reasoningIsApart: Bool {
        guard let prompt, let completion, let total, let reasoning, reasoning > 0 else { return false }
        let (visible, overflow) = prompt.addingReportingOverflow(completion)
        return !overflow && total >= visible && total - visible == reasoning
    }
}

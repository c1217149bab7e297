import Domain

/// The `usage` object of OpenAI's chat, embeddings and responses answers and of those who speak like it.
///
/// Source: OpenAI API reference, "CompletionUsage" and "ResponseUsage", which has other names for the same figures. DeepSeek's API reference adds `prompt_cache_hit_tokens`. What was written to the cache is part of the prompt, too, and dearer
/// than the rest of it.
struct OpenAIUsage {
    private var prompt: Int64?
    private var completion: Int64?
    private var total: Int64?
    private var cached: Int64?
    private var written: Int64?
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
                (usage.cached, usage.written) = try details(
                    "cached_tokens", "cache_write_tokens", &scanner)
            } else if name.matches("completion_tokens_details") || name.matches("output_tokens_details") {
                (usage.reasoning, _) = try details("reasoning_tokens", nil, &scanner)
            } else {
                try scanner.skipValue()
            }
        }
        return usage.disjoint
    }

    private static func details(
        _ first: StaticString, _ second: StaticString?, _ scanner: inout JSONScanner
    ) throws(JSONFault) -> (Int64?, Int64?) {
        var found: (Int64?, Int64?) = (nil, nil)
        guard scanner.peek() == UInt8(ascii: "{") else {
            try scanner.skipValue()
            return found
        }
        try scanner.enterObject()
        while let name = try scanner.nextMember() {
            if name.matches(first) {
                found.0 = try scanner.takeTokens()
            } else if let second, name.matches(second) {
                found.1 = try scanner.takeTokens()
            } else {
                try scanner.skipValue()
            }
        }
        return found
    }

    private var disjoint: Usage? {
        guard prompt != nil || completion != nil else { return nil }
        let prompt = prompt ?? 0
        let completion = completion ?? 0
        let cacheRead = min(cached ?? cacheHit ?? 0, prompt)
        let cacheWrite = min(written ?? 0, prompt - cacheRead)
        let reasoning = reasoning ?? 0
        return Usage(
            input: prompt - cacheRead - cacheWrite, cacheRead: cacheRead, cacheWrite: cacheWrite,
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

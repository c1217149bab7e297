public import Domain

/// Reads from an answer's headers what is left of its key's rate limits.
public enum RateLimitHeaders {
    /// nil where no header says anything.
    ///
    /// Understood: `x-ratelimit-{limit,remaining}-{requests,tokens}` (OpenAI API reference, "Rate limits"; Azure OpenAI
    /// and Groq the same) and `anthropic-ratelimit-{requests,tokens}-{limit,remaining}` (Anthropic API reference, "Rate
    /// limits").
    public static func read(_ headers: some Sequence<(name: String, value: String)>) -> KeyHeadroom? {
        var found = Found()
        for (name, value) in headers { found.take(name, value) }
        return found.headroom
    }

    /// What the headers seen so far say: for those who have them in a form of their own and go through them anyway.
    public struct Found {
        private var requestsLeft: Int64?
        private var requestsLimit: Int64?
        private var tokensLeft: Int64?
        private var tokensLimit: Int64?

        public init() {}

        public mutating func take(_ name: String, _ value: String) {
            // Each of the names has a length of its own: most headers are none of them, and none is compared twice.
            switch name.utf8.count {
            case 24 where name.isHeader("x-ratelimit-limit-tokens"): tokensLimit = Int64(value)
            case 26 where name.isHeader("x-ratelimit-limit-requests"): requestsLimit = Int64(value)
            case 28 where name.isHeader("x-ratelimit-remaining-tokens"): tokensLeft = Int64(value)
            case 30 where name.isHeader("x-ratelimit-remaining-requests"): requestsLeft = Int64(value)
            case 32 where name.isHeader("anthropic-ratelimit-tokens-limit"): tokensLimit = Int64(value)
            case 34 where name.isHeader("anthropic-ratelimit-requests-limit"): requestsLimit = Int64(value)
            case 36 where name.isHeader("anthropic-ratelimit-tokens-remaining"): tokensLeft = Int64(value)
            case 38 where name.isHeader("anthropic-ratelimit-requests-remaining"): requestsLeft = Int64(value)
            default: break
            }
        }

        /// nil where no header said anything.
        public var headroom: KeyHeadroom? {
            guard requestsLeft != nil || tokensLeft != nil else { return nil }
            return KeyHeadroom(
                requestsLeft: requestsLeft, requestsLimit: requestsLimit, tokensLeft: tokensLeft,
                tokensLimit: tokensLimit)
        }
    }
}

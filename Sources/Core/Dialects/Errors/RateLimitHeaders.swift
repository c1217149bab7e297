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
            guard (20...40).contains(name.utf8.count) else { return }
            let name = name.utf8
            switch name.first {
            case UInt8(ascii: "x"), UInt8(ascii: "X"): take(openAI: name, value)
            case UInt8(ascii: "a"), UInt8(ascii: "A"): take(anthropic: name, value)
            default: break
            }
        }

        private mutating func take(openAI name: String.UTF8View, _ value: String) {
            if same(name, "x-ratelimit-remaining-requests") {
                requestsLeft = Int64(value)
            } else if same(name, "x-ratelimit-remaining-tokens") {
                tokensLeft = Int64(value)
            } else if same(name, "x-ratelimit-limit-requests") {
                requestsLimit = Int64(value)
            } else if same(name, "x-ratelimit-limit-tokens") {
                tokensLimit = Int64(value)
            }
        }

        private mutating func take(anthropic name: String.UTF8View, _ value: String) {
            if same(name, "anthropic-ratelimit-requests-remaining") {
                requestsLeft = Int64(value)
            } else if same(name, "anthropic-ratelimit-tokens-remaining") {
                tokensLeft = Int64(value)
            } else if same(name, "anthropic-ratelimit-requests-limit") {
                requestsLimit = Int64(value)
            } else if same(name, "anthropic-ratelimit-tokens-limit") {
                tokensLimit = Int64(value)
            }
        }

        /// nil where no header said anything.
        public var headroom: KeyHeadroom? {
            guard requestsLeft != nil || tokensLeft != nil else { return nil }
            return KeyHeadroom(
                requestsLeft: requestsLeft, requestsLimit: requestsLimit, tokensLeft: tokensLeft,
                tokensLimit: tokensLimit)
        }

        /// Without regard to ASCII case (RFC 9110 section 5.1).
        private func same(_ name: String.UTF8View, _ literal: StaticString) -> Bool {
            guard name.count == literal.utf8CodeUnitCount else { return false }
            return literal.withUTF8Buffer { wanted in
                zip(name, wanted).allSatisfy { ($0 | 0x20) == ($1 | 0x20) }
            }
        }
    }
}

public import Domain
import Glibc

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
            case 24: Self.take(&tokensLimit, name, "x-ratelimit-limit-tokens", value)
            case 26: Self.take(&requestsLimit, name, "x-ratelimit-limit-requests", value)
            case 28: Self.take(&tokensLeft, name, "x-ratelimit-remaining-tokens", value)
            case 30: Self.take(&requestsLeft, name, "x-ratelimit-remaining-requests", value)
            case 32: Self.take(&tokensLimit, name, "anthropic-ratelimit-tokens-limit", value)
            case 34: Self.take(&requestsLimit, name, "anthropic-ratelimit-requests-limit", value)
            case 36: Self.take(&tokensLeft, name, "anthropic-ratelimit-tokens-remaining", value)
            case 38: Self.take(&requestsLeft, name, "anthropic-ratelimit-requests-remaining", value)
            default: break
            }
        }

        private static func take(
            _ figure: inout Int64?, _ name: String, _ wanted: StaticString, _ value: String
        ) {
            let isWanted =
                name.utf8.withContiguousStorageIfAvailable { same($0, wanted) }
                ?? Array(name.utf8).withUnsafeBufferPointer { same($0, wanted) }
            if isWanted { figure = Int64(value) }
        }

        /// nil where no header said anything.
        public var headroom: KeyHeadroom? {
            guard requestsLeft != nil || tokensLeft != nil else { return nil }
            return KeyHeadroom(
                requestsLeft: requestsLeft, requestsLimit: requestsLimit, tokensLeft: tokensLeft,
                tokensLimit: tokensLimit)
        }

        /// Without regard to ASCII case (RFC 9110 section 5.1).
        private static func same(_ name: UnsafeBufferPointer<UInt8>, _ literal: StaticString) -> Bool {
            guard name.count == literal.utf8CodeUnitCount, let start = name.baseAddress else { return false }
            // Most write it in lower case.
            if memcmp(start, literal.utf8Start, name.count) == 0 { return true }
            for index in 0..<name.count where name[index] | 0x20 != literal.utf8Start[index] | 0x20 {
                return false
            }
            return true
        }
    }
}

import NIOCore

/// What each key has left of its minute, as providers' headers tell it: in OpenAI's names and in Anthropic's, each reader
/// finds its own. It is only told: the script decides what is refused.
struct SimulatedLimits: Sendable {
    private static let requests = 500
    private static let tokens = 200_000
    private var minute: UInt64 = 0
    private var used: [String: (requests: Int, tokens: Int)] = [:]

    mutating func spend(_ count: Int, of key: String, at now: NIODeadline) -> [(name: String, value: String)]
    {
        let minute = now.uptimeNanoseconds / 60_000_000_000
        if minute != self.minute { (self.minute, used) = (minute, [:]) }
        let before = used[key] ?? (0, 0)
        let after = (requests: before.requests + 1, tokens: before.tokens + count)
        used[key] = after
        let (calls, words) = (max(0, Self.requests - after.requests), max(0, Self.tokens - after.tokens))
        return [
            ("x-ratelimit-limit-requests", "\(Self.requests)"),
            ("x-ratelimit-remaining-requests", "\(calls)"),
            ("x-ratelimit-limit-tokens", "\(Self.tokens)"), ("x-ratelimit-remaining-tokens", "\(words)"),
            ("anthropic-ratelimit-requests-limit", "\(Self.requests)"),
            ("anthropic-ratelimit-requests-remaining", "\(calls)"),
            ("anthropic-ratelimit-tokens-limit", "\(Self.tokens)"),
            ("anthropic-ratelimit-tokens-remaining", "\(words)"),
        ]
    }
}

/// Token counts of one call in disjoint buckets: no token is in two of them.
///
/// Providers disagree on what includes what (OpenAI's `prompt_tokens` holds cached tokens, Anthropic's
/// `input_tokens` does not); each is normalised once, on entry, to this form.
public struct Usage: Hashable, Sendable, Codable {
    /// Input that no cache served.
    public var input: Int64
    /// Input read from the provider's prompt cache.
    public var cacheRead: Int64
    /// Input written to the provider's prompt cache for five minutes (its default tier).
    public var cacheWrite: Int64
    /// Input written to the provider's prompt cache for one hour.
    public var cacheWriteHour: Int64
    /// Visible output.
    public var output: Int64
    /// Output spent on reasoning.
    public var reasoning: Int64

    public init(
        input: Int64 = 0, cacheRead: Int64 = 0, cacheWrite: Int64 = 0, cacheWriteHour: Int64 = 0,
        output: Int64 = 0,
        reasoning: Int64 = 0
    ) {
        self.input = input
        self.cacheRead = cacheRead
        self.cacheWrite = cacheWrite
        self.cacheWriteHour = cacheWriteHour
        self.output = output
        self.reasoning = reasoning
    }

    public var totalInput: Int64 { input + cacheRead + cacheWrite + cacheWriteHour }
    public var totalOutput: Int64 { output + reasoning }
    public var total: Int64 { totalInput + totalOutput }

    public static func + (left: Self, right: Self) -> Self {
        Self(
            input: left.input + right.input, cacheRead: left.cacheRead + right.cacheRead,
            cacheWrite: left.cacheWrite + right.cacheWrite,
            cacheWriteHour: left.cacheWriteHour + right.cacheWriteHour, output: left.output + right.output,
            reasoning: left.reasoning + right.reasoning)
    }
}

/// How sure a usage figure is.
public enum UsageSource: String, Sendable, Codable {
    /// The provider said so.
    case reported
    /// Counted or estimated by us, because the provider's figure never came.
    case estimated
    /// Nothing was used: answered from our cache, or refused before any attempt.
    case none
}

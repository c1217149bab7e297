public import Domain

/// What is known of a streamed answer so far, however it goes on to the caller.
public protocol StreamFacts {
    /// The last usage that the provider reported.
    var usage: Usage? { get }
    /// Whether the reported usage covers the output too.
    var usageIsFinal: Bool { get }
    /// Whether the provider's last event came. A stream that ends without it was cut.
    var ended: Bool { get }
    /// The error that came inside the stream, if one did; nothing is sent on from there.
    var fault: UpstreamError? { get }
    /// Whether any of the answer itself came; until then nothing is lost by trying another target.
    var sawContent: Bool { get }
    /// How many content deltas came.
    var deltas: Int64 { get }
    /// About how many bytes of content they held.
    var contentBytes: Int64 { get }
    /// The number of the event that would come next, in formats that number their events (OpenAI responses).
    var nextEventNumber: Int64 { get }
}

extension StreamFacts {
    /// The output in tokens as far as it can be told from what came: one a delta or one for four bytes of content,
    /// whichever is more (OpenAI sends about a token a delta, Anthropic several).
    public var estimatedOutput: Int64 { max(deltas, (contentBytes + 3) / 4) }

    /// What to bill for the stream as it stands: the reported usage if it is final, else the reported input (or the
    /// given estimate) with the output estimated.
    public func settledUsage(inputEstimate: Int64) -> (usage: Usage, source: UsageSource) {
        if usageIsFinal, let usage { return (usage, .reported) }
        var settled = usage ?? Usage(input: inputEstimate)
        settled.output = max(settled.output, estimatedOutput)
        return (settled, .estimated)
    }
}

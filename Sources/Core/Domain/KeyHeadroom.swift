/// What a provider said is left of a key's rate limits, from the headers of an answer.
///
/// Providers name different ones; what they did not name is nil. For screens only: a key rests when its provider
/// refuses it, not when these figures are low.
public struct KeyHeadroom: Sendable, Hashable {
    public let requestsLeft: Int64?
    public let requestsLimit: Int64?
    public let tokensLeft: Int64?
    public let tokensLimit: Int64?
    /// When the limits are whole again; from then on the figures say nothing.
    public let resetsAt: Instant?

    public init(
        requestsLeft: Int64? = nil, requestsLimit: Int64? = nil, tokensLeft: Int64? = nil,
        tokensLimit: Int64? = nil, resetsAt: Instant? = nil
    ) {
        self.requestsLeft = requestsLeft
        self.requestsLimit = requestsLimit
        self.tokensLeft = tokensLeft
        self.tokensLimit = tokensLimit
        self.resetsAt = resetsAt
    }
}

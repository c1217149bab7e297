package import Domain

/// What a provider said is left of a key's rate limits, from the headers of an answer.
///
/// Providers name different ones; what they did not name is nil. For screens only: a key rests when its provider
/// refuses it, not when these figures are low.
package struct KeyHeadroom: Sendable, Hashable {
    package let requestsLeft: Int64?
    package let requestsLimit: Int64?
    package let tokensLeft: Int64?
    package let tokensLimit: Int64?
    /// When the limits are whole again; from then on the figures say nothing.
    package let resetsAt: Instant?

    package init(
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

/// What is known of one provider key, well or not, as screens show it.
package struct CredentialFacts: Sendable, Hashable {
    /// What was last heard of one model's limits.
    package struct Headroom: Sendable, Hashable {
        package let model: ModelName
        package let headroom: KeyHeadroom
        package let heardAt: Instant

        package init(model: ModelName, headroom: KeyHeadroom, heardAt: Instant) {
            self.model = model
            self.headroom = headroom
            self.heardAt = heardAt
        }
    }

    package let key: ProviderKeyID
    /// The worst mark in force, of the key or of one of its models.
    package let mark: CredentialMark
    /// When it last served a call.
    package let lastAnswered: Instant?
    /// When its provider last refused the key itself (401).
    package let lastRefused: Instant?
    /// When its provider last said that its limits or its quota are used up (429, 402).
    package let lastLimited: Instant?
    /// By model, the one heard of last at the end; those whose limits are whole again are left out.
    package let headrooms: [Headroom]

    package init(
        key: ProviderKeyID, mark: CredentialMark, lastAnswered: Instant?, lastRefused: Instant?,
        lastLimited: Instant?, headrooms: [Headroom]
    ) {
        self.key = key
        self.mark = mark
        self.lastAnswered = lastAnswered
        self.lastRefused = lastRefused
        self.lastLimited = lastLimited
        self.headrooms = headrooms
    }
}

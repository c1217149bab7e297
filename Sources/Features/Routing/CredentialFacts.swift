package import Domain

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

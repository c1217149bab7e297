public import Domain

/// What is known of one provider key, well or not, as screens show it.
public struct CredentialFacts: Sendable, Hashable {
    /// What was last heard of one model's limits.
    public struct Headroom: Sendable, Hashable {
        public let model: ModelName
        public let headroom: KeyHeadroom
        public let heardAt: Instant

        public init(model: ModelName, headroom: KeyHeadroom, heardAt: Instant) {
            self.model = model
            self.headroom = headroom
            self.heardAt = heardAt
        }
    }

    public let key: ProviderKeyID
    /// The worst mark in force, of the key or of one of its models.
    public let mark: CredentialMark
    /// When it last served a call.
    public let lastAnswered: Instant?
    /// When its provider last refused the key itself (401).
    public let lastRefused: Instant?
    /// When its provider last said that its limits or its quota are used up (429, 402).
    public let lastLimited: Instant?
    /// By model, the one heard of last at the end; those whose limits are whole again are left out.
    public let headrooms: [Headroom]

    public init(
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

public import Domain

/// The health of all provider keys: the port behind which a shared store could stand.
///
/// Planning only looks (`availabilities`); an attempt that really starts takes (`take`), so that a key whose rest is
/// over is tried by one call and not by all.
public protocol CredentialBoard: Sendable {
    /// For each candidate the availability of each of its keys, in their order; takes no probe.
    func availabilities(of candidates: [Candidate], at now: Instant) -> [[CredentialAvailability]]
    /// Whether every key of every candidate may be used: the usual case, asked for without making a list.
    func areWell(_ candidates: [Candidate], at now: Instant) -> Bool
    func take(_ key: ProviderKeyID, for model: ModelName, at now: Instant) -> CredentialAvailability
    /// Notes what an attempt begun at `began` showed; returns the mark when it is another than before.
    ///
    /// `exhausted`, `suspect` and `rejected` are of the whole key, `cooling` and `deniedForModel` of the key for that model; `ok`
    /// clears both. `retryAfter` matters to `cooling` and `exhausted`.
    func note(
        _ mark: CredentialMark, on key: ProviderKeyID, for model: ModelName, began: Instant, at now: Instant,
        retryAfter: Duration?
    ) -> CredentialMark?
    /// Notes what an answer's headers said is left of a key's limits, whatever the answer was.
    func heard(_ headroom: KeyHeadroom, of key: ProviderKeyID, for model: ModelName, at now: Instant)
    /// Forgets all about a key: it was verified anew, replaced or revoked. Returns `ok` when that changes its mark.
    func clear(_ key: ProviderKeyID) -> CredentialMark?
    /// Everything that is not simply well, keys in order.
    func states(at now: Instant) -> [CredentialStatus]
    /// What is known of every key that was used or marked lately, keys in order; of bounded length.
    func facts(at now: Instant) -> [CredentialFacts]
}

/// The health of one provider key as screens show it.
public struct CredentialStatus: Sendable, Hashable {
    public let key: ProviderKeyID
    /// The model it is about; nil = the whole key.
    public let model: ModelName?
    public let mark: CredentialMark
    /// The end of its rest.
    public let until: Instant
    public let markedAt: Instant
    /// What was last heard of the model's limits; nil for the whole key.
    public let headroom: KeyHeadroom?

    public init(
        key: ProviderKeyID, model: ModelName?, mark: CredentialMark, until: Instant, markedAt: Instant,
        headroom: KeyHeadroom? = nil
    ) {
        self.key = key
        self.model = model
        self.mark = mark
        self.until = until
        self.markedAt = markedAt
        self.headroom = headroom
    }
}

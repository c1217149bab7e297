public import Domain

/// The live counters of all limits: the port behind which a shared store could stand.
public protocol LimitCounters: Sendable {
    /// Counts a call in all its scopes, or refuses it and counts it in none.
    ///
    /// The refusal says which scope and number, and when trying again will do; of several, the longest wait.
    func admit(_ demand: Demand, at now: Instant) throws(CallFailure) -> Admission
    /// Ends a call's admission: its places among the parallel calls come back, and the tokens it used take the
    /// estimate's place. A second settling does nothing.
    ///
    /// - Parameter usedTokens: nil when nobody knows; the estimate stands then.
    func settle(_ admission: Admission, usedTokens: Int64?, at now: Instant)
    /// Ends the admission of a call that was turned away for a limit of something else before it came to anything: all
    /// that it counted for comes back, its place among the requests of the minute too.
    func takeBack(_ admission: Admission, at now: Instant)
    /// What one scope uses now; nil when it has no counters.
    func use(of scope: LimitScope, at now: Instant) -> LimitUse?
    /// What every scope that is not as new has used, to be kept over a restart.
    func levels(at now: Instant) -> [LimitLevel]
    /// Takes up levels that were kept, before the first call. Scopes that have counters already are left alone.
    ///
    /// - Parameter elapsed: since the levels were taken.
    func restore(_ levels: [LimitLevel], elapsed: Duration, at now: Instant)
}

/// What one scope had used of its rates at a moment.
public struct LimitLevel: Sendable, Hashable {
    /// One rate: its ceiling, and how much is missing from a full bucket.
    public struct Rate: Sendable, Hashable {
        public let perMinute: Int64
        public let used: Int64

        public init(perMinute: Int64, used: Int64) {
            self.perMinute = perMinute
            self.used = used
        }
    }

    public let scope: LimitScope
    public let requests: Rate?
    public let tokens: Rate?

    public init(scope: LimitScope, requests: Rate?, tokens: Rate?) {
        self.scope = scope
        self.requests = requests
        self.tokens = tokens
    }
}

/// Proof that a call was counted, to be settled when it ends.
public struct Admission: Sendable, Hashable {
    /// Where the store keeps what is to be settled; nil when no limit applied.
    public let slot: Int?
    /// Tells this use of the slot from earlier ones.
    public let generation: UInt64
    /// What the rate-limit headers say.
    public let facts: LimitFacts

    public init(slot: Int?, generation: UInt64, facts: LimitFacts) {
        self.slot = slot
        self.generation = generation
        self.facts = facts
    }
}

/// What a scope uses now, for screens.
public struct LimitUse: Sendable, Hashable {
    public let inFlight: Int
    /// nil = no such limit.
    public let requestsLeft: Int?
    public let tokensLeft: Int?

    public init(inFlight: Int, requestsLeft: Int?, tokensLeft: Int?) {
        self.inFlight = inFlight
        self.requestsLeft = requestsLeft
        self.tokensLeft = tokensLeft
    }
}

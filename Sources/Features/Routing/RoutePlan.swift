public import Domain

/// Where a call may go, in order, and why not elsewhere.
public struct RoutePlan: Sendable, Hashable {
    /// One try that may be made: ask for its permit and take its key right before it starts.
    public struct Attempt: Sendable, Hashable {
        public let target: Target
        /// nil where the target needs none.
        public let key: ProviderKeyID?

        public init(target: Target, key: ProviderKeyID?) {
            self.target = target
            self.key = key
        }
    }

    /// A target, or one key at it, that the plan leaves out.
    public struct Skipped: Sendable, Hashable {
        public let target: Target
        /// nil = the target with all its keys.
        public let key: ProviderKeyID?
        public let reason: Reason

        public init(target: Target, key: ProviderKeyID?, reason: Reason) {
            self.target = target
            self.key = key
            self.reason = reason
        }
    }

    /// Why something was left out.
    public enum Reason: Sendable, Hashable {
        case breaker(Breaker.Refusal)
        case credential(CredentialMark, until: Instant)
        /// The operator's own ceiling on this key is reached.
        case keyLimit(until: Instant)
        /// The target takes no more calls at once, and the queue for it is full or the wait was over.
        case crowded(until: Instant)
        /// It does not satisfy what the route or the call demands, in one sentence.
        case unsuitable(String)
        case noKey
        /// The plan already holds as many attempts as a call may make.
        case enough(Int)
    }

    public let attempts: [Attempt]
    public let skipped: [Skipped]
    /// When anything may pass again; nil while something may pass now, and when waiting does not help.
    public let retryAt: Instant?

    public init(attempts: [Attempt], skipped: [Skipped], retryAt: Instant?) {
        self.attempts = attempts
        self.skipped = skipped
        self.retryAt = retryAt
    }
}

extension RoutePlan.Skipped {
    /// One sentence without the names of operators or keys: callers see it too.
    public func text(at now: Instant) -> String { "\(target): \(reason.text(at: now))" }
}

extension RoutePlan.Reason {
    public func text(at now: Instant) -> String {
        switch self {
        case .breaker(let refusal):
            switch refusal.cause {
            case .open: "breaker open, probe in \(Self.wait(until: refusal.retryAt, from: now))"
            case .probing: "breaker half-open, its one probe is running"
            case .held: "held open by an operator for \(Self.wait(until: refusal.retryAt, from: now))"
            }
        case .credential(let mark, let until):
            "provider key \(mark.phrase), tried again in \(Self.wait(until: until, from: now))"
        case .keyLimit(let until): "provider key at its own limit for \(Self.wait(until: until, from: now))"
        case .crowded: "it has as many calls under way as it takes"
        case .unsuitable(let sentence): sentence
        case .noKey: "no provider key is stored for this provider"
        case .enough(let count): "a call makes at most \(count) attempts"
        }
    }

    private static func wait(until moment: Instant?, from now: Instant) -> String {
        moment.map { ($0 - now).brief } ?? "a moment"
    }
}

extension CredentialMark {
    fileprivate var phrase: String {
        switch self {
        case .ok: "well"
        case .cooling: "rate-limited by the provider"
        case .exhausted: "out of quota or credit"
        case .suspect: "refused once by the provider and being checked"
        case .rejected: "rejected by the provider"
        case .deniedForModel: "not permitted to use this model"
        }
    }
}

extension RoutePlan {
    /// What to tell the caller when nothing may be tried; nil while something may.
    public func failure(at now: Instant) -> CallFailure? {
        guard attempts.isEmpty else { return nil }
        let retryAfter = retryAt.map { max($0 - now, .zero) }
        guard !skipped.isEmpty else {
            return CallFailure(
                .noTarget, source: .gateway, "this model's route has no target; the operator must add one")
        }
        let reasons = reasons(at: now)
        if skipped.allSatisfy(\.reason.isUnsuitable) {
            return CallFailure(
                .invalidRequest, source: .caller,
                "no target of this model suits this call: \(reasons)", field: "model")
        }
        if skipped.contains(where: \.reason.isOfBreaker) {
            return CallFailure(
                .noTarget, source: .provider, "no target can take this call now: \(reasons)",
                retryAfter: retryAfter ?? .seconds(1))
        }
        // Clients know what to do about a rate limit: wait, and come again. That holds whatever ails other keys.
        if skipped.contains(where: \.reason.isOfCooling) {
            return CallFailure(
                .upstreamRefused, source: .providerKey, "your provider keys are rate-limited: \(reasons)",
                retryAfter: retryAfter ?? .seconds(1), status: 429)
        }
        return CallFailure(
            .noProviderKey, source: .providerKey,
            "none of your provider keys can serve this call: \(reasons)", retryAfter: retryAfter)
    }

    /// Why each target is left out. Four are enough to understand; a long route must not make a long error.
    public func reasons(at now: Instant) -> String {
        let shown = skipped.prefix(4).map { $0.text(at: now) }.joined(separator: "; ")
        return skipped.count > 4 ? "\(shown); and \(skipped.count - 4) more" : shown
    }
}

extension RoutePlan.Reason {
    fileprivate var isUnsuitable: Bool { if case .unsuitable = self { true } else { false } }

    fileprivate var isOfCooling: Bool {
        switch self {
        case .credential(.cooling, _), .keyLimit: true
        default: false
        }
    }

    /// When it no longer holds, where that is known.
    public var until: Instant? {
        switch self {
        case .breaker(let refusal): refusal.retryAt
        case .credential(_, let until), .keyLimit(let until), .crowded(let until): until
        case .noKey, .enough, .unsuitable: nil
        }
    }

    /// Whether it is a ceiling of ours that was reached, at the target or of its key: a call that met nothing else must
    /// not have used up another limit.
    public var isOfRoom: Bool {
        switch self {
        case .crowded, .keyLimit: true
        default: false
        }
    }

    fileprivate var isOfBreaker: Bool {
        switch self {
        case .breaker, .crowded: true
        default: false
        }
    }
}

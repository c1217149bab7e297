public import Domain

/// The breakers of all targets: the port behind which a shared store could stand.
///
/// Planning only looks (`outlooks`); an attempt that really starts asks (`permit`) and always brings its ticket back
/// (`report`), even when it was cancelled. Whatever a verb moved it returns as `Change`; the caller publishes it.
public protocol BreakerBoard: Sendable {
    /// What a permit would be for each candidate, in their order; takes no probe's slot.
    func outlooks(of candidates: [Candidate], at now: Instant) -> [Breaker.Outlook]
    /// Whether a permit would be a plain pass for every one of them: the usual case, asked for without making a list.
    func pass(_ candidates: [Candidate], at now: Instant) -> Bool
    func permit(_ target: Target, at now: Instant) -> Permission
    func report(
        _ result: AttemptResult, of ticket: Breaker.Ticket, for target: Target, at now: Instant
    ) -> Breaker.Change
    /// An attempt showed its first content: a probe's good news counts at once, its report later not again.
    func confirm(_ ticket: Breaker.Ticket, for target: Target, at now: Instant) -> Breaker.Change
    /// A key was rate-limited, which by itself is no fault of the target; when keys of three owners were within 10 s,
    /// the target's breaker opens. To be told beside the attempt's own report.
    ///
    /// - Parameters:
    ///   - owner: whose key it was; the platform's own keys are one owner, `RateLimitPromotion.platform`.
    ///   - retryAfter: what the provider asked for, if it did.
    func rateLimited(
        _ target: Target, owner: TenantID, retryAfter: Duration?, at now: Instant
    ) -> Breaker.Change
    /// A free call to a provider came back, or did not: what that means for the breakers of its targets.
    ///
    /// - Parameter targets: those of the provider that calls may go to; others are touched only where they are known.
    func probed(
        _ provider: ProviderName, _ finding: ProbeFinding, targets: [Target], at now: Instant
    ) -> [BreakerShift]
    /// Puts an override in force; its end is turned from civil time to `now`'s clock here.
    func hold(_ hold: BreakerHold, on target: Target, at now: Instant, wall: WallTime) -> Breaker.Change
    /// Ends an override before its time.
    func release(_ target: Target, at now: Instant) -> Breaker.Change
    /// Lets time have its effect on breakers that no call touches; to be called about every second.
    func advance(to now: Instant) -> [BreakerShift]
    /// One breaker as it stands; a target that nothing was heard of is closed.
    func status(of target: Target, at now: Instant) -> BreakerStatus
    /// All that are known, in the order of their targets.
    func states(at now: Instant) -> [BreakerStatus]
}

/// The answer to an attempt's request for a permit, and what asking moved.
public struct Permission: Sendable, Hashable {
    public let permit: Breaker.Permit
    public let change: Breaker.Change

    public init(permit: Breaker.Permit, change: Breaker.Change) {
        self.permit = permit
        self.change = change
    }
}

/// How an attempt ended, as far as breakers care.
public enum AttemptResult: Sendable, Hashable {
    case answered
    /// Answered, with the time its first content took to come: what the rule of slow answers goes by.
    case answeredAfter(Duration)
    /// With the provider's Retry-After, where it sent one.
    case failed(FailureClass, retryAfter: Duration?)
    /// Given up by its own call, which had waited so long without a byte.
    case gaveUp(after: Duration)
    /// Cancelled, or never sent.
    case abandoned
}

/// A breaker that time alone moved.
public struct BreakerShift: Sendable, Hashable {
    public let target: Target
    public let change: Breaker.Change

    public init(target: Target, change: Breaker.Change) {
        self.target = target
        self.change = change
    }
}

/// One breaker as screens and listings show it.
public struct BreakerStatus: Sendable, Hashable {
    public let target: Target
    public let position: BreakerPosition
    public let hold: BreakerHold?
    /// When it came into this position.
    public let since: Instant
    /// Calls and failures of the window, of those that say something of the provider.
    public let window: FailureWindow.Counts
    /// When it will let a probe through, while open.
    public let nextProbe: Instant?
    /// One sentence: the rule, the numbers, what happens next.
    public let why: String

    public init(_ breaker: Breaker, of target: Target, at now: Instant) {
        var breaker = breaker
        _ = breaker.advance(to: now)
        self.target = target
        position = breaker.position
        hold = breaker.hold(at: now)
        since = breaker.since
        window = breaker.window.counts(at: now)
        nextProbe = breaker.nextProbe(at: now)
        why = breaker.why(at: now)
    }
}

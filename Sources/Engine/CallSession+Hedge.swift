public import Domain
import Routing

// A second attempt beside a slow one.
//
// The answer that begins first goes to the caller; the attempt beside it is given up at once and reported as abandoned,
// which is no fault of its target. (A target that is only ever beaten is found out all the same: hedges are rationed, and
// the attempts that run alone into their time limit count.) What the loser's provider may bill
// is counted by estimate and marked so, as for a caller who leaves: a request that has reached a provider is usually
// worked on, and billed, whether or not anybody waits for it. It is added to the call's row, at the price of the loser's
// own target, because a call has one row; that the answer's provider reported its own part is then not told apart.
extension CallSession {
    /// How long an attempt may run before another may begin beside it; nil = no matter how long.
    public var hedgeAfter: Duration? { hedge == nil ? prepared?.route.hedgeAfter : nil }

    /// Begins an attempt beside the only one under way, which has not brought an answer's first byte; nil where none may
    /// be made. A call makes one such attempt at most.
    ///
    /// It goes to the next target in the plan's order that has room. Where the route has one target only, it goes there
    /// with another key: providers queue by account, so that it may help, and whoever asks for hedges on such a route
    /// asks for this. Never is the same key used at the same target, and never does a hedge make the platform pay for a
    /// call that went out at the tenant's own cost.
    ///
    /// It counts as an attempt, and against the retry budget of the provider that the call was tried at first: of the
    /// calls that go there only a share is made twice, however slow it is, so that hedges do not multiply an outage.
    public func hedge(at now: Instant) -> Attempt? {
        let left = deadline - now
        guard hedgeAfter != nil, committed == nil, let slow = underWay.only, left > .zero,
            outcomes.count + underWay.count < options.attempts
        else { return nil }
        for option in queue where suits(option, beside: slow) {
            // A breaker that refused one of them took its others out of the queue.
            guard queue.contains(option), parts.gates.tryEnter(option.target, at: now) else { continue }
            guard parts.retries.mayRetry(home ?? slow.target.provider, ofKeyOf: nil, at: now) else {
                parts.gates.leave(option.target, .nothing, at: now)
                return nil
            }
            queue.removeAll { $0 == option }
            guard let attempt = begin(option, hasRoom: true, left: left, at: now) else { continue }
            hedge = attempt.number
            return attempt
        }
        return nil
    }

    private func suits(_ option: RoutePlan.Attempt, beside slow: Attempt) -> Bool {
        let isElsewhere = option.target != slow.target
        guard isElsewhere || hasOneTarget && option.key != slow.keyID else { return false }
        return payer(of: option.key) == .tenant || payer(of: slow) == .platform
    }

    private var hasOneTarget: Bool { Set(prepared?.route.choices.map(\.target) ?? []).count == 1 }
}

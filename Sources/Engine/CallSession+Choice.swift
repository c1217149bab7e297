import Access
public import Domain
import Routing

// What to try next.
extension CallSession {
    /// The same target once more, with the same key.
    struct Retry {
        let option: RoutePlan.Attempt
        var left: Int
        var made = 0
        /// What the provider asked for.
        var floor: Duration?
        /// Whose key was at its limit, where that was the fault.
        var owner: TenantID?
    }

    /// How often a call asks whether it is its turn at a crowded target.
    private static let turnPause = Duration.milliseconds(5)

    /// The next attempt, or why there is none; to be asked while none is under way.
    public func next(at now: Instant) -> Step {
        let left = deadline - now
        guard left > .zero else { return .fail(deadlineFailure) }
        guard outcomes.count < options.attempts else { return .fail(exhaustedFailure(at: now)) }
        if let step = takeTurn(left: left, at: now) { return step }
        while true {
            while !queue.isEmpty || !spare.isEmpty {
                if queue.isEmpty { swap(&queue, &spare) }
                let option = queue.removeFirst()
                if let attempt = begin(option, hasRoom: false, left: left, at: now) { return .send(attempt) }
            }
            if let step = waitForRoom(left: left, at: now) { return step }
            if let pause = pauseBeforeRetry(left: left) { return .pause(pause) }
            reach(for: .lastResort, at: now)
            if queue.isEmpty { return .fail(exhaustedFailure(at: now)) }
        }
    }

    /// Nothing of this target will be tried any more.
    func drop(_ target: Target) {
        queue.removeAll { $0.target == target }
        spare.removeAll { $0.target == target }
    }

    /// A call that waits at a crowded target asks whether it is its turn.
    private func takeTurn(left: Duration, at now: Instant) -> Step? {
        guard let (option, ticket) = waiting else { return nil }
        switch parts.gates.ask(ticket, at: option.target, at: now) {
        case .wait: return .pause(min(Self.turnPause, left))
        case .pass:
            waiting = nil
            return begin(option, hasRoom: true, left: left, at: now).map(Step.send)
        case .refused:
            waiting = nil
            refuseCrowded(option, at: now)
            return nil
        }
    }

    /// Nothing else is left: joins the queue of the first target that had no room.
    private func waitForRoom(left: Duration, at now: Instant) -> Step? {
        guard let option = crowded else { return nil }
        crowded = nil
        let callClass = call.wishes.callClass ?? who.key.callClass
        guard let ticket = parts.gates.queue(option.target, callClass, at: now) else {
            refuseCrowded(option, at: now)
            return nil
        }
        waiting = (option, ticket)
        return .pause(min(Self.turnPause, left))
    }

    private func refuseCrowded(_ option: RoutePlan.Attempt, at now: Instant) {
        refusals.append(
            .init(target: option.target, key: nil, reason: .crowded(until: now + .seconds(1))))
    }

    /// Queues the same target again, if its failure allows it, the budget has room, and the pause fits into the call.
    private func pauseBeforeRetry(left: Duration) -> Duration? {
        guard var again = retry, again.left > 0 else { return nil }
        let pause = Backoff.pause(retry: again.made, draw: parts.draw(), floor: again.floor)
        guard pause < left, pause <= options.retryWaitMost,
            parts.retries.mayRetry(
                again.option.target.provider, ofKeyOf: again.owner, at: parts.clock.now)
        else {
            retry = nil
            return nil
        }
        again.left -= 1
        again.made += 1
        retry = again
        queue = [again.option]
        return pause
    }

    private var deadlineFailure: CallFailure {
        CallFailure(
            .deadlineExceeded, source: .provider,
            "no answer came within the call's \((deadline - call.received).secondsRoundedUp) s; "
                + (lastFailure.map { "the last attempt: \($0.message)" } ?? "no attempt was finished"))
    }

    /// Nothing is left to try: what the last attempt showed, or that every target is out.
    private func exhaustedFailure(at now: Instant) -> CallFailure {
        if let lastFailure { return lastFailure.adding(nothingLeft.reasons(at: now)) }
        let earliest = refusals.compactMap(\.reason.until).min() ?? now + .seconds(1)
        return RoutePlan(attempts: [], skipped: refusals, retryAt: earliest).failure(at: now)
            ?? CallFailure(
                .noTarget, source: .provider, "no target can take this call", retryAfter: .seconds(1))
    }
}

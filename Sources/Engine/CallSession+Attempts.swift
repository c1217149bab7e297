import Access
package import Cipher
package import Domain
import Limits
import Metering
import Routing
package import Vault

// Attempts, from their permits to how they went.
extension CallSession {
    func begin(
        _ option: RoutePlan.Attempt, hasRoom: Bool, left: Duration, at now: Instant
    ) -> Attempt? {
        guard let provider = directory.providers[option.target.provider] else { return nil }
        guard hasRoom || parts.gates.tryEnter(option.target) else {
            crowded = crowded ?? option
            return nil
        }
        switch permit(option, at: now) {
        case .failure(let refusal):
            parts.gates.leave(option.target, .nothing, at: now)
            refusals.append(refusal.skipped)
            return nil
        case .success(let (ticket, keyPermit)):
            if outcomes.isEmpty { parts.retries.call(option.target.provider, at: now) }
            parts.gauges.began(option.target)
            let attempt = Attempt(
                target: option.target, provider: provider, key: option.key.flatMap { keys[$0] },
                number: outcomes.count + 1,
                timeouts: Timeouts(
                    connect: min(options.connect, left), firstByte: min(options.firstByte, left),
                    idle: options.idle,
                    total: left), ticket: ticket,
                drill: parts.drills.fault(
                    for: who.tenant.id, draw: parts.draw(), at: call.at + (now - call.received)),
                keyPermit: keyPermit, started: now)
            if attempt.drill != nil { drilled = true }
            current = attempt
            return attempt
        }
    }

    /// Why an attempt may not start.
    private struct Refused: Error { let skipped: RoutePlan.Skipped }

    /// The breaker's, the key's and the key's own limit's permission: all three or none.
    private func permit(
        _ option: RoutePlan.Attempt, at now: Instant
    ) -> Result<(Breaker.Ticket, Admission?), Refused> {
        let permission = parts.breakers.permit(option.target, at: now)
        parts.announce(permission.change, at: option.target, lane: lane)
        let ticket: Breaker.Ticket
        switch permission.permit {
        case .pass(let given), .probe(let given): ticket = given
        case .refuse(let refusal):
            // The breaker stands before the target, so another key does not get past it either.
            queue.removeAll { $0.target == option.target }
            return .failure(
                Refused(skipped: .init(target: option.target, key: nil, reason: .breaker(refusal))))
        }
        if let key = option.key {
            let availability = parts.credentials.take(key, for: option.target.model, at: now)
            if case .refused(let mark, let until) = availability {
                _ = parts.breakers.report(.abandoned, of: ticket, for: option.target, at: now)
                let reason = RoutePlan.Reason.credential(mark, until: until)
                return .failure(Refused(skipped: .init(target: option.target, key: key, reason: reason)))
            }
        }
        switch admitKey(option, at: now) {
        case .success(let admission): return .success((ticket, admission))
        case .failure(let failure):
            _ = parts.breakers.report(.abandoned, of: ticket, for: option.target, at: now)
            let reason = RoutePlan.Reason.keyLimit(until: now + (failure.retryAfter ?? .seconds(60)))
            return .failure(Refused(skipped: .init(target: option.target, key: option.key, reason: reason)))
        }
    }

    /// The provider key's own ceilings; a key without any costs nothing.
    private func admitKey(
        _ option: RoutePlan.Attempt, at now: Instant
    ) -> Result<Admission?, CallFailure> {
        guard let key = option.key, let limits = directory.limits[.providerKey(key)] else {
            return .success(nil)
        }
        var demand = Demand(tokens: call.estimatedTokens)
        demand.add(.providerKey(key), limits)
        return Result { () throws(CallFailure) in try parts.counters.admit(demand, at: now) }
    }

    /// Lends the attempt's provider key to one call; refuses when its sealed record does not open.
    package func withSecret<Result>(
        of attempt: Attempt, at now: Instant, _ body: (borrowing SecretBytes) -> Result
    ) throws(SealFailure) -> Result? {
        guard let key = attempt.key else { return nil }
        return try parts.secrets.withSecret(of: key, for: attempt.provider.origin, at: now, body)
    }

    /// The answer's first byte came: from here on there is no failover.
    package func firstByte(at now: Instant) {
        guard firstByteAt == nil else { return }
        firstByteAt = now
        // A long stream must not keep a half-open breaker waiting for its end.
        if let current { parts.confirm(current, at: now, lane: lane) }
    }

    /// What the answer's head said of the limits of the attempt's key.
    package func heard(_ headroom: KeyHeadroom, at now: Instant) {
        guard let attempt = current, attempt.drill == nil, let key = attempt.key else { return }
        parts.credentials.heard(headroom, of: key.id, for: attempt.target.model, at: now)
    }

    /// The attempt gave a whole, good answer.
    package func attemptAnswered(status: Int, at now: Instant) {
        finishAttempt(status: status, nil, nil, at: now)
    }

    /// The attempt failed; ask `next` for what to do, unless its first byte has gone out already.
    ///
    /// - Parameters:
    ///   - status: the upstream's, where one came.
    ///   - face: what the caller sees if nothing else helps.
    package func attemptFailed(
        _ failure: FailureClass, status: Int?, retryAfter: Duration?, face: CallFailure, at now: Instant
    ) {
        guard let attempt = current else { return }
        finishAttempt(status: status, failure, retryAfter, at: now)
        lastFailure = face
        let rule = failure.rule
        if !rule.failsOver { giveUpOthers() }
        if !rule.triesOtherKey { queue.removeAll { $0.target == attempt.target } }
        if !rule.failsOver {
            retry = nil
        } else if retry == nil, rule.retriesSameKey > 0 {
            retry = Retry(
                option: RoutePlan.Attempt(target: attempt.target, key: attempt.key?.id),
                left: rule.retriesSameKey, floor: retryAfter)
        } else if retry?.option.target == attempt.target {
            retry?.floor = retryAfter
        }
        switch failure {
        case .contextWindow: reach(for: .contextOverflow, at: now)
        case .contentPolicy: reach(for: .contentPolicy, at: now)
        default: break
        }
    }

    /// The call itself is at fault, or over: no target that was left will be tried, nor waited for. What the route holds
    /// for just this fault comes after.
    private func giveUpOthers() {
        queue.removeAll()
        crowded = nil
        spent.insert(.lastResort)
    }

    /// The attempt cannot be made: the call cannot be said in its provider's format. That is nobody's fault yet:
    /// another target may take it as it is.
    package func attemptUnsendable(_ face: CallFailure, at now: Instant) {
        guard let attempt = current else { return }
        current = nil
        parts.abandon(attempt, at: now, lane: lane)
        parts.gates.leave(attempt.target, .nothing, at: now)
        parts.gauges.ended(attempt.target, firstToken: nil, tokens: nil, at: now)
        if let permit = attempt.keyPermit { parts.counters.settle(permit, usedTokens: 0, at: now) }
        queue.removeAll { $0.target == attempt.target }
        lastFailure = lastFailure ?? face
    }

    func finishAttempt(
        status: Int?, _ failure: FailureClass?, _ retryAfter: Duration?, at now: Instant
    ) {
        guard let attempt = current else { return }
        current = nil
        outcomes.append(
            AttemptOutcome(
                target: attempt.target, providerKey: attempt.key?.id, status: status, failure: failure,
                microseconds: (now - attempt.started).wholeNanoseconds / 1_000))
        let answered = failure == nil || failure == .cancelled
        // How long a whole answer takes says how long it is.
        let firstContent =
            call.streamed || failure == .cancelled ? firstByteAt.map { $0 - attempt.started } : nil
        parts.report(
            attempt, failure, retryAfter: retryAfter, firstContent: firstContent, at: now, lane: lane)
        // A made fault says nothing of the target's load.
        parts.gates.leave(attempt.target, attempt.drill == nil ? Self.sign(of: failure) : .nothing, at: now)
        // How fast an answer came is known when the call settles.
        if answered {
            used = attempt
        } else {
            parts.gauges.ended(attempt.target, firstToken: nil, tokens: nil, at: now)
        }
        guard let permit = attempt.keyPermit else { return }
        // What an answered attempt used is known when the call settles; a refused one has used nothing.
        if answered {
            usedKey = permit
        } else {
            parts.counters.settle(permit, usedTokens: 0, at: now)
        }
    }

    /// What an attempt's end says of its target's load: a refused or dropped connection says nothing of it.
    private static func sign(of failure: FailureClass?) -> ConcurrencyGate.Sign {
        switch failure {
        case nil: .good
        case .overloaded, .timeoutBeforeFirstByte: .overload
        default: .nothing
        }
    }
}

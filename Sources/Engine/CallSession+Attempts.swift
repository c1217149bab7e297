import Access
public import Cipher
public import Domain
import Limits
import Metering
import Routing
public import Vault

// Attempts, from their permits to how they went.
extension CallSession {
    func begin(
        _ option: RoutePlan.Attempt, hasRoom: Bool, left: Duration, at now: Instant
    ) -> Attempt? {
        guard let provider = directory.entries[option.target.provider] else { return nil }
        guard hasRoom || parts.gates.tryEnter(option.target, at: now) else {
            crowded = crowded ?? option
            return nil
        }
        switch permit(option, at: now) {
        case .failure(let refusal):
            parts.gates.leave(option.target, .nothing, at: now)
            refusals.append(refusal.skipped)
            return nil
        case .success(let (ticket, keyPermit)):
            if home == nil {
                home = option.target.provider
                parts.retries.call(option.target.provider, at: now)
            }
            parts.gauges.began(option.target)
            begun += 1
            let attempt = Attempt(
                target: option.target, provider: provider, keyEntry: option.key.flatMap { keys[$0] },
                number: begun,
                timeouts: Timeouts(
                    connect: min(options.connect, left), firstByte: min(options.firstByte, left),
                    idle: options.idle,
                    total: left), ticket: ticket,
                drill: parts.drills.fault(
                    for: who.tenant.id, draw: parts.draw(), at: call.at + (now - call.received)),
                keyPermit: keyPermit, started: now)
            if attempt.drill != nil { drilled = true }
            underWay.add(attempt)
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
            drop(option.target)
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
    public func withSecret<Result>(
        of attempt: Attempt, at now: Instant, _ body: (borrowing SecretBytes) -> Result
    ) throws(SealFailure) -> Result? {
        guard let key = attempt.keyEntry else { return nil }
        return try parts.secrets.withSecret(
            of: key.record, for: attempt.provider.definition.origin, at: now, body)
    }

    /// The answer's first byte came, of an attempt or of the cache: from here on there is no failover.
    public func firstByte(of attempt: Attempt?, at now: Instant) {
        guard firstByteAt == nil else { return }
        firstByteAt = now
        guard let attempt else { return }
        committed = attempt.number
        // A long stream must not keep a half-open breaker waiting for its end.
        parts.confirm(attempt, at: now, lane: lane)
    }

    /// What the answer's head said of the limits of the attempt's key.
    public func heard(_ headroom: KeyHeadroom, by attempt: Attempt, at now: Instant) {
        guard attempt.drill == nil, let key = attempt.keyID else { return }
        parts.credentials.heard(headroom, of: key, for: attempt.target.model, at: now)
    }

    // MARK: How they went

    /// The attempt gave a whole, good answer.
    public func attemptAnswered(_ attempt: Attempt, status: Int, at now: Instant) {
        guard underWay.remove(attempt) else { return }
        end(attempt, status: status, nil, nil, at: now)
        used = attempt
    }

    /// The attempt failed. While another is under way that one counts; else ask `next` for what to do, unless the first
    /// byte has gone out already.
    ///
    /// - Parameters:
    ///   - status: the upstream's, where one came.
    ///   - face: what the caller sees if nothing else helps.
    public func attemptFailed(
        _ attempt: Attempt, _ failure: FailureClass, status: Int?, retryAfter: Duration?, face: CallFailure,
        at now: Instant
    ) {
        guard underWay.remove(attempt) else { return }
        end(attempt, status: status, failure, retryAfter, at: now)
        if attempt.number == committed { used = attempt } else { release(attempt, usedTokens: 0, at: now) }
        let rule = failure.rule
        if !rule.failsOver { giveUpOthers() }
        if !rule.triesOtherKey { drop(attempt.target) }
        note(attempt, failure, retryAfter, face)
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
        spare.removeAll()
        crowded = nil
        spent.insert(.lastResort)
    }

    /// Remembers what to tell the caller, and what to try once more.
    private func note(
        _ attempt: Attempt, _ failure: FailureClass, _ retryAfter: Duration?, _ face: CallFailure
    ) {
        let rule = failure.rule
        guard rule.failsOver else {
            retry = nil
            lastFailure = face
            isRefused = !underWay.isEmpty && failure != .cancelled
            return
        }
        // What one provider said of the call itself stands, whatever became of the attempt beside it.
        guard !isRefused else { return }
        lastFailure = face
        let isLimited = failure == .keyRateLimit
        // Without a word of how long, a limited key rests for longer than a call waits.
        if retry == nil, rule.retriesSameKey > 0, !isLimited || retryAfter != nil {
            retry = Retry(
                option: RoutePlan.Attempt(target: attempt.target, key: attempt.keyID),
                left: rule.retriesSameKey, floor: retryAfter,
                owner: isLimited ? attempt.keyEntry?.record.tenant : nil)
        } else if retry?.option.target == attempt.target {
            retry?.floor = retryAfter
        }
    }

    /// The attempt cannot be made: the call cannot be said in its provider's format. That is nobody's fault yet:
    /// another target may take it as it is.
    public func attemptUnsendable(_ attempt: Attempt, _ face: CallFailure, at now: Instant) {
        guard underWay.remove(attempt) else { return }
        parts.abandon(attempt, at: now, lane: lane)
        parts.gates.leave(attempt.target, .nothing, at: now)
        release(attempt, usedTokens: 0, at: now)
        if hedge == attempt.number { hedge = nil }
        drop(attempt.target)
        lastFailure = lastFailure ?? face
    }

    /// The attempt was given up because the one beside it answers, or because the caller left: no fault of its target.
    ///
    /// - Parameter estimate: what its provider may bill all the same; nil = nothing.
    public func attemptAbandoned(_ attempt: Attempt, estimate: Usage?, at now: Instant) {
        guard underWay.remove(attempt) else { return }
        end(attempt, status: nil, .cancelled, nil, at: now)
        release(attempt, usedTokens: estimate?.total ?? 0, at: now)
        lost = estimate.map { (attempt.target, $0) }
    }

    /// Tells everybody but the gauge and the key's limit, which want to know what was used.
    func end(
        _ attempt: Attempt, status: Int?, _ failure: FailureClass?, _ retryAfter: Duration?, at now: Instant
    ) {
        let outcome = AttemptOutcome(
            target: attempt.target, providerKey: attempt.keyID, status: status, failure: failure,
            microseconds: (now - attempt.started).wholeNanoseconds / 1_000,
            startMicroseconds: (attempt.started - call.received).wholeNanoseconds / 1_000)
        // In the order of their beginnings: one that outlasts its hedge stands before it.
        let outlasted = hedge.map { attempt.number < $0 && !underWay.contains($0) } ?? false
        if outlasted { outcomes.insert(outcome, at: outcomes.count - 1) } else { outcomes.append(outcome) }
        // How long a whole answer takes says how long it is.
        let firstContent =
            attempt.number == committed && (call.streamed || failure == .cancelled)
            ? firstByteAt.map { $0 - attempt.started } : nil
        parts.report(
            attempt, failure, retryAfter: retryAfter, firstContent: firstContent, at: now, lane: lane)
        // A made fault says nothing of the target's load.
        parts.gates.leave(attempt.target, attempt.drill == nil ? Self.sign(of: failure) : .nothing, at: now)
    }

    /// Gives back what an attempt that did not answer holds.
    func release(_ attempt: Attempt, usedTokens: Int64, at now: Instant) {
        parts.gauges.ended(attempt.target, firstToken: nil, tokens: nil, at: now)
        if let permit = attempt.keyPermit { parts.counters.settle(permit, usedTokens: usedTokens, at: now) }
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

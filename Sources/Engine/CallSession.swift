package import Access
package import Cache
package import Cipher
package import Domain
import Events
package import Limits
import Locking
import Metering
import Routing
import Storage
package import Vault

/// One admitted call: hands out its attempts, hears how they went, and settles exactly once.
///
/// Confined to the event loop that the call arrived on. The interface moves the bytes; every decision is here.
package final class CallSession {
    /// What to do next.
    package enum Step {
        case send(Attempt)
        /// Ask again after this pause: the only target left failed a moment ago.
        case pause(Duration)
        case fail(CallFailure)
    }

    /// One try: where to, with which key, and until when.
    package struct Attempt {
        package let target: Target
        package let provider: ProviderDefinition
        package let key: ProviderKeyRecord?
        package let number: Int
        package let timeouts: Timeouts
        let ticket: Breaker.Ticket
        /// Of the provider key's own limits.
        let keyPermit: Admission?
        let started: Instant
    }

    /// Bounds of one attempt.
    package struct Timeouts: Sendable, Hashable {
        package let connect: Duration
        package let firstByte: Duration
        package let idle: Duration
        /// What is left of the whole call.
        package let total: Duration
    }

    package let call: InboundCall
    package let who: Authorized
    private let parts: PathParts
    private let admission: Admitted
    private let directory: Directory
    private let lane: Int
    private let options: PathOptions
    private let deadline: Instant

    private var route: RoutePlan?
    private var queue: [RoutePlan.Attempt] = []
    private var keys: [ProviderKeyID: ProviderKeyRecord] = [:]
    private var current: Attempt?
    /// What to try once more at the end, if nothing else helped, and how often.
    private var retry: (option: RoutePlan.Attempt, left: Int)?
    private var outcomes: [AttemptOutcome] = []
    private var lastFailure: CallFailure?
    private var refusals: [RoutePlan.Skipped] = []
    private var firstByteAt: Instant?
    /// The permit of the key that answered.
    private var usedKey: Admission?
    private var settled = false

    init(
        parts: PathParts, call: InboundCall, who: Authorized, admission: Admitted, directory: Directory,
        lane: Int
    ) {
        self.parts = parts
        self.call = call
        self.who = who
        self.admission = admission
        self.directory = directory
        self.lane = lane
        options = parts.options.load()
        deadline = call.received + min(options.total, call.timeout ?? options.total)
        parts.publish(
            .callStarted(.init(call: call.id, tenant: who.tenant.id, at: call.at)), lane: lane)
    }

    deinit {
        // A session that was dropped without an ending is a fault of ours; its permits must not leak with it.
        assert(settled, "a call session was dropped without being settled")
        if !settled {
            settle(
                .init(end: .failed, status: 500, failure: .internalFault, usage: nil, estimate: nil),
                at: parts.clock.now)
        }
    }

    // MARK: Before the first attempt

    private var cacheKey: CacheKey? {
        guard options.cacheEnabled, call.cache.enabled, who.tenant.cacheEnabled, let digest = call.bodyDigest
        else { return nil }
        return CacheKey(tenant: who.tenant.id, digest: digest)
    }

    /// An answer from the tenant's own part of the cache.
    func findCached() -> CachedAnswer? { cacheKey.flatMap { parts.cache.find($0, at: call.received) } }

    /// Orders what can be tried; refuses when there is nothing at all.
    func plan() throws(CallFailure) {
        let (strategy, choices) = directory.choices(
            for: call.model, tenant: who.tenant.id, dialect: call.dialect)
        guard !choices.isEmpty else {
            settleRefused(.modelNotFound, status: 404)
            throw CallFailure(
                .modelNotFound, source: .caller,
                "no provider serves the model \"\(call.model)\" in this format for this virtual key; "
                    + "GET /v1/models lists what does, or name it PROVIDER/MODEL", field: "model")
        }
        let candidates = choices.compactMap { choice -> Candidate? in
            guard let provider = directory.providers[choice.target.provider] else { return nil }
            // The newest active key first: after a rotation that is the successor; a draining one is its reserve.
            let owned = (directory.keys[who.tenant.id]?[provider.name] ?? []).reversed()
            for key in owned { keys[key.id] = key }
            return Candidate(
                target: choice.target, weight: choice.weight, keys: owned.map(\.id), keyless: provider.keyless
            )
        }
        let order = StrategyList.strategy(named: strategy).order(candidates, draw: parts.draw())
        let route = RoutePlanner(attemptsMax: options.attempts).plan(
            candidates, order: order, breakers: parts.breakers.outlooks(of: candidates, at: call.received),
            credentials: parts.credentials.availabilities(of: candidates, at: call.received),
            at: call.received)
        if let failure = route.failure(at: call.received) {
            settle(
                .init(end: .failed, status: failure.status, failure: failure.code, usage: nil, estimate: nil),
                at: call.received)
            throw failure
        }
        queue = route.attempts
        self.route = route
    }

    // MARK: Attempts

    /// The next attempt, or why there is none.
    package func next(at now: Instant) -> Step {
        let left = deadline - now
        guard left > .zero else { return .fail(deadlineFailure) }
        guard outcomes.count < options.attempts else { return .fail(exhaustedFailure(at: now)) }
        while !queue.isEmpty {
            let option = queue.removeFirst()
            if let attempt = begin(option, left: left, at: now) { return .send(attempt) }
        }
        if let again = retry, again.left > 0 {
            retry = (again.option, again.left - 1)
            queue = [again.option]
            return .pause(min(options.retryPause, left))
        }
        return .fail(exhaustedFailure(at: now))
    }

    private func begin(_ option: RoutePlan.Attempt, left: Duration, at now: Instant) -> Attempt? {
        guard let provider = directory.providers[option.target.provider] else { return nil }
        let permission = parts.breakers.permit(option.target, at: now)
        parts.announce(permission.change, at: option.target, lane: lane)
        let ticket: Breaker.Ticket
        switch permission.permit {
        case .pass(let given), .probe(let given): ticket = given
        case .refuse(let refusal):
            refusals.append(.init(target: option.target, key: nil, reason: .breaker(refusal)))
            // The breaker stands before the target, so another key does not get past it either.
            queue.removeAll { $0.target == option.target }
            return nil
        }
        if let key = option.key {
            let availability = parts.credentials.take(key, for: option.target.model, at: now)
            if case .refused(let mark, let until) = availability {
                _ = parts.breakers.report(.abandoned, of: ticket, for: option.target, at: now)
                refusals.append(
                    .init(target: option.target, key: key, reason: .credential(mark, until: until)))
                return nil
            }
        }
        let keyPermit: Admission?
        switch admitKey(option, at: now) {
        case .success(let admission): keyPermit = admission
        case .failure(let refusal):
            _ = parts.breakers.report(.abandoned, of: ticket, for: option.target, at: now)
            refusals.append(
                .init(
                    target: option.target, key: option.key,
                    reason: .keyLimit(until: now + (refusal.retryAfter ?? .seconds(60)))))
            return nil
        }
        let attempt = Attempt(
            target: option.target, provider: provider, key: option.key.flatMap { keys[$0] },
            number: outcomes.count + 1,
            timeouts: Timeouts(
                connect: min(options.connect, left), firstByte: min(options.firstByte, left),
                idle: options.idle,
                total: left), ticket: ticket, keyPermit: keyPermit, started: now)
        current = attempt
        return attempt
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
    package func firstByte(at now: Instant) { if firstByteAt == nil { firstByteAt = now } }

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
        if !rule.failsOver { queue.removeAll() }
        if !rule.triesOtherKey { queue.removeAll { $0.target == attempt.target } }
        if rule.retriesSameKey > 0, retry == nil {
            retry = (RoutePlan.Attempt(target: attempt.target, key: attempt.key?.id), rule.retriesSameKey)
        }
        if !rule.failsOver { retry = nil }
    }

    /// The attempt cannot be made: the call cannot be said in its provider's format. That is nobody's fault yet:
    /// another target may take it as it is.
    package func attemptUnsendable(_ face: CallFailure, at now: Instant) {
        guard let attempt = current else { return }
        current = nil
        parts.abandon(attempt, at: now, lane: lane)
        if let permit = attempt.keyPermit { parts.counters.settle(permit, usedTokens: 0, at: now) }
        queue.removeAll { $0.target == attempt.target }
        lastFailure = lastFailure ?? face
    }

    private func finishAttempt(
        status: Int?, _ failure: FailureClass?, _ retryAfter: Duration?, at now: Instant
    ) {
        guard let attempt = current else { return }
        current = nil
        outcomes.append(
            AttemptOutcome(
                target: attempt.target, providerKey: attempt.key?.id, status: status, failure: failure,
                microseconds: (now - attempt.started).wholeNanoseconds / 1_000))
        parts.report(attempt, failure, retryAfter: retryAfter, tenant: who.tenant.id, at: now, lane: lane)
        guard let permit = attempt.keyPermit else { return }
        // What an answered attempt used is known when the call settles; a refused one has used nothing.
        if failure == nil || failure == .cancelled {
            usedKey = permit
        } else {
            parts.counters.settle(permit, usedTokens: 0, at: now)
        }
    }

    // MARK: The one ending

    /// How a call ended, as the interface saw it.
    package struct Ending {
        package var end: CallEnd
        package var status: Int
        package var failure: CallFailure.Code?
        /// What the provider reported; nil when it reported nothing.
        package var usage: Usage?
        /// What we count instead when the provider reported nothing but something was used.
        package var estimate: Usage?

        package init(end: CallEnd, status: Int, failure: CallFailure.Code?, usage: Usage?, estimate: Usage?) {
            self.end = end
            self.status = status
            self.failure = failure
            self.usage = usage
            self.estimate = estimate
        }
    }

    /// Settles the call: gives permits back, meters what was used, tells the watchers. Later calls do nothing.
    ///
    /// Called before the answer's last byte is written, so that an answer which a caller has seen whole is already
    /// in the ledger's durable queue.
    ///
    /// - Returns: the cost, where the price is known.
    @discardableResult
    package func settle(_ ending: Ending, cached: CachedAnswer? = nil, at now: Instant) -> Money? {
        guard !settled else { return nil }
        settled = true
        if current != nil { finishAttempt(status: nil, .cancelled, nil, at: now) }
        let row = makeRow(ending, cached: cached, at: now)
        parts.journal.append(row)
        parts.counters.settle(admission.permits, usedTokens: row.usage.total, at: now)
        if let usedKey { parts.counters.settle(usedKey, usedTokens: row.usage.total, at: now) }
        parts.inFlight.leave()
        parts.publish(.callFinished(.init(row: row, attempts: outcomes)), lane: lane)
        return row.cost
    }

    private func makeRow(_ ending: Ending, cached: CachedAnswer?, at now: Instant) -> LedgerRow {
        let last = outcomes.last { $0.failure == nil } ?? outcomes.last
        let usage = cached == nil ? ending.usage ?? ending.estimate : nil
        let price = last.flatMap { outcome in
            directory.providers[outcome.target.provider].flatMap {
                directory.prices.price(provider: $0.name, model: outcome.target.model, kind: $0.kind)
            }
        }
        let cost: Money? =
            if let usage, usage.total > 0 { price.map { directory.prices.cost(of: usage, at: $0) } } else {
                .zero
            }
        return LedgerRow(
            call: call.id, tenant: who.tenant.id, virtualKey: who.key.id, at: call.at + (now - call.received),
            dialect: call.dialect, model: call.model.text, target: cached == nil ? last?.target : nil,
            providerKey: cached == nil ? last?.providerKey : nil, user: who.key.user?.text ?? "",
            team: who.key.team?.text ?? "", tags: call.tags, status: ending.status, end: ending.end,
            failure: ending.failure, cache: cached != nil ? .hit : cacheKey == nil ? .bypass : .miss,
            attempts: outcomes.count, usage: usage ?? Usage(),
            usageSource: usage == nil ? .none : ending.usage == nil ? .estimated : .reported, cost: cost,
            saved: cached?.cost, priceVersion: directory.prices.version,
            latencyMicroseconds: (now - call.received).wholeNanoseconds / 1_000,
            firstByteMicroseconds: firstByteAt.map { ($0 - call.received).wholeNanoseconds / 1_000 } ?? 0)
    }

    /// Keeps a whole, good answer for the tenant, if it may be kept.
    package func store(_ answer: CachedAnswer) {
        guard let key = cacheKey else { return }
        parts.cache.store(answer, for: key, timeToLive: call.cache.timeToLive ?? options.cacheTimeToLive)
    }

    /// Whether an answer would be kept: the interface need not collect it otherwise.
    package var mayStore: Bool { cacheKey != nil }

    package var attemptCount: Int { outcomes.count }
    package var cacheOutcome: CacheOutcome { cacheKey == nil ? .bypass : .miss }
    package var limitFacts: LimitFacts { admission.permits.facts }

    private func settleRefused(_ code: CallFailure.Code, status: Int) {
        settle(
            .init(end: .refused, status: status, failure: code, usage: nil, estimate: nil), at: call.received)
    }

    private var deadlineFailure: CallFailure {
        CallFailure(
            .deadlineExceeded, source: .provider,
            "no answer came within the call's \((deadline - call.received).secondsRoundedUp) s; "
                + (lastFailure.map { "the last attempt: \($0.message)" } ?? "no attempt was finished"))
    }

    /// Nothing is left to try: what the last attempt showed, or that every target is out.
    private func exhaustedFailure(at now: Instant) -> CallFailure {
        if let lastFailure { return lastFailure }
        let all = (route?.skipped ?? []) + refusals
        let earliest = all.compactMap(\.reason.until).min() ?? now + .seconds(1)
        return RoutePlan(attempts: [], skipped: all, retryAt: earliest).failure(at: now)
            ?? CallFailure(
                .noTarget, source: .provider, "no target can take this call", retryAfter: .seconds(1))
    }
}

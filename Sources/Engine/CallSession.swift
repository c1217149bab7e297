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
        /// What the attempt meets instead of the provider's own behaviour.
        package let drill: DrillFault?
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

    private let finder: RouteFinder
    private var question: RouteQuestion
    private var route: Route?
    private var queue: [RoutePlan.Attempt] = []
    private var keys: [ProviderKeyID: ProviderKeyRecord] = [:]
    private var current: Attempt?
    /// What to try once more at the end, if nothing else helped.
    private var retry: Retry?
    /// The first that found no room at its target, and its place in the queue there once it has one.
    private var crowded: RoutePlan.Attempt?
    private var waiting: (option: RoutePlan.Attempt, ticket: ConcurrencyGate.Ticket)?
    /// Parts of the route that have had their turn.
    private var spent: Set<Reserve> = []
    private var outcomes: [AttemptOutcome] = []
    private var lastFailure: CallFailure?
    private var refusals: [RoutePlan.Skipped] = []
    private var firstByteAt: Instant?
    /// The permit of the key that answered.
    private var usedKey: Admission?
    /// The attempt that answered, or was under way when the caller left.
    private var used: Attempt?
    private var settled = false
    /// Whether a drill met one of the attempts.
    private var drilled = false

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
        finder = RouteFinder(parts, directory, attemptsMax: options.attempts)
        question = RouteQuestion(
            model: call.model, tenant: who.tenant, dialect: call.dialect, wishes: call.wishes,
            input: call.estimatedTokens - call.estimatedOutput, output: call.estimatedOutput)
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
        question.draw = parts.draw()
        let found = finder.find(question, at: call.received)
        guard found.isKnown else {
            settleRefused(.modelNotFound, status: 404)
            throw CallFailure(
                .modelNotFound, source: .caller,
                "no provider serves the model \"\(call.model)\" in this format for this virtual key; "
                    + "GET /v1/models lists what does, or name it PROVIDER/MODEL", field: "model")
        }
        route = found.route
        take(found)
        if queue.isEmpty { reach(for: .lastResort, at: call.received) }
        guard queue.isEmpty, let failure = found.plan.failure(at: call.received) else { return }
        settle(
            .init(end: .failed, status: failure.status, failure: failure.code, usage: nil, estimate: nil),
            at: call.received)
        throw failure
    }

    private func take(_ found: RouteFinder.Found) {
        keys.merge(found.keys) { _, new in new }
        refusals += found.plan.skipped
        queue += found.plan.attempts
    }

    /// What a route holds in reserve.
    private enum Reserve { case lastResort, contextOverflow, contentPolicy }

    /// Queues a reserve of the route, once.
    private func reach(for reserve: Reserve, at now: Instant) {
        guard let route, spent.insert(reserve).inserted else { return }
        let targets =
            switch reserve {
            case .lastResort: route.lastResort.map { [$0] } ?? []
            case .contextOverflow: route.onContextOverflow
            case .contentPolicy: route.onContentPolicy
            }
        let fresh = targets.filter { target in
            directory.serves(target.provider, call.dialect) && !outcomes.contains { $0.target == target }
        }
        guard !fresh.isEmpty else { return }
        take(finder.find(question, among: fresh.map { Route.Choice(target: $0) }, of: route, at: now))
    }

    // MARK: Attempts

    /// The same target once more, with the same key.
    private struct Retry {
        let option: RoutePlan.Attempt
        var left: Int
        var made = 0
        /// What the provider asked for.
        var floor: Duration?
    }

    /// How often a call asks whether it is its turn at a crowded target.
    private static let turnPause = Duration.milliseconds(5)

    /// The next attempt, or why there is none.
    package func next(at now: Instant) -> Step {
        let left = deadline - now
        guard left > .zero else { return .fail(deadlineFailure) }
        guard outcomes.count < options.attempts else { return .fail(exhaustedFailure(at: now)) }
        if let step = takeTurn(left: left, at: now) { return step }
        while true {
            while !queue.isEmpty {
                let option = queue.removeFirst()
                if let attempt = begin(option, hasRoom: false, left: left, at: now) { return .send(attempt) }
            }
            if let step = waitForRoom(left: left, at: now) { return step }
            if let pause = pauseBeforeRetry(left: left) { return .pause(pause) }
            reach(for: .lastResort, at: now)
            if queue.isEmpty { return .fail(exhaustedFailure(at: now)) }
        }
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
            parts.retries.mayRetry(again.option.target.provider, at: parts.clock.now)
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

    private func begin(
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
        if !rule.failsOver { queue.removeAll() }
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

    private func finishAttempt(
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
        let firstContent = call.streamed ? firstByteAt.map { $0 - attempt.started } : nil
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
        if let waiting { parts.gates.abandon(waiting.ticket, at: waiting.option.target) }
        measure(row.usage, whole: ending.end == .answered, at: now)
        parts.inFlight.leave()
        parts.publish(.callFinished(.init(row: row, attempts: outcomes, drill: drilled)), lane: lane)
        return row.cost
    }

    /// Tells the gauges how fast the answer came; one that was cut or left says nothing.
    private func measure(_ usage: Usage, whole: Bool, at now: Instant) {
        guard let used else { return }
        let first = whole ? firstByteAt : nil
        // A whole answer comes at once: its tokens were made in the time before.
        let from = call.streamed ? first : used.started
        parts.gauges.ended(
            used.target, firstToken: first.map { $0 - used.started },
            tokens: first == nil ? nil : from.map { (count: usage.output + usage.reasoning, over: now - $0) },
            at: now)
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
            firstByteMicroseconds: firstByteAt.map { ($0 - call.received).wholeNanoseconds / 1_000 } ?? 0,
            payer: cached == nil ? payer(of: last?.providerKey) : .tenant)
    }

    private func payer(of key: ProviderKeyID?) -> Payer {
        guard let key, let owner = keys[key]?.tenant else { return .tenant }
        return owner == who.tenant.id ? .tenant : .platform
    }

    /// Who pays for the attempt that answers.
    package var payer: Payer { payer(of: (used ?? current)?.key?.id) }

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
        let earliest = refusals.compactMap(\.reason.until).min() ?? now + .seconds(1)
        return RoutePlan(attempts: [], skipped: refusals, retryAt: earliest).failure(at: now)
            ?? CallFailure(
                .noTarget, source: .provider, "no target can take this call", retryAfter: .seconds(1))
    }
}

package import Access
package import Cache
package import Cipher
package import Domain
import Events
package import Routing
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
        let permit: BreakerPermit
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

    /// One thing that can be tried.
    private struct Option {
        let target: Target
        let provider: ProviderDefinition
        let key: ProviderKeyRecord?
    }

    package let call: InboundCall
    package let who: Authorized
    private let parts: PathParts
    private let admission: Admitted
    private let directory: Directory
    private let lane: Int
    private let options: PathOptions
    private let deadline: Instant

    private var queue: [Option] = []
    private var current: Attempt?
    /// What to try once more at the end, if nothing else helped, and how often.
    private var retry: (option: Option, left: Int)?
    private var outcomes: [AttemptOutcome] = []
    private var lastFailure: CallFailure?
    private var soonest: Instant?
    private var skipped: [String] = []
    private var firstByteAt: Instant?
    private var settled = false

    init(
        parts: PathParts, call: InboundCall, who: Authorized, admission: Admitted, directory: Directory, lane: Int
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
        let (strategy, choices) = directory.choices(for: call.model, tenant: who.tenant.id, dialect: call.dialect)
        guard !choices.isEmpty else {
            settleRefused(.modelNotFound, status: 404)
            throw CallFailure(
                .modelNotFound, source: .caller,
                "no provider serves the model \"\(call.model)\" in this format for this virtual key; "
                    + "GET /v1/models lists what does, or name it PROVIDER/MODEL", field: "model")
        }
        let candidates = choices.map { Candidate(target: $0.target, weight: $0.weight) }
        let ordered = StrategyList.strategy(strategy).order(candidates, draw: parts.draw())
        let owned = directory.keys[who.tenant.id] ?? [:]
        var withoutKey: [Target] = []
        for candidate in ordered {
            guard let provider = directory.providers[candidate.target.provider] else { continue }
            let keys = owned[provider.name] ?? []
            if keys.isEmpty, provider.keyless {
                queue.append(Option(target: candidate.target, provider: provider, key: nil))
            } else if keys.isEmpty {
                withoutKey.append(candidate.target)
            }
            // The newest key first: after a rotation it is the successor, the draining one serves as its reserve.
            for key in keys.reversed() {
                queue.append(Option(target: candidate.target, provider: provider, key: key))
            }
        }
        guard queue.isEmpty else { return }
        settleRefused(.noProviderKey, status: 424)
        let names = Set(withoutKey.map(\.provider.text)).sorted().joined(separator: ", ")
        throw CallFailure(
            .noProviderKey, source: .caller,
            "this tenant has no usable key for \(names); add one with: gatehouse key add TENANT PROVIDER")
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

    private func begin(_ option: Option, left: Duration, at now: Instant) -> Attempt? {
        if let key = option.key {
            if case .unusable(let why, let until) = parts.credentials.state(of: key.id, model: option.target.model, at: now)
            {
                skip("\(option.target): \(why)", until: until)
                return nil
            }
        }
        let (permit, change) = parts.breakers.permit(option.target, at: now)
        parts.announce(change, at: option.target, lane: lane)
        switch permit {
        case .refuse(let retryAt, let why):
            skip("\(option.target): \(why)", until: retryAt)
            // The breaker stands before the target, so another key does not get past it either.
            queue.removeAll { $0.target == option.target }
            return nil
        case .pass, .probe:
            let attempt = Attempt(
                target: option.target, provider: option.provider, key: option.key, number: outcomes.count + 1,
                timeouts: Timeouts(
                    connect: min(options.connect, left), firstByte: min(options.firstByte, left), idle: options.idle,
                    total: left), permit: permit, started: now)
            current = attempt
            return attempt
        }
    }

    private func skip(_ why: String, until: Instant?) {
        if skipped.count < 16 { skipped.append(why) }
        if let until { soonest = min(soonest ?? until, until) }
    }

    /// Lends the attempt's provider key to one call; refuses when its sealed record does not open.
    package func withSecret<Result>(
        of attempt: Attempt, at now: Instant, _ body: (borrowing SecretBytes) throws -> Result
    ) throws -> Result {
        guard let key = attempt.key else { throw SealFailure.invalid }
        return try parts.secrets.withSecret(key, origin: attempt.provider.origin, at: now, body)
    }

    /// The answer's first byte came: from here on there is no failover.
    package func firstByte(at now: Instant) { if firstByteAt == nil { firstByteAt = now } }

    /// The attempt gave a whole, good answer.
    package func attemptAnswered(status: Int, at now: Instant) { finishAttempt(status: status, nil, nil, at: now) }

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
            retry = (
                Option(target: attempt.target, provider: attempt.provider, key: attempt.key), rule.retriesSameKey
            )
        }
        if !rule.failsOver { retry = nil }
    }

    private func finishAttempt(status: Int?, _ failure: FailureClass?, _ retryAfter: Duration?, at now: Instant) {
        guard let attempt = current else { return }
        current = nil
        outcomes.append(
            AttemptOutcome(
                target: attempt.target, providerKey: attempt.key?.id, status: status, failure: failure,
                microseconds: (now - attempt.started).wholeNanoseconds / 1_000))
        parts.report(attempt, failure, retryAfter: retryAfter, tenant: who.tenant.id, at: now, lane: lane)
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
            if let usage, usage.total > 0 { price.map { directory.prices.cost(of: usage, at: $0) } } else { .zero }
        return LedgerRow(
            call: call.id, tenant: who.tenant.id, virtualKey: who.virtualKey.id, at: call.at + (now - call.received),
            dialect: call.dialect, model: call.model.text, target: cached == nil ? last?.target : nil,
            providerKey: cached == nil ? last?.providerKey : nil, user: who.virtualKey.user?.text ?? "",
            team: who.virtualKey.team?.text ?? "", tags: call.tags, status: ending.status, end: ending.end,
            failure: ending.failure, cache: cached != nil ? .hit : cacheKey == nil ? .bypass : .miss,
            attempts: outcomes.count, usage: usage ?? Usage(),
            usageSource: usage == nil ? .none : ending.usage == nil ? .estimated : .reported, cost: cost,
            saved: cached?.cost, priceVersion: directory.prices.version,
            latencyMicroseconds: (now - call.received).wholeNanoseconds / 1_000,
            firstByteMicroseconds: firstByteAt.map { ($0 - call.received).wholeNanoseconds / 1_000 } ?? 0)
    }

    /// Keeps a whole, good answer for the tenant, if it may be kept.
    package func store(_ answer: CachedAnswer, at now: Instant) {
        guard let key = cacheKey else { return }
        parts.cache.store(answer, for: key, timeToLive: call.cache.timeToLive ?? options.cacheTimeToLive, at: now)
    }

    /// Whether an answer would be kept: the interface need not collect it otherwise.
    package var mayStore: Bool { cacheKey != nil }

    package var attemptCount: Int { outcomes.count }
    package var cacheOutcome: CacheOutcome { cacheKey == nil ? .bypass : .miss }
    package var limitFacts: LimitFacts { admission.permits.facts }

    private func settleRefused(_ code: CallFailure.Code, status: Int) {
        settle(.init(end: .refused, status: status, failure: code, usage: nil, estimate: nil), at: call.received)
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
        let wait = soonest.map { max(.seconds(1), $0 - now) }
        return CallFailure(
            .noTarget, source: .provider, "no target can take this call: " + skipped.joined(separator: "; "),
            retryAfter: wait ?? .seconds(5))
    }
}

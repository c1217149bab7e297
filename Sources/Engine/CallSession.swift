public import Access
public import Cache
public import Domain
import Events
import Limits
import Locking
import Metering
import Routing
import Storage

/// One admitted call: hands out its attempts, hears how they went, and settles exactly once.
///
/// Confined to the event loop that the call arrived on. The interface moves the bytes; every decision is here.
public final class CallSession {
    /// What to do next.
    public enum Step {
        case send(Attempt)
        /// Ask again after this pause: the only target left failed a moment ago.
        case pause(Duration)
        case fail(CallFailure)
    }

    /// One try: where to, with which key, and until when. A class, as it is handed around a dozen times.
    public final class Attempt {
        public let target: Target
        public let provider: ProviderEntry
        let keyEntry: KeyEntry?
        public let number: Int
        public let timeouts: Timeouts
        let ticket: Breaker.Ticket
        /// What the attempt meets instead of the provider's own behaviour.
        public let drill: DrillFault?
        /// Of the provider key's own limits.
        let keyPermit: Admission?
        public let started: Instant

        init(
            target: Target, provider: ProviderEntry, keyEntry: KeyEntry?, number: Int,
            timeouts: Timeouts, ticket: Breaker.Ticket, drill: DrillFault?, keyPermit: Admission?,
            started: Instant
        ) {
            self.target = target
            self.provider = provider
            self.keyEntry = keyEntry
            self.number = number
            self.timeouts = timeouts
            self.ticket = ticket
            self.drill = drill
            self.keyPermit = keyPermit
            self.started = started
        }

        public var key: ProviderKeyRecord? { keyEntry?.record }
        public var keyID: ProviderKeyID? { keyEntry?.record.id }
    }

    /// Bounds of one attempt.
    public struct Timeouts: Sendable, Hashable {
        public let connect: Duration
        public let firstByte: Duration
        public let idle: Duration
        /// What is left of the whole call.
        public let total: Duration
    }

    public let call: InboundCall
    public let who: Authorized
    let parts: PathParts
    let admission: Admitted
    let directory: Directory
    let lane: Int
    let options: PathOptions
    let deadline: Instant

    let finder: RouteFinder
    var question: RouteQuestion
    var prepared: PreparedRoute?
    var queue: [RoutePlan.Attempt] = []
    /// What the plan left out because a call makes only so many attempts: it has its turn when others could not even
    /// begin.
    var spare: [RoutePlan.Attempt] = []
    var keys: [ProviderKeyID: KeyEntry] = [:]
    public internal(set) var underWay = AttemptsUnderWay()
    /// Attempts begun so far: each one's number tells it apart.
    var begun = 0
    /// Where the call was tried first.
    var home: ProviderName?
    /// The number of the attempt that runs, or ran, beside another.
    var hedge: Int?
    /// What the hedge, or the attempt it ran beside, may have used before it was given up.
    var lost: (target: Target, usage: Usage)?
    /// Whether a provider has refused the call itself while another was still at it.
    var isRefused = false
    /// What to try once more at the end, if nothing else helped.
    var retry: Retry?
    /// The first that found no room at its target, and its place in the queue there once it has one.
    var crowded: RoutePlan.Attempt?
    var waiting: (option: RoutePlan.Attempt, ticket: ConcurrencyGate.Ticket)?
    /// Parts of the route that have had their turn.
    var spent: Set<Reserve> = []
    var outcomes: [AttemptOutcome] = []
    var lastFailure: CallFailure?
    var refusals: [RoutePlan.Skipped] = []
    /// When anything of the route may be tried again, where none of it may be now.
    var retryAt: Instant?
    var firstByteAt: Instant?
    /// The number of the attempt whose first byte went to the caller.
    var committed: Int?
    /// The attempt that answered, or was under way when the caller left: what it used is known when the call settles.
    var used: Attempt?
    var settled = false
    /// Whether a drill met one of the attempts.
    var drilled = false

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

    var cacheKey: CacheKey? {
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
        prepared = found.prepared
        take(found)
        if queue.isEmpty { reach(for: .lastResort, at: call.received) }
        guard queue.isEmpty, let failure = nothingLeft.failure(at: call.received) else { return }
        settle(
            .init(end: .failed, status: failure.status, failure: failure.code, usage: nil, estimate: nil),
            at: call.received)
        throw failure
    }

    func take(_ found: RouteFinder.Found) {
        if keys.isEmpty { keys = found.keys } else { keys.merge(found.keys) { _, new in new } }
        for skipped in found.plan.skipped {
            if case .enough = skipped.reason {
                spare.append(.init(target: skipped.target, key: skipped.key))
            } else {
                refusals.append(skipped)
            }
        }
        if queue.isEmpty { queue = found.plan.attempts } else { queue += found.plan.attempts }
        if let moment = found.plan.retryAt { retryAt = min(retryAt ?? moment, moment) }
    }

    /// The plan when nothing in it may be tried.
    var nothingLeft: RoutePlan { RoutePlan(attempts: [], skipped: refusals, retryAt: retryAt) }

    /// What a route holds in reserve.
    enum Reserve { case lastResort, contextOverflow, contentPolicy }

    /// Queues a reserve of the route, once.
    func reach(for reserve: Reserve, at now: Instant) {
        guard let prepared, spent.insert(reserve).inserted else { return }
        let route = prepared.route
        let targets =
            switch reserve {
            case .lastResort: route.lastResort.map { [$0] } ?? []
            case .contextOverflow: route.onContextOverflow
            case .contentPolicy: route.onContentPolicy
            }
        let fresh = targets.filter { target in
            directory.serves(target.provider, call.dialect) && !outcomes.contains { $0.target == target }
                && !underWay.contains(where: { $0.target == target })
        }
        guard !fresh.isEmpty else { return }
        take(finder.find(question, among: fresh.map { Route.Choice(target: $0) }, of: prepared, at: now))
    }

    /// Keeps a whole, good answer for the tenant, if it may be kept.
    public func store(_ answer: CachedAnswer) {
        guard let key = cacheKey else { return }
        parts.cache.store(answer, for: key, timeToLive: call.cache.timeToLive ?? options.cacheTimeToLive)
    }

    /// Whether an answer would be kept: the interface need not collect it otherwise.
    public var mayStore: Bool { cacheKey != nil }

    public var attemptCount: Int { outcomes.count }
    public var cacheOutcome: CacheOutcome { cacheKey == nil ? .bypass : .miss }
    public var limitFacts: LimitFacts { admission.permits.facts }
}

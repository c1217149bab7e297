import Access
public import Cache
public import Domain
public import Events
public import Limits
public import Locking
import Metering
public import Routing
public import Storage
import Synchronization
public import Vault

/// What the path works with: one reference to each feature's shared state.
///
/// A class, so that a call that keeps it counts one reference and not twenty.
public final class PathParts: Sendable {
    public let clock: any GatewayClock
    public let directory: Published<Directory>
    public let options: Published<PathOptions>
    public let counters: any LimitCounters
    public let cache: AnswerCache
    public let breakers: any BreakerBoard
    public let credentials: any CredentialBoard
    public let gauges = TargetGauges()
    public let drills = DrillBoard()
    public let probes = ProbeBook()
    public let gates: ConcurrencyGates
    public let retries: any RetryBudgets
    public let vault: KeyVault
    public let secrets: PlaintextCache
    public let journal: any UsageJournal
    public let bus: EventBus
    public let inFlight: InFlight
    public let stopping: Published<Bool>
    /// Tenants whose ledger cannot be written: their calls are refused, so that the others' can be metered.
    public let unmetered: Published<Set<TenantID>>
    private let randomness: Locked<SplitMix>

    /// - Parameter seed: of the lots that are drawn for routes and pauses; given where a run must be repeatable.
    public init(
        clock: any GatewayClock, directory: Directory, options: PathOptions, counters: any LimitCounters,
        cache: AnswerCache, breakers: any BreakerBoard, credentials: any CredentialBoard, vault: KeyVault,
        secrets: PlaintextCache, journal: any UsageJournal, bus: EventBus,
        gates: ConcurrencyGates = ConcurrencyGates(), retries: any RetryBudgets = MemoryRetryBudgets(),
        seed: UInt64 = .random(in: .min ... .max)
    ) {
        self.gates = gates
        self.retries = retries
        self.clock = clock
        self.directory = Published(directory)
        self.options = Published(options)
        self.counters = counters
        self.cache = cache
        self.breakers = breakers
        self.credentials = credentials
        self.vault = vault
        self.secrets = secrets
        self.journal = journal
        self.bus = bus
        inFlight = InFlight()
        stopping = Published(false)
        unmetered = Published([])
        randomness = Locked(SplitMix(seed: seed))
    }

    func draw() -> UInt64 { randomness.withLock { $0.next() } }

    func publish(_ event: GatewayEvent, lane: Int) { bus.publish(event, lane: lane) }

    /// Says that a breaker moved, if it did.
    func announce(_ change: Breaker.Change, at target: Target, lane: Int) {
        guard change != .none else { return }
        let status = breakers.status(of: target, at: clock.now)
        publish(
            .breakerMoved(
                .init(
                    target: target, position: status.position, hold: status.hold, why: status.why,
                    at: clock.wall)),
            lane: lane)
    }

    /// Gives back the permit of an attempt that was never made.
    func abandon(_ attempt: CallSession.Attempt, at now: Instant, lane: Int) {
        announce(
            breakers.report(.abandoned, of: attempt.ticket, for: attempt.target, at: now), at: attempt.target,
            lane: lane)
    }

    /// A probe's answer has begun.
    func confirm(_ attempt: CallSession.Attempt, at now: Instant, lane: Int) {
        guard attempt.ticket.probe != 0, attempt.drill == nil else { return }
        announce(
            breakers.confirm(attempt.ticket, for: attempt.target, at: now), at: attempt.target, lane: lane)
    }

    /// Tells the breaker and the credential's health how an attempt went.
    ///
    /// - Parameter firstContent: how long its first content took to come; of a given-up attempt any first byte counts.
    func report(
        _ attempt: CallSession.Attempt, _ failure: FailureClass?, retryAfter: Duration?,
        firstContent: Duration?, at now: Instant, lane: Int
    ) {
        // A made fault says nothing of the provider, nor of the key.
        guard attempt.drill == nil else { return abandon(attempt, at: now, lane: lane) }
        let result: AttemptResult =
            switch failure {
            case nil: firstContent.map { .answeredAfter($0) } ?? .answered
            case .cancelled: firstContent == nil ? .gaveUp(after: now - attempt.started) : .abandoned
            case .some(let failure): .failed(failure, retryAfter: retryAfter)
            }
        announce(
            breakers.report(result, of: attempt.ticket, for: attempt.target, at: now), at: attempt.target,
            lane: lane)
        if failure == .keyRateLimit, let key = attempt.keyEntry?.record {
            announce(
                breakers.rateLimited(attempt.target, owner: key.tenant, retryAfter: retryAfter, at: now),
                at: attempt.target, lane: lane)
        }
        guard let key = attempt.keyEntry, let mark = failure == nil ? .ok : failure?.rule.credentialMark
        else {
            return
        }
        let changed = credentials.note(
            mark, on: key.record.id, for: attempt.target.model, began: attempt.started, at: now,
            retryAfter: retryAfter)
        if let changed {
            publish(
                .credentialMarked(
                    .init(key: key.record.id, tenant: key.record.tenant, mark: changed, at: clock.wall)),
                lane: lane)
        }
    }

    /// A call that was identified and refused: shown to operators, not metered, because nothing was used.
    func publishRefusal(of call: InboundCall, by who: Identified, _ failure: CallFailure, lane: Int) {
        let directory = directory.load()
        let row = LedgerRow(
            call: call.id, tenant: who.tenant.id, virtualKey: who.key.id, at: call.at, dialect: call.dialect,
            model: call.model.text, target: nil, providerKey: nil, user: who.key.user?.text ?? "",
            team: who.key.team?.text ?? "", tags: call.tags, status: failure.status, end: .refused,
            failure: failure.code, cache: .bypass, attempts: 0, usage: Usage(), usageSource: .none,
            cost: .zero,
            saved: nil, priceVersion: directory.prices.version, latencyMicroseconds: 0,
            firstByteMicroseconds: 0)
        publish(.callFinished(.init(row: row, attempts: [])), lane: lane)
    }
}

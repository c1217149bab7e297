package import Access
package import Cache
package import Domain
package import Events
package import Limits
package import Locking
package import Routing
package import Storage
import Synchronization
package import Vault

/// What the path works with: one reference to each feature's shared state.
package struct PathParts: Sendable {
    package let clock: any GatewayClock
    package let directory: Published<Directory>
    package let options: Published<PathOptions>
    package let authenticator: Authenticator
    package let authorizer: Authorizer
    package let counters: any LimitCounters
    package let cache: AnswerCache
    package let breakers: any BreakerBoard
    package let credentials: any CredentialBoard
    package let vault: KeyVaultHolder
    package let secrets: PlaintextCache
    package let journal: any UsageJournal
    package let bus: EventBus
    package let inFlight: InFlight
    package let stopping: Published<Bool>
    private let randomness: Locked<SystemRandomNumberGenerator>

    package init(
        clock: any GatewayClock, directory: Directory, options: PathOptions, counters: any LimitCounters,
        cache: AnswerCache, breakers: any BreakerBoard, credentials: any CredentialBoard, vault: KeyVaultHolder,
        secrets: PlaintextCache, journal: any UsageJournal, bus: EventBus
    ) {
        self.clock = clock
        self.directory = Published(directory)
        self.options = Published(options)
        authenticator = Authenticator()
        authorizer = Authorizer()
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
        randomness = Locked(SystemRandomNumberGenerator())
    }

    func draw() -> UInt64 { randomness.withLock { $0.next() } }

    func publish(_ event: GatewayEvent, lane: Int) { bus.publish(event, lane: lane) }

    /// Says that a breaker moved, if it did.
    func announce(_ change: BreakerChange, at target: Target, lane: Int) {
        let position: BreakerPosition
        switch change {
        case .none: return
        case .opened: position = .open
        case .halfOpened: position = .halfOpen
        case .closed: position = .closed
        }
        let status = breakers.status(of: target, at: clock.now)
        publish(
            .breakerMoved(
                .init(
                    target: target, position: position, hold: status?.hold, why: status?.why ?? "", at: clock.wall)),
            lane: lane)
    }

    /// Tells the breaker and the credential's health how an attempt went.
    func report(
        _ attempt: CallSession.Attempt, _ failure: FailureClass?, retryAfter: Duration?, tenant: TenantID,
        at now: Instant, lane: Int
    ) {
        let outcome: BreakerOutcome =
            switch failure {
            case nil: .succeeded
            case .some(let failure) where failure.rule.countsForBreaker:
                .failed(connect: failure == .transport || failure == .timeoutBeforeFirstByte, retryAfter: retryAfter)
            case .cancelled: .abandoned
            // The provider answered: whatever is wrong with the key or the request, the provider is there.
            case .some: .succeeded
            }
        announce(
            breakers.report(outcome, of: attempt.target, permit: attempt.permit, at: now), at: attempt.target,
            lane: lane)
        guard let key = attempt.key else { return }
        let mark = failure == nil ? CredentialMark.ok : failure?.rule.credentialMark
        guard let mark else { return }
        let changed = parts(mark, key.id, attempt.target.model, retryAfter, now)
        if changed {
            publish(.credentialMarked(.init(key: key.id, tenant: tenant, mark: mark, at: clock.wall)), lane: lane)
        }
    }

    private func parts(
        _ mark: CredentialMark, _ key: ProviderKeyID, _ model: ModelName, _ retryAfter: Duration?, _ now: Instant
    ) -> Bool {
        credentials.mark(mark, key: key, model: model, retryAfter: retryAfter, at: now)
    }

    /// A call that was identified and refused: shown to operators, not metered, because nothing was used.
    func publishRefusal(of call: InboundCall, by who: Identified, _ failure: CallFailure, lane: Int) {
        let directory = directory.load()
        let row = LedgerRow(
            call: call.id, tenant: who.tenant.id, virtualKey: who.virtualKey.id, at: call.at, dialect: call.dialect,
            model: call.model.text, target: nil, providerKey: nil, user: who.virtualKey.user?.text ?? "",
            team: who.virtualKey.team?.text ?? "", tags: call.tags, status: failure.status, end: .refused,
            failure: failure.code, cache: .bypass, attempts: 0, usage: Usage(), usageSource: .none, cost: .zero,
            saved: nil, priceVersion: directory.prices.version, latencyMicroseconds: 0, firstByteMicroseconds: 0)
        publish(.callFinished(.init(row: row, attempts: [])), lane: lane)
    }
}

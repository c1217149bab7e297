import Domain
import Locking
import Routing

/// Broken rules, as sentences.
final class Complaints: Sendable {
    private let list = Locked<[String]>([])

    var all: [String] { list.withLock { $0 } }

    func note(_ sentence: @autoclosure () -> String) {
        let sentence = sentence()
        list.withLock { if $0.count < 50 { $0.append(sentence) } }
    }
}

/// The breakers' board, watched from outside: what it says of its moves must agree with what it lets through.
final class WatchedBreakers: BreakerBoard {
    /// A breaker as its announced moves describe it.
    private struct Seen {
        var position = BreakerPosition.closed
        var openedAt: Instant?
        /// Probes whose result has not come.
        var probes: [(ticket: Breaker.Ticket, at: Instant)] = []
        var openings = 0
    }

    private let inner = MemoryBreakerBoard()
    private let options = BreakerOptions()
    private let seen = Locked<[Target: Seen]>([:])
    let complaints = Complaints()

    /// How often breakers opened, all together.
    var openings: Int { seen.withLock { $0.values.reduce(0) { $0 + $1.openings } } }

    func outlooks(of candidates: [Candidate], at now: Instant) -> [Breaker.Outlook] {
        inner.outlooks(of: candidates, at: now)
    }

    func pass(_ candidates: [Candidate], at now: Instant) -> Bool { inner.pass(candidates, at: now) }

    func permit(_ target: Target, at now: Instant) -> Permission {
        let permission = inner.permit(target, at: now)
        hear(permission.change, of: target, at: now)
        seen.withLock { all in
            var breaker = all[target] ?? Seen()
            switch permission.permit {
            case .pass where breaker.position != .closed:
                complaints.note("\(target) passed a call while \(breaker.position)")
            case .probe(let ticket):
                if breaker.position != .halfOpen {
                    complaints.note("\(target) took a probe while \(breaker.position)")
                }
                breaker.probes.removeAll { now - $0.at >= options.probeTimeout }
                if !breaker.probes.isEmpty { complaints.note("\(target) has two probes at once") }
                breaker.probes.append((ticket, now))
            case .pass, .refuse: break
            }
            all[target] = breaker
        }
        return permission
    }

    func report(
        _ result: AttemptResult, of ticket: Breaker.Ticket, for target: Target, at now: Instant
    ) -> Breaker.Change {
        settle(ticket, of: target)
        let change = inner.report(result, of: ticket, for: target, at: now)
        hear(change, of: target, at: now)
        return change
    }

    func confirm(_ ticket: Breaker.Ticket, for target: Target, at now: Instant) -> Breaker.Change {
        settle(ticket, of: target)
        let change = inner.confirm(ticket, for: target, at: now)
        hear(change, of: target, at: now)
        return change
    }

    private func settle(_ ticket: Breaker.Ticket, of target: Target) {
        guard ticket.probe != 0 else { return }
        seen.withLock { $0[target]?.probes.removeAll { $0.ticket == ticket } }
    }

    /// - Parameter early: a free probe's answer may end an opening before its time.
    private func hear(
        _ change: Breaker.Change, of target: Target, at now: Instant, early: Bool = false
    ) {
        guard change != .none else { return }
        seen.withLock { all in
            var breaker = all[target] ?? Seen()
            switch change {
            case .none: break
            case .opened:
                breaker.position = .open
                breaker.openedAt = now
                breaker.openings += 1
                breaker.probes = []
            case .halfOpened:
                if breaker.position != .open { complaints.note("\(target) half-opened unopened") }
                if !early, let opened = breaker.openedAt, now - opened < options.openFirst {
                    complaints.note("\(target) was open for \(now - opened) only")
                }
                breaker.position = .halfOpen
            case .closed:
                if breaker.position != .halfOpen { complaints.note("\(target) closed without a probe") }
                breaker.position = .closed
            }
            all[target] = breaker
        }
    }

    func rateLimited(
        _ target: Target, owner: TenantID, retryAfter: Duration?, at now: Instant
    ) -> Breaker.Change {
        let change = inner.rateLimited(target, owner: owner, retryAfter: retryAfter, at: now)
        hear(change, of: target, at: now)
        return change
    }

    func hold(_ hold: BreakerHold, on target: Target, at now: Instant, wall: WallTime) -> Breaker.Change {
        inner.hold(hold, on: target, at: now, wall: wall)
    }

    func release(_ target: Target, at now: Instant) -> Breaker.Change { inner.release(target, at: now) }

    func probed(
        _ provider: ProviderName, _ finding: ProbeFinding, targets: [Target], at now: Instant
    ) -> [BreakerShift] {
        let shifts = inner.probed(provider, finding, targets: targets, at: now)
        for shift in shifts {
            if finding != .reachable, shift.change != .opened {
                complaints.note("\(shift.target): \(shift.change) by a probe without an answer")
            }
            hear(shift.change, of: shift.target, at: now, early: finding == .reachable)
        }
        return shifts
    }

    func advance(to now: Instant) -> [BreakerShift] {
        let shifts = inner.advance(to: now)
        for shift in shifts { hear(shift.change, of: shift.target, at: now) }
        return shifts
    }

    func status(of target: Target, at now: Instant) -> BreakerStatus { inner.status(of: target, at: now) }
    func states(at now: Instant) -> [BreakerStatus] { inner.states(at: now) }
}

/// The keys' board, watched: a key that must prove itself is tried by one call at a time.
final class WatchedCredentials: CredentialBoard {
    private struct Place: Hashable {
        let key: ProviderKeyID
        let model: ModelName
    }

    private let inner = MemoryCredentialBoard()
    private let probes = Locked<[Place: Instant]>([:])
    private let options = CredentialOptions()
    let complaints = Complaints()

    func availabilities(of candidates: [Candidate], at now: Instant) -> [[CredentialAvailability]] {
        inner.availabilities(of: candidates, at: now)
    }

    func areWell(_ candidates: [Candidate], at now: Instant) -> Bool { inner.areWell(candidates, at: now) }

    func take(_ key: ProviderKeyID, for model: ModelName, at now: Instant) -> CredentialAvailability {
        let availability = inner.take(key, for: model, at: now)
        guard availability == .probe else { return availability }
        probes.withLock { probes in
            let place = Place(key: key, model: model)
            if let since = probes[place], now - since < options.probeTimeout {
                complaints.note("a key has two probes at once for \(model)")
            }
            probes[place] = now
        }
        return availability
    }

    func note(
        _ mark: CredentialMark, on key: ProviderKeyID, for model: ModelName, began: Instant, at now: Instant,
        retryAfter: Duration?
    ) -> CredentialMark? {
        probes.withLock { $0[Place(key: key, model: model)] = nil }
        return inner.note(mark, on: key, for: model, began: began, at: now, retryAfter: retryAfter)
    }

    func heard(_ headroom: KeyHeadroom, of key: ProviderKeyID, for model: ModelName, at now: Instant) {
        inner.heard(headroom, of: key, for: model, at: now)
    }

    func clear(_ key: ProviderKeyID) -> CredentialMark? { inner.clear(key) }
    func states(at now: Instant) -> [CredentialStatus] { inner.states(at: now) }
    func facts(at now: Instant) -> [CredentialFacts] { inner.facts(at: now) }
}

/// The retry budgets, watched: whatever the load, retries are a share of it.
final class WatchedRetries: RetryBudgets {
    private struct Ledger {
        var calls: [Instant] = []
        var retries: [Instant] = []
    }

    private struct Place: Hashable {
        let provider: ProviderName
        let owner: TenantID?
    }

    private let inner = MemoryRetryBudgets()
    private let ledgers = Locked<[Place: Ledger]>([:])
    private let total = Locked(0)
    let complaints = Complaints()

    /// Retries that were granted, all together.
    var granted: Int { total.withLock { $0 } }

    func call(_ provider: ProviderName, at now: Instant) {
        inner.call(provider, at: now)
        ledgers.withLock { $0[Place(provider: provider, owner: nil), default: Ledger()].calls.append(now) }
    }

    func mayRetry(_ provider: ProviderName, ofKeyOf owner: TenantID?, at now: Instant) -> Bool {
        let may = inner.mayRetry(provider, ofKeyOf: owner, at: now)
        guard may else { return false }
        total.withLock { $0 += 1 }
        ledgers.withLock { ledgers in
            let place = Place(provider: provider, owner: owner)
            var ledger = ledgers[place] ?? Ledger()
            ledger.retries.append(now)
            ledger.retries.removeAll { now - $0 >= RetryBudget.window }
            // A budget may see calls that are a bucket older than its window.
            ledger.calls.removeAll { now - $0 > RetryBudget.window + .seconds(1) }
            let most = max(RetryBudget.floor, ledger.calls.count * RetryBudget.percent / 100)
            if ledger.retries.count > most {
                complaints.note("\(provider): \(ledger.retries.count) retries in 10 s, \(most) allowed")
            }
            ledgers[place] = ledger
        }
        return true
    }
}

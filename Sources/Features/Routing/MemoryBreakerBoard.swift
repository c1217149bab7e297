public import Domain
import Locking

/// The breakers of this process, behind one lock that is held for nanoseconds.
///
/// A breaker comes into being with the first result that says something of its target, so names that lead nowhere
/// (which any caller can invent) take no room. Past `capacity` the ones that were idle longest go, closed ones first;
/// held ones stay, as operators make them by hand.
public final class MemoryBreakerBoard: BreakerBoard {
    private let options: BreakerOptions
    private let table: Locked<BreakerTable>

    /// - Parameter capacity: far above any configuration's targets; about 4.5 MiB when full.
    public init(options: BreakerOptions = .init(), capacity: Int = 4_096) {
        self.options = options
        table = Locked(BreakerTable(options: options, capacity: capacity))
    }

    public func outlooks(of candidates: [Candidate], at now: Instant) -> [Breaker.Outlook] {
        table.withLock { $0.outlooks(of: candidates, at: now) }
    }

    public func pass(_ candidates: [Candidate], at now: Instant) -> Bool {
        table.withLock { $0.pass(candidates, at: now) }
    }

    public func permit(_ target: Target, at now: Instant) -> Permission {
        table.withLock { $0.permit(target, at: now) }
    }

    public func report(
        _ result: AttemptResult, of ticket: Breaker.Ticket, for target: Target, at now: Instant
    ) -> Breaker.Change {
        table.withLock { $0.report(result, of: ticket, for: target, at: now) }
    }

    public func confirm(_ ticket: Breaker.Ticket, for target: Target, at now: Instant) -> Breaker.Change {
        table.withLock { $0.confirm(ticket, for: target, at: now) }
    }

    public func rateLimited(
        _ target: Target, owner: TenantID, retryAfter: Duration?, at now: Instant
    ) -> Breaker.Change {
        table.withLock { $0.rateLimited(target, owner: owner, retryAfter: retryAfter, at: now) }
    }

    public func probed(
        _ provider: ProviderName, _ finding: ProbeFinding, targets: [Target], at now: Instant
    ) -> [BreakerShift] {
        table.withLock { $0.probed(provider, finding, targets: targets, at: now) }
    }

    public func hold(
        _ hold: BreakerHold, on target: Target, at now: Instant, wall: WallTime
    ) -> Breaker.Change {
        table.withLock { $0.hold(hold, on: target, at: now, wall: wall) }
    }

    public func release(_ target: Target, at now: Instant) -> Breaker.Change {
        table.withLock { $0.release(target, at: now) }
    }

    public func advance(to now: Instant) -> [BreakerShift] { table.withLock { $0.advance(to: now) } }

    public func status(of target: Target, at now: Instant) -> BreakerStatus {
        let breaker = table.withLock { $0.breaker(of: target) } ?? Breaker(options: options, at: now)
        return BreakerStatus(breaker, of: target, at: now)
    }

    public func states(at now: Instant) -> [BreakerStatus] {
        // Copies inside, composes sentences outside the lock.
        table.withLock { $0.all }.map { BreakerStatus($1, of: $0, at: now) }.sorted { $0.target < $1.target }
    }
}

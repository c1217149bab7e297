public import Domain
import Locking

/// The limit counters of this process, behind one lock that is held for nanoseconds.
public final class MemoryLimitCounters: LimitCounters {
    private let table: Locked<LimitTable>

    /// - Parameters:
    ///   - scopesMax: scopes counted at the same time; one that is idle for a minute makes room for others.
    ///   - callsMax: admissions not yet settled; further calls are refused as overload.
    public init(scopesMax: Int = 65_536, callsMax: Int = 262_144) {
        table = Locked(LimitTable(accountsMax: scopesMax, callsMax: callsMax))
    }

    public func admit(_ demand: Demand, at now: Instant) throws(CallFailure) -> Admission {
        // A call without limits takes no lock.
        guard demand.count > 0 else { return Admission(slot: nil, generation: 0, facts: .init()) }
        switch table.withLock({ $0.admit(demand, at: now) }) {
        case .admitted(let admission): return admission
        case .refused(let refusal): throw refusal.failure
        }
    }

    public func settle(_ admission: Admission, usedTokens: Int64?, at now: Instant) {
        guard admission.slot != nil else { return }
        table.withLock { $0.settle(admission, usedTokens: usedTokens, at: now) }
    }

    public func takeBack(_ admission: Admission, at now: Instant) {
        guard admission.slot != nil else { return }
        table.withLock { $0.settle(admission, usedTokens: 0, requests: 0, at: now) }
    }

    public func use(of scope: LimitScope, at now: Instant) -> LimitUse? {
        table.withLock { $0.use(of: scope, at: now) }
    }

    public func levels(at now: Instant) -> [LimitLevel] { table.withLock { $0.levels(at: now) } }

    public func restore(_ levels: [LimitLevel], elapsed: Duration, at now: Instant) {
        table.withLock { $0.restore(levels, elapsed: elapsed, at: now) }
    }

    /// Scopes with counters now.
    public var scopeCount: Int { table.withLock { $0.accountCount } }
}

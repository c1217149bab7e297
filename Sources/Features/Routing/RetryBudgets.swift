public import Domain
import Locking

/// The retry budgets of all providers: the port behind which a shared store could stand.
public protocol RetryBudgets: Sendable {
    /// A call makes its first attempt at this provider.
    func call(_ provider: ProviderName, at now: Instant)
    /// Whether the provider may get one more attempt of a call that had one already; takes it when it may.
    ///
    /// - Parameter owner: whose key it is, where the attempt failed by a limit of that key: such retries are the owner's
    ///   own and leave those alone that other tenants need when the provider itself fails. nil = the provider's fault.
    func mayRetry(_ provider: ProviderName, ofKeyOf owner: TenantID?, at now: Instant) -> Bool
}

/// The retry budgets of this process, behind one lock that is held for nanoseconds.
public final class MemoryRetryBudgets: RetryBudgets {
    private struct Place: Hashable {
        let provider: ProviderName
        let owner: TenantID?
    }

    private let capacity: Int
    private let budgets = Locked<[Place: RetryBudget]>([:])

    /// - Parameter capacity: far above any configuration's providers, and the owners of limited keys at one time; about 300
    ///   KiB when full; past it the one idle longest is forgotten.
    public init(capacity: Int = 1_024) { self.capacity = max(1, capacity) }

    /// Budgets it remembers.
    public var count: Int { budgets.withLock { $0.count } }

    public func call(_ provider: ProviderName, at now: Instant) {
        budgets.withLock { budgets in
            let place = Place(provider: provider, owner: nil)
            makeRoom(in: &budgets, for: place)
            budgets[place, default: RetryBudget(at: now)].call(at: now)
        }
    }

    public func mayRetry(_ provider: ProviderName, ofKeyOf owner: TenantID?, at now: Instant) -> Bool {
        budgets.withLock { budgets in
            let place = Place(provider: provider, owner: owner)
            makeRoom(in: &budgets, for: place)
            return budgets[place, default: RetryBudget(at: now)].mayRetry(at: now)
        }
    }

    private func makeRoom(in budgets: inout [Place: RetryBudget], for place: Place) {
        guard budgets.count >= capacity, budgets[place] == nil else { return }
        guard let idle = budgets.min(by: { $0.value.lastUsed < $1.value.lastUsed })?.key else { return }
        budgets[idle] = nil
    }
}

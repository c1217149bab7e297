package import Domain
import Locking

/// The retry budgets of all providers: the port behind which a shared store could stand.
package protocol RetryBudgets: Sendable {
    /// A call makes its first attempt at this provider.
    func call(_ provider: ProviderName, at now: Instant)
    /// Whether the provider may get one more attempt of a call that had one already; takes it when it may.
    func mayRetry(_ provider: ProviderName, at now: Instant) -> Bool
}

/// The retry budgets of this process, behind one lock that is held for nanoseconds.
package final class MemoryRetryBudgets: RetryBudgets {
    private let capacity: Int
    private let budgets = Locked<[ProviderName: RetryBudget]>([:])

    /// - Parameter capacity: far above any configuration's providers, about 300 KiB when full; past it the one idle
    ///   longest is forgotten.
    package init(capacity: Int = 1_024) { self.capacity = max(1, capacity) }

    /// Providers it remembers.
    package var count: Int { budgets.withLock { $0.count } }

    package func call(_ provider: ProviderName, at now: Instant) {
        budgets.withLock { budgets in
            makeRoom(in: &budgets, for: provider)
            budgets[provider, default: RetryBudget(at: now)].call(at: now)
        }
    }

    package func mayRetry(_ provider: ProviderName, at now: Instant) -> Bool {
        budgets.withLock { budgets in
            makeRoom(in: &budgets, for: provider)
            return budgets[provider, default: RetryBudget(at: now)].mayRetry(at: now)
        }
    }

    private func makeRoom(in budgets: inout [ProviderName: RetryBudget], for provider: ProviderName) {
        guard budgets.count >= capacity, budgets[provider] == nil else { return }
        guard let idle = budgets.min(by: { $0.value.lastUsed < $1.value.lastUsed })?.key else { return }
        budgets[idle] = nil
    }
}

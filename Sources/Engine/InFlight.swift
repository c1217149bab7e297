import Domain
import Synchronization

/// Counts the calls that are between admission and settlement.
package final class InFlight: Sendable {
    private let count = Atomic<Int>(0)

    package init() {}

    /// Lets one more in; false when `most` are in already.
    package func enter(most: Int) -> Bool {
        let before = count.add(1, ordering: .relaxed).oldValue
        guard before < most else {
            count.subtract(1, ordering: .relaxed)
            return false
        }
        return true
    }

    package func leave() { count.subtract(1, ordering: .relaxed) }

    package var current: Int { count.load(ordering: .relaxed) }
}

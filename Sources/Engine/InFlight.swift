import Domain
import Synchronization

/// Counts the calls that are between admission and settlement.
public final class InFlight: Sendable {
    private let count = Atomic<Int>(0)

    public init() {}

    /// Lets one more in; false when `most` are in already.
    public func enter(most: Int) -> Bool {
        let before = count.add(1, ordering: .relaxed).oldValue
        guard before < most else {
            count.subtract(1, ordering: .relaxed)
            return false
        }
        return true
    }

    public func leave() { count.subtract(1, ordering: .relaxed) }

    public var current: Int { count.load(ordering: .relaxed) }
}

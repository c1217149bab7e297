public import Domain
import Locking

/// A usage journal in memory: for tests and for the demonstration. It does not survive the process.
public final class MemoryJournal: UsageJournal {
    private let state: Locked<State>
    private let capacity: Int

    public init(capacity: Int = 8_192) {
        self.capacity = capacity
        state = Locked(State())
    }

    public func reserve() -> Bool {
        state.withLock { state in
            guard state.reserved + state.rows.count < capacity else { return false }
            state.reserved += 1
            return true
        }
    }

    public func release() { state.withLock { $0.reserved = max(0, $0.reserved - 1) } }

    public func append(_ row: LedgerRow) {
        state.withLock { state in
            state.reserved = max(0, state.reserved - 1)
            state.rows.append(row)
        }
    }

    public func pending(limit: Int) throws -> [LedgerRow] {
        state.withLock { Array($0.rows.prefix(max(0, limit))) }
    }

    public func confirm(_ calls: [CallID]) throws {
        let gone = Set(calls)
        state.withLock { $0.rows.removeAll { gone.contains($0.call) } }
    }

    public var load: (used: Int, capacity: Int) {
        (state.withLock { $0.reserved + $0.rows.count }, capacity)
    }

    private struct State {
        var reserved = 0
        var rows: [LedgerRow] = []
    }
}

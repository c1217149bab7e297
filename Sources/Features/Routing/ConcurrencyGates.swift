public import Domain
import Locking

/// The gates of all targets, behind one lock that is held for nanoseconds.
public final class ConcurrencyGates: Sendable {
    private let options: ConcurrencyGate.Options
    private let capacity: Int
    private let gates = Locked<[Target: ConcurrencyGate]>([:])

    /// - Parameter capacity: targets remembered; past it those are forgotten that nothing was learned of.
    public init(options: ConcurrencyGate.Options = .init(), capacity: Int = 4_096) {
        self.options = options
        self.capacity = max(1, capacity)
    }

    public func tryEnter(_ target: Target, at now: Instant) -> Bool {
        with(target) { $0.tryEnter(at: now) }
    }

    public func queue(_ target: Target, _ callClass: CallClass, at now: Instant) -> ConcurrencyGate.Ticket? {
        with(target) { $0.queue(callClass, at: now) }
    }

    public func ask(
        _ ticket: ConcurrencyGate.Ticket, at target: Target, at now: Instant
    ) -> ConcurrencyGate.Turn {
        with(target) { $0.ask(ticket, at: now) }
    }

    public func abandon(_ ticket: ConcurrencyGate.Ticket, at target: Target) {
        with(target) { $0.abandon(ticket) }
    }

    public func leave(_ target: Target, _ sign: ConcurrencyGate.Sign, at now: Instant) {
        with(target) { $0.leave(sign, at: now) }
    }

    /// Attempts that run, and calls that wait, at all targets together.
    public var load: (running: Int, waiting: Int) {
        gates.withLock { gates in
            gates.values.reduce(into: (running: 0, waiting: 0)) {
                $0.running += $1.running
                $0.waiting += $1.waiting
            }
        }
    }

    private func with<Result>(_ target: Target, _ body: (inout ConcurrencyGate) -> Result) -> Result {
        gates.withLock { gates in
            if gates.count >= capacity, gates[target] == nil { gates = gates.filter { !$0.value.isFresh } }
            return body(&gates[target, default: ConcurrencyGate(options: options)])
        }
    }
}

package import Domain
import Locking

/// The breakers of this process, behind one lock that is held for nanoseconds.
///
/// A breaker comes into being with the first result that says something of its target, so names that lead nowhere
/// (which any caller can invent) take no room. Past `capacity` the ones that were idle longest go, closed ones first;
/// held ones stay, as operators make them by hand.
package final class MemoryBreakerBoard: BreakerBoard {
    fileprivate struct Slot {
        var breaker: Breaker
        var lastUsed: Instant
    }

    private let options: BreakerOptions
    private let capacity: Int
    private let slots = Locked<[Target: Slot]>([:])

    /// - Parameter capacity: far above any configuration's targets; about 3 MiB when full.
    package init(options: BreakerOptions = .init(), capacity: Int = 4_096) {
        self.options = options
        self.capacity = max(1, capacity)
    }

    package func outlooks(of candidates: [Candidate], at now: Instant) -> [Breaker.Outlook] {
        slots.withLock { slots in
            candidates.map { slots[$0.target]?.breaker.outlook(at: now) ?? .passes }
        }
    }

    package func permit(_ target: Target, at now: Instant) -> Permission {
        slots.withLock { slots in
            guard let (permit, change) = slots[target]?.permit(at: now) else {
                return Permission(permit: .pass(.first), change: .none)
            }
            return Permission(permit: permit, change: change)
        }
    }

    package func report(
        _ result: AttemptResult, of ticket: Breaker.Ticket, for target: Target, at now: Instant
    ) -> Breaker.Change {
        slots.withLock { slots in
            if let change = slots[target]?.report(result, of: ticket, at: now) { return change }
            guard result.saysSomething, makeRoom(in: &slots) else { return .none }
            var slot = Slot(breaker: Breaker(options: options, at: now), lastUsed: now)
            let change = slot.report(result, of: ticket, at: now)
            slots[target] = slot
            return change
        }
    }

    package func hold(
        _ hold: BreakerHold, on target: Target, at now: Instant, wall: WallTime
    ) -> Breaker.Change {
        slots.withLock { slots in
            if let change = slots[target]?.breaker.hold(hold, at: now, wall: wall) { return change }
            _ = makeRoom(in: &slots)
            var slot = Slot(breaker: Breaker(options: options, at: now), lastUsed: now)
            let change = slot.breaker.hold(hold, at: now, wall: wall)
            slots[target] = slot
            return change
        }
    }

    package func release(_ target: Target, at now: Instant) -> Breaker.Change {
        slots.withLock { $0[target]?.breaker.release(at: now) ?? .none }
    }

    package func advance(to now: Instant) -> [BreakerShift] {
        slots.withLock { slots in
            var shifts: [BreakerShift] = []
            // Looks first: a mutation of every slot would cost far more than the few that are due.
            for (target, slot) in slots where slot.breaker.isDue(at: now) {
                guard let change = slots[target]?.breaker.advance(to: now), change != .none else { continue }
                shifts.append(BreakerShift(target: target, change: change))
            }
            return shifts
        }
    }

    package func status(of target: Target, at now: Instant) -> BreakerStatus {
        let breaker = slots.withLock { $0[target]?.breaker } ?? Breaker(options: options, at: now)
        return BreakerStatus(breaker, of: target, at: now)
    }

    package func states(at now: Instant) -> [BreakerStatus] {
        // Copies inside, composes sentences outside the lock.
        let copies = slots.withLock { slots in slots.map { ($0.key, $0.value.breaker) } }
        return copies.map { BreakerStatus($1, of: $0, at: now) }.sorted { $0.target < $1.target }
    }

    /// Drops an eighth when full, so that the search for the oldest is paid once in many insertions; false when there
    /// are only held ones.
    private func makeRoom(in slots: inout [Target: Slot]) -> Bool {
        guard slots.count >= capacity else { return true }
        let idle = slots.filter { $0.value.breaker.held == nil }
            .map { (target: $0.key, closed: $0.value.breaker.position == .closed, used: $0.value.lastUsed) }
            .sorted { ($0.closed ? 0 : 1, $0.used) < ($1.closed ? 0 : 1, $1.used) }
        for entry in idle.prefix(max(1, capacity / 8)) { slots[entry.target] = nil }
        return slots.count < capacity
    }
}

extension MemoryBreakerBoard.Slot {
    fileprivate mutating func permit(at now: Instant) -> (Breaker.Permit, Breaker.Change) {
        lastUsed = now
        return breaker.permit(at: now)
    }

    fileprivate mutating func report(
        _ result: AttemptResult, of ticket: Breaker.Ticket, at now: Instant
    ) -> Breaker.Change {
        lastUsed = now
        return switch result {
        case .answered: breaker.succeeded(ticket, at: now)
        case .failed(let kind, let retryAfter):
            breaker.failed(ticket, at: now, kind: kind, retryAfter: retryAfter)
        case .abandoned: breaker.abandoned(ticket, at: now)
        }
    }
}

extension AttemptResult {
    /// Whether it is worth a breaker of its own.
    fileprivate var saysSomething: Bool {
        switch self {
        case .answered: true
        case .failed(let kind, _): kind.rule.countsForBreaker
        case .abandoned: false
        }
    }
}

extension Breaker {
    /// Whether time has moved it since it was last touched.
    fileprivate func isDue(at now: Instant) -> Bool {
        position(at: now) != position || (held != nil && hold(at: now) == nil)
    }
}

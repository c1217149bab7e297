package import Domain
import Locking

/// What can be seen of one target's breaker.
package struct BreakerStatus: Sendable, Hashable {
    package let target: Target
    package let position: BreakerPosition
    package let hold: BreakerHold?
    package let since: Instant?
    package let calls: Int
    package let failures: Int
    package let why: String
}

/// All breakers, one per target: the live state that a shared store may hold one day.
package protocol BreakerBoard: Sendable {
    func permit(_ target: Target, at now: Instant) -> (BreakerPermit, BreakerChange)
    func report(_ outcome: BreakerOutcome, of target: Target, permit: BreakerPermit, at now: Instant) -> BreakerChange
    /// - Parameter wall: civil time at `now`: the hold's end is given in it.
    func hold(_ target: Target, _ hold: BreakerHold, at now: Instant, wall: WallTime)
    func release(_ target: Target, at now: Instant)
    func status(of target: Target, at now: Instant) -> BreakerStatus?
    func states(at now: Instant) -> [BreakerStatus]
    /// Releases holds whose end has passed, and names their targets.
    func endedHolds(at now: Instant) -> [Target]
}

/// The breakers of one process.
package final class MemoryBreakerBoard: BreakerBoard {
    /// Targets come from configuration and from model names that callers choose; beyond this many, idle closed
    /// breakers are forgotten.
    private static let targetsMost = 4_096

    private let options: Locked<BreakerOptions>
    private let breakers = Locked<[Target: Breaker]>([:])

    package init(options: BreakerOptions = BreakerOptions()) { self.options = Locked(options) }

    /// Options for breakers that are made from now on.
    package func configure(_ next: BreakerOptions) { options.withLock { $0 = next } }

    package func permit(_ target: Target, at now: Instant) -> (BreakerPermit, BreakerChange) {
        let fresh = options.withLock { $0 }
        return breakers.withLock { breakers in
            if breakers[target] == nil, breakers.count >= Self.targetsMost { Self.evict(&breakers) }
            return breakers[target, default: Breaker(options: fresh)].permit(at: now)
        }
    }

    package func report(_ outcome: BreakerOutcome, of target: Target, permit: BreakerPermit, at now: Instant)
        -> BreakerChange
    {
        breakers.withLock { $0[target]?.report(outcome, of: permit, at: now) ?? .none }
    }

    package func hold(_ target: Target, _ hold: BreakerHold, at now: Instant, wall: WallTime) {
        let fresh = options.withLock { $0 }
        breakers.withLock { $0[target, default: Breaker(options: fresh)].hold(hold, ends: now + (hold.ends - wall), at: now) }
    }

    package func release(_ target: Target, at now: Instant) {
        breakers.withLock { _ = $0[target]?.release(at: now) }
    }

    package func status(of target: Target, at now: Instant) -> BreakerStatus? {
        breakers.withLock { breakers in breakers[target].map { Self.status($0, of: target, at: now) } }
    }

    package func states(at now: Instant) -> [BreakerStatus] {
        breakers.withLock { breakers in breakers.map { Self.status($0.value, of: $0.key, at: now) } }
    }

    package func endedHolds(at now: Instant) -> [Target] {
        breakers.withLock { breakers in
            let ended = breakers.filter { $0.value.holdHasEnded(at: now) }.map(\.key)
            for target in ended { _ = breakers[target]?.release(at: now) }
            return ended
        }
    }

    private static func status(_ breaker: Breaker, of target: Target, at now: Instant) -> BreakerStatus {
        let (calls, failures) = breaker.window(at: now)
        return BreakerStatus(
            target: target, position: breaker.position, hold: breaker.hold, since: breaker.since, calls: calls,
            failures: failures, why: breaker.why(at: now))
    }

    private static func evict(_ breakers: inout [Target: Breaker]) {
        let idle = breakers.filter { $0.value.position == .closed && $0.value.hold == nil }
        let oldest = idle.min { ($0.value.lastUsed?.nanoseconds ?? 0) < ($1.value.lastUsed?.nanoseconds ?? 0) }
        if let oldest { breakers[oldest.key] = nil }
    }
}

import Domain
import Operations

/// The calls of the last minute, bounded: what a change is tried on before it is made, and who depends on a target.
struct RecentCalls: Sendable {
    /// One finished call, as far as routing cares.
    struct Call: Sendable {
        let at: WallTime
        let tenant: TenantID
        let model: String
        let dialect: Dialect
        /// In order; kept as they came, for each call is noted and few are looked at.
        let attempts: [AttemptOutcome]
        let usage: Usage
        let microseconds: Int64
        let drill: Bool

        /// The targets of its attempts, in order.
        var targets: [Target] { attempts.map(\.target) }
        /// Whether its last attempt answered.
        var answered: Bool { attempts.last?.failure == nil }
    }

    /// At 68 calls a second this is a minute; above, the newest stand for all.
    static let most = 4_096
    static let seconds = 60

    private var ring: [Call] = []
    private var next = 0

    mutating func add(_ finish: GatewayEvent.CallFinish) {
        // What never needed a target is not routed: cache hits, refusals.
        if finish.row.cache.isHit { return }
        if case .refused = finish.row.end { return }
        let call = Call(
            at: finish.row.at, tenant: finish.row.tenant, model: finish.row.model,
            dialect: finish.row.dialect, attempts: finish.attempts, usage: finish.row.usage,
            microseconds: finish.row.latencyMicroseconds, drill: finish.drill)
        if ring.count < Self.most {
            ring.append(call)
        } else {
            ring[next] = call
            next = (next + 1) % Self.most
        }
    }

    /// Those of the last minute, oldest first, and over how many seconds they came: less than a minute where more came
    /// than are kept.
    func calls(at now: WallTime) -> (calls: [Call], seconds: Double, sampled: Bool) {
        let since = now.milliseconds - Int64(Self.seconds) * 1_000
        let kept = (ring[next...] + ring[..<next]).filter { $0.at.milliseconds >= since }
        let sampled = kept.count == Self.most
        guard sampled, let first = kept.first else { return (Array(kept), Double(Self.seconds), false) }
        return (Array(kept), max(1, Double(now.milliseconds - first.at.milliseconds) / 1_000), true)
    }

    /// Who uses a target, and where its failed calls went.
    struct TargetShare: Sendable {
        var tenants: [TenantID: Int] = [:]
        var wentTo: [String: Int] = [:]
        var drilled = false
    }

    /// For every target of the last minute.
    func shares(at now: WallTime) -> [Target: TargetShare] {
        var shares: [Target: TargetShare] = [:]
        let since = now.milliseconds - Int64(Self.seconds) * 1_000
        // Where they lie: a picture is painted some times a second, and copies of them all would cost more than it.
        for call in ring where call.at.milliseconds >= since { call.add(to: &shares) }
        return shares
    }
}

extension RecentCalls.Call {
    fileprivate func add(to shares: inout [Target: RecentCalls.TargetShare]) {
        let answered = answered
        for (place, attempt) in attempts.enumerated() {
            let target = attempt.target
            shares[target, default: .init()].tenants[tenant, default: 0] += 1
            if drill { shares[target]?.drilled = true }
            let isLast = place == attempts.count - 1
            if isLast, answered { continue }
            let then = isLast ? "" : attempts[place + 1].target.description
            if then != target.description { shares[target]?.wentTo[then, default: 0] += 1 }
        }
    }
}

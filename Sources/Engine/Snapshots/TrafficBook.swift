import Domain
import Operations

/// Keeps the figures that the snapshot shows, one finished call at a time; a pure value fed by the pump.
struct TrafficBook: Sendable {
    /// Names that callers choose are bounded here: beyond these many, further ones are not kept apart.
    private static let modelsPerTenant = 50
    private static let targetsMost = 2_000
    private static let costLinesMost = 2_000
    private static let historyMost = 20

    struct TenantPart: Sendable {
        var window = TrafficWindow()
        var models: [String: ModelSums] = [:]

        fileprivate mutating func add(_ row: LedgerRow, _ sample: TrafficWindow.Sample) {
            window.add(sample, at: row.at)
            if let place = models.index(forKey: row.model) {
                models.values[place].add(row, failed: sample.failed)
            } else {
                let name = models.count < TrafficBook.modelsPerTenant ? row.model : "(other)"
                models[name, default: .init()].add(row, failed: sample.failed)
            }
        }
    }

    struct ModelSums: Sendable {
        /// Where the newest call went.
        var target: Target?
        var calls: Int64 = 0
        var errors: Int64 = 0
        var tokens: Int64 = 0
        var hits: Int64 = 0
        var cost = Money.zero
    }

    struct TargetPart: Sendable {
        var window = TrafficWindow()
        var history: [BreakerMoment] = []
        var errors: [ErrorMoment] = []
        var since: WallTime?
    }

    private(set) var all = TrafficWindow()
    private(set) var tenants: [TenantID: TenantPart] = [:]
    private(set) var targets: [Target: TargetPart] = [:]
    private(set) var providerKeys: [ProviderKeyID: TrafficWindow] = [:]
    private(set) var virtualKeys: [VirtualKeyID: TrafficWindow] = [:]
    private(set) var costs = CostBook()
    private(set) var recent = RecentCalls()
    private var shares: (at: WallTime, of: [Target: RecentCalls.TargetShare])?

    mutating func take(_ event: GatewayEvent, tenantName: (TenantID) -> String) {
        switch event {
        case .callFinished(let finish): add(finish, tenantName: tenantName)
        case .breakerMoved(let move): add(move)
        case .callStarted, .credentialMarked, .changed: break
        }
    }

    /// Forgets keys that are gone, so that the tables follow the directory.
    mutating func keepOnly(providerKeys known: Set<ProviderKeyID>, virtualKeys alive: Set<VirtualKeyID>) {
        providerKeys = providerKeys.filter { known.contains($0.key) }
        virtualKeys = virtualKeys.filter { alive.contains($0.key) }
    }

    /// Who uses which target, worked out anew at most once a second.
    mutating func shares(at now: WallTime) -> [Target: RecentCalls.TargetShare] {
        if let shares, abs(now.milliseconds - shares.at.milliseconds) < 1_000 { return shares.of }
        let found = recent.shares(at: now)
        shares = (now, found)
        return found
    }

    mutating func restore(_ line: CostBook.Line, hour: Int64, key: CostBook.Key) {
        costs.restore(line, hour: hour, key: key)
    }

    private mutating func add(_ finish: GatewayEvent.CallFinish, tenantName: (TenantID) -> String) {
        let row = finish.row
        recent.add(finish)
        let sample = TrafficWindow.Sample(
            failed: Self.isError(row), microseconds: row.latencyMicroseconds, cost: row.cost ?? .zero,
            tokens: row.usage.total, hit: row.cache.isHit)
        all.add(sample, at: row.at)
        virtualKeys[row.virtualKey, default: .init()].add(sample, at: row.at)
        tenants[row.tenant, default: .init()].add(row, sample)
        for place in finish.attempts.indices { add(attempt: place, of: finish, tenantName) }
        costs.add(row)
    }

    /// A caller's own fault is not an error of the gateway's traffic.
    static func isError(_ row: LedgerRow) -> Bool {
        switch row.end {
        case .answered, .refused, .cancelled: false
        case .failed, .cut: !(400..<429).contains(row.status) || row.status == 424
        }
    }

    private mutating func add(
        attempt place: Int, of finish: GatewayEvent.CallFinish, _ tenantName: (TenantID) -> String
    ) {
        let (row, attempt) = (finish.row, finish.attempts[place])
        let sample = TrafficWindow.Sample(
            failed: attempt.failure?.rule.countsForBreaker ?? false, microseconds: attempt.microseconds,
            cost: attempt.failure == nil ? row.cost ?? .zero : .zero, tokens: row.usage.total,
            rateLimited: attempt.failure == .keyRateLimit)
        if let key = attempt.providerKey { providerKeys[key, default: .init()].add(sample, at: row.at) }
        if let place = targets.index(forKey: attempt.target) {
            targets.values[place].window.add(sample, at: row.at)
        } else {
            guard targets.count < Self.targetsMost else { return }
            targets[attempt.target, default: .init()].window.add(sample, at: row.at)
        }
        guard let failure = attempt.failure, failure != .cancelled else { return }
        let next = finish.attempts[place...].dropFirst().first
        let then =
            next.map { "retry->\($0.target.provider) \($0.failure == nil ? "ok" : "failed")" }
            ?? "\(row.status) to caller"
        targets[attempt.target]?.errors.insert(
            ErrorMoment(
                at: row.at, tenant: tenantName(row.tenant), model: row.model, status: attempt.status,
                failure: failure.rawValue, then: then), at: 0)
        if (targets[attempt.target]?.errors.count ?? 0) > Self.historyMost {
            targets[attempt.target]?.errors.removeLast()
        }
    }

    private mutating func add(_ move: GatewayEvent.BreakerMove) {
        guard targets[move.target] != nil || targets.count < Self.targetsMost else { return }
        var part = targets[move.target] ?? TargetPart()
        part.since = move.at
        part.history.insert(
            BreakerMoment(at: move.at, position: move.position, held: move.hold != nil, why: move.why), at: 0)
        if part.history.count > Self.historyMost { part.history.removeLast() }
        targets[move.target] = part
    }
}

extension CacheOutcome {
    /// As a pattern: `==` of two words compares their texts.
    var isHit: Bool {
        if case .hit = self { true } else { false }
    }
}

extension TrafficBook.ModelSums {
    fileprivate mutating func add(_ row: LedgerRow, failed: Bool) {
        target = row.target ?? target
        calls += 1
        if failed { errors += 1 }
        if row.cache.isHit { hits += 1 }
        tokens += row.usage.total
        cost += row.cost ?? .zero
    }
}

import Domain
import Metering
import Operations
import Routing

/// What a change would have done to the last minute's calls: each is routed once as things stand and once with the
/// change, by the same search and with the same lot. None is made.
struct BlastReplay {
    let finder: RouteFinder
    let tenants: [TenantID: TenantRecord]
    let instant: Instant

    private static let rowsMost = 20

    /// One call's two ways.
    private struct Ways {
        let call: RecentCalls.Call
        let before: Target?
        let after: Target?
        let why: String
    }

    func radius(
        of change: BlastChange, over recent: (calls: [RecentCalls.Call], seconds: Double, sampled: Bool)
    ) -> BlastRadius {
        var changed = finder
        changed.overrides = RouteOverrides(change)
        let ways = recent.calls.enumerated().compactMap { place, call in
            replay(call, draw: UInt64(place), changed)
        }
        let perHour = 3_600 / recent.seconds
        return BlastRadius(
            calls: ways.count, seconds: Int(recent.seconds.rounded()), targets: shifts(ways, recent.seconds),
            failing: losses(ways),
            costPerHourBefore: cost(of: ways, at: \.before, perHour),
            costPerHourAfter: cost(of: ways, at: \.after, perHour),
            latencyBefore: latency(of: ways, at: \.before), latencyAfter: latency(of: ways, at: \.after),
            sampled: recent.sampled,
            note: [note(ways), ending(change, over: recent)].filter { !$0.isEmpty }.joined(separator: "; "))
    }

    /// A drain ends in the key's revocation: what fails then, beside what a drain does at once.
    private func ending(
        _ change: BlastChange, over recent: (calls: [RecentCalls.Call], seconds: Double, sampled: Bool)
    ) -> String {
        guard case .drainKey(let key) = change, !recent.calls.isEmpty else { return "" }
        let losses = radius(of: .revokeKey(key), over: recent).failing
        guard !losses.isEmpty else { return "when the drain ends, no call fails either" }
        let words = losses.prefix(3).map { "\($0.calls) calls of \($0.tenant)" }.joined(separator: ", ")
        return "when the drain ends, \(words) would fail"
    }

    private func replay(_ call: RecentCalls.Call, draw: UInt64, _ changed: RouteFinder) -> Ways? {
        guard let tenant = tenants[call.tenant], let model = try? ModelName(call.model) else { return nil }
        var mixer = SplitMix(seed: draw)
        let question = RouteQuestion(
            model: model, tenant: tenant, dialect: call.dialect,
            input: call.usage.total - call.usage.output - call.usage.reasoning,
            output: call.usage.output + call.usage.reasoning, draw: mixer.next())
        let before = finder.find(question, at: instant)
        guard before.isKnown else { return nil }
        let after = changed.find(question, at: instant).plan
        return Ways(
            call: call, before: before.plan.attempts.first?.target, after: after.attempts.first?.target,
            why: after.skipped.first?.text(at: instant) ?? "")
    }

    private func shifts(_ ways: [Ways], _ seconds: Double) -> [BlastRadius.Shift] {
        var rates: [Target: (before: Int, after: Int)] = [:]
        for way in ways {
            if let target = way.before { rates[target, default: (0, 0)].before += 1 }
            if let target = way.after { rates[target, default: (0, 0)].after += 1 }
        }
        return rates.sorted { left, right in
            let (first, second) = (
                abs(left.value.after - left.value.before), abs(right.value.after - right.value.before)
            )
            return first == second ? left.key < right.key : first > second
        }.prefix(Self.rowsMost).map { target, counts in
            .init(
                target: target.description, rateBefore: Double(counts.before) / seconds,
                rateAfter: Double(counts.after) / seconds)
        }
    }

    private func losses(_ ways: [Ways]) -> [BlastRadius.TenantLoss] {
        var losses: [TenantID: (calls: Int, why: String)] = [:]
        for way in ways where way.before != nil && way.after == nil {
            losses[way.call.tenant, default: (0, way.why)].calls += 1
        }
        return losses.compactMap { id, loss in
            tenants[id].map { .init(tenant: $0.name, calls: loss.calls, why: loss.why) }
        }.sorted { ($0.calls, $1.tenant.text) > ($1.calls, $0.tenant.text) }.prefix(Self.rowsMost).map { $0 }
    }

    private func cost(of ways: [Ways], at way: KeyPath<Ways, Target?>, _ perHour: Double) -> Money {
        let directory = finder.directory
        let sum = ways.reduce(Money.zero) { sum, each in
            guard let target = each[keyPath: way],
                let kind = directory.providers[target.provider]?.kind,
                let price = directory.prices.price(
                    provider: target.provider, model: target.model, kind: kind)
            else { return sum }
            return sum + directory.prices.cost(of: each.call.usage, at: price)
        }
        return Money(nanoUSD: Int64(Double(sum.nanoUSD) * perHour))
    }

    /// A call keeps its own time at the target it was at; at another it takes the times that others had there, in turn.
    private func latency(of ways: [Ways], at way: KeyPath<Ways, Target?>) -> Double? {
        var times: [Target: [Int64]] = [:]
        for each in ways where each.call.answered {
            if let last = each.call.targets.last { times[last, default: []].append(each.call.microseconds) }
        }
        var all: [Int64] = []
        for (place, each) in ways.enumerated() {
            guard let target = each[keyPath: way] else { continue }
            if each.call.answered, each.call.targets.last == target {
                all.append(each.call.microseconds)
            } else if let known = times[target] {
                all.append(known[place % known.count])
            }
        }
        guard !all.isEmpty else { return nil }
        all.sort()
        return Double(all[min(all.count - 1, all.count * 95 / 100)]) / 1_000
    }

    private func note(_ ways: [Ways]) -> String {
        let unknown = Set(ways.compactMap(\.after)).filter { target in
            !ways.contains { $0.call.answered && $0.call.targets.last == target }
        }
        guard !unknown.isEmpty else { return "" }
        let names = unknown.map(\.description).sorted().prefix(3).joined(separator: ", ")
        return "how \(names) would take it is not known: no call of the last minute went there"
    }
}

/// What a search takes for granted instead of what is.
struct RouteOverrides {
    private var outlook: (target: Target, outlook: Breaker.Outlook)?
    private var without: ProviderKeyID?
    private var lastKey: ProviderKeyID?
    private var weight: (model: ModelName, target: Target, weight: Int)?

    init(_ change: BlastChange) {
        switch change {
        case .breaker(let target, .open):
            outlook = (target, .refuses(Breaker.Refusal(cause: .held, retryAt: nil)))
        case .breaker(let target, .closed): outlook = (target, .passes)
        // Held as it is: the next calls go where they go now.
        case .breaker(_, .asIs): break
        case .drainKey(let key): lastKey = key
        case .revokeKey(let key): without = key
        case .weight(let model, let target, let weight): self.weight = (model, target, weight)
        }
    }

    func choices(_ choices: [Route.Choice], of model: ModelName) -> [Route.Choice] {
        guard let weight, weight.model == model else { return choices }
        return choices.map {
            $0.target == weight.target ? Route.Choice(target: $0.target, weight: weight.weight) : $0
        }
    }

    func keys(_ keys: [ProviderKeyRecord]) -> [ProviderKeyRecord] {
        if let without { return keys.filter { $0.id != without } }
        guard let lastKey else { return keys }
        return keys.filter { $0.id != lastKey } + keys.filter { $0.id == lastKey }
    }

    func outlooks(_ outlooks: [Breaker.Outlook], of candidates: [Candidate]) -> [Breaker.Outlook] {
        guard let outlook else { return outlooks }
        return zip(candidates, outlooks).map { $0.target == outlook.target ? outlook.outlook : $1 }
    }
}

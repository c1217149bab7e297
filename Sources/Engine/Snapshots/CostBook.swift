import Domain
import Operations

/// What was spent over the last 24 hours by tenant, provider and model; a pure value, hours are UTC.
struct CostBook: Sendable {
    struct Key: Hashable, Sendable {
        let tenant: TenantID
        private let place: Place

        /// Names that are a target's are kept as one, whose hash is made already.
        private enum Place: Hashable, Sendable {
            case target(Target)
            case other(provider: String, model: String)
        }

        init(tenant: TenantID, target: Target) {
            self.tenant = tenant
            place = .target(target)
        }

        /// Of an answer out of the cache, which stands in the place of a provider.
        init(tenant: TenantID, cached model: String) {
            self.tenant = tenant
            place = .other(provider: "(cache)", model: model)
        }

        init(tenant: TenantID, provider: String, model: String) {
            self.tenant = tenant
            if let provider = try? ProviderName(provider), let model = try? ModelName(model) {
                place = .target(Target(provider: provider, model: model))
            } else {
                place = .other(provider: provider, model: model)
            }
        }

        var provider: String {
            switch place {
            case .target(let target): target.provider.text
            case .other(let provider, _): provider
            }
        }

        var model: String {
            switch place {
            case .target(let target): target.model.text
            case .other(_, let model): model
            }
        }
    }

    struct Line: Sendable {
        var calls: Int64 = 0
        var unpriced: Int64 = 0
        var usage = Usage()
        var cost = Money.zero
        var saved = Money.zero

        static func += (left: inout Line, right: Line) {
            left.calls += right.calls
            left.unpriced += right.unpriced
            left.usage = left.usage + right.usage
            left.cost += right.cost
            left.saved += right.saved
        }
    }

    private struct Hours: Sendable {
        /// A day of them at most, the one that came last at the end.
        var slots: [(hour: Int64, line: Line)] = []

        mutating func add(_ line: Line, hour: Int64) {
            if let place = slots.lastIndex(where: { $0.hour == hour }) {
                slots[place].line += line
                return
            }
            slots.append((hour, line))
            guard slots.count > Int(CostBook.hoursKept) else { return }
            let oldest = hour - CostBook.hoursKept
            slots.removeAll { $0.hour <= oldest }
        }
    }

    private static let hoursKept: Int64 = 24
    private static let linesMost = 2_000
    private static let millisecondsPerHour: Int64 = 3_600_000

    private var lines: [Key: Hours] = [:]

    mutating func add(_ row: LedgerRow) {
        // A call that was let in and went nowhere cost nothing, and any caller can invent its model's name.
        let key: Key
        if let target = row.target {
            key = Key(tenant: row.tenant, target: target)
        } else if row.cache.isHit {
            key = Key(tenant: row.tenant, cached: row.model)
        } else {
            return
        }
        let line = Line(
            calls: 1, unpriced: row.cost == nil && row.target != nil ? 1 : 0, usage: row.usage,
            cost: row.cost ?? .zero, saved: row.saved ?? .zero)
        restore(line, hour: row.at.milliseconds / Self.millisecondsPerHour, key: key)
    }

    /// Adds sums of a past hour, read from the ledger at start.
    mutating func restore(_ line: Line, hour: Int64, key: Key) {
        if let place = lines.index(forKey: key) {
            lines.values[place].add(line, hour: hour)
            return
        }
        if lines.count >= Self.linesMost {
            lines = lines.filter { $0.value.slots.contains { $0.hour > hour - Self.hoursKept } }
        }
        var key = key
        if lines.count >= Self.linesMost {
            key = Key(tenant: key.tenant, provider: key.provider, model: "(other)")
        }
        lines[key, default: Hours()].add(line, hour: hour)
    }

    func view(at now: WallTime, priceVersion: String, name: (TenantID) -> TenantName?) -> CostView {
        let newest = now.milliseconds / Self.millisecondsPerHour
        let range = (newest - Self.hoursKept + 1)...newest
        var view = CostView(
            byHour: Array(repeating: 0, count: Int(Self.hoursKept)), lastHour: now.civil.hour,
            priceVersion: priceVersion)
        for (key, hours) in lines {
            guard let tenant = name(key.tenant) else { continue }
            var sum = Line()
            for (hour, line) in hours.slots where range.contains(hour) {
                sum += line
                view.byHour[Int(hour - range.lowerBound)] += Double(line.cost.nanoUSD) / 1e9
            }
            guard sum.calls > 0 else { continue }
            view.total += sum.cost
            view.saved += sum.saved
            view.unpriced += sum.unpriced
            view.lines.append(
                CostLine(
                    tenant: tenant, provider: key.provider, model: key.model, calls: sum.calls,
                    unpriced: sum.unpriced, usage: sum.usage, cost: sum.cost, saved: sum.saved))
        }
        view.lines.sort {
            ($0.cost, $0.calls, $0.tenant.text, $0.provider, $0.model)
                > ($1.cost, $1.calls, $1.tenant.text, $1.provider, $1.model)
        }
        view.lines = Array(view.lines.prefix(200))
        return view
    }

    /// Cost since midnight UTC and calls without a price, by tenant.
    func today(at now: WallTime) -> [TenantID: (cost: Money, unpriced: Int64)] {
        let newest = now.milliseconds / Self.millisecondsPerHour
        let midnight = newest - Int64(now.civil.hour)
        var sums: [TenantID: (cost: Money, unpriced: Int64)] = [:]
        for (key, hours) in lines {
            for (hour, line) in hours.slots where hour >= midnight {
                sums[key.tenant, default: (.zero, 0)].cost += line.cost
                sums[key.tenant, default: (.zero, 0)].unpriced += line.unpriced
            }
        }
        return sums
    }
}

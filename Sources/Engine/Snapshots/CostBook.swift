import Domain
import Operations

/// What was spent over the last 24 hours by tenant, provider and model; a pure value, hours are UTC.
struct CostBook: Sendable {
    struct Key: Hashable, Sendable {
        var tenant: TenantID
        var provider: String
        var model: String
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
        var slots: [Int64: Line] = [:]

        mutating func add(_ line: Line, hour: Int64) {
            slots[hour, default: Line()] += line
            guard slots.count > Int(CostBook.hoursKept) else { return }
            let oldest = hour - CostBook.hoursKept
            slots = slots.filter { $0.key > oldest }
        }
    }

    private static let hoursKept: Int64 = 24
    private static let linesMost = 2_000
    private static let millisecondsPerHour: Int64 = 3_600_000

    private var lines: [Key: Hours] = [:]

    mutating func add(_ row: LedgerRow) {
        // A call that was let in and went nowhere cost nothing, and any caller can invent its model's name.
        guard row.target != nil || row.cache == .hit else { return }
        let line = Line(
            calls: 1, unpriced: row.cost == nil && row.target != nil ? 1 : 0, usage: row.usage,
            cost: row.cost ?? .zero, saved: row.saved ?? .zero)
        let provider = row.target?.provider.text ?? "(cache)"
        restore(
            line, hour: row.at.milliseconds / Self.millisecondsPerHour,
            key: Key(tenant: row.tenant, provider: provider, model: row.target?.model.text ?? row.model))
    }

    /// Adds sums of a past hour, read from the ledger at start.
    mutating func restore(_ line: Line, hour: Int64, key: Key) {
        if let place = lines.index(forKey: key) {
            lines.values[place].add(line, hour: hour)
            return
        }
        if lines.count >= Self.linesMost {
            lines = lines.filter { $0.value.slots.keys.contains { $0 > hour - Self.hoursKept } }
        }
        var key = key
        if lines.count >= Self.linesMost { key.model = "(other)" }
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

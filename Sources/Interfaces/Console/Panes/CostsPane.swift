import Domain
import Operations

/// What was spent in the last 24 hours, hour by hour and by whom, with what and where.
struct CostsPane: Pane {
    let id = PaneID.costs
    static let groupings = CostGroup.Dimension.allCases

    private static let columns: [Listing.Column] = [
        .init("NAME", 14, widest: 40),
        .init("COST $", 9, .right),
        .init("SHARE", 6, .right),
        .init("", 12, widest: 24, rank: 4, sorts: false),
        .init("CALLS", 8, .right, rank: 2),
        .init("TOK IN", 6, .right, rank: 3),
        .init("TOK OUT", 7, .right, rank: 3),
        .init("$/1k CALLS", 10, .right, rank: 6),
        .init("UNPRICED", 8, .right, rank: 1),
        .init("SAVED $", 8, .right, rank: 5),
    ]

    private func grouping(_ model: ConsoleModel) -> CostGroup.Dimension {
        Self.groupings[min(model.states[id]?.grouping ?? 0, Self.groupings.count - 1)]
    }

    func listings(_ model: ConsoleModel) -> [Listing] {
        let groups = CostGroup.make(model.shown.costs.lines, by: grouping(model))
        let total = groups.reduce(Money.zero) { $0 + $1.cost }
        return [
            Listing(
                key: 0, columns: Self.columns, total: groups.count, id: { .group(groups[$0].name) },
                attention: { groups[$0].unpriced > 0 }, entry: { Self.entry(groups[$0], $1, total) })
        ]
    }

    private static func entry(_ group: CostGroup, _ column: Int, _ total: Money) -> Listing.Entry {
        let share = total > .zero ? Double(group.cost.nanoUSD) / Double(total.nanoUSD) : 0
        // Where no call has a price there is no cost to show, not a cost of zero.
        let unknown = group.calls > 0 && group.unpriced == group.calls
        switch column {
        case 0: return .init(group.name, .textStrong)
        case 1: return .init(unknown ? "-" : Figure.dollars(group.cost), order: Double(group.cost.nanoUSD))
        case 2: return .init(unknown ? "-" : "\(Figure.percent(share * 100))%", order: share)
        case 3: return .init("", .graph1, shape: .bar(share))
        case 4: return .init(Figure.grouped(group.calls), order: Double(group.calls))
        case 5: return .init(Figure.short(group.usage.totalInput), order: Double(group.usage.totalInput))
        case 6: return .init(Figure.short(group.usage.totalOutput), order: Double(group.usage.totalOutput))
        case 7:
            let priced = group.calls - group.unpriced
            let each = priced > 0 ? group.cost.nanoUSD / priced * 1_000 : 0
            return .init(priced > 0 ? Figure.dollars(Money(nanoUSD: each)) : "-", order: Double(each))
        case 8:
            return .init(
                group.unpriced == 0 ? "-" : Figure.grouped(group.unpriced),
                group.unpriced == 0 ? .textDim : .statusWarn,
                order: Double(group.unpriced))
        default: return .init(Figure.dollars(group.saved), order: Double(group.saved.nanoUSD))
        }
    }

    func crumb(_ model: ConsoleModel) -> String {
        guard case .group(let name)? = model.selected else { return "by \(grouping(model).rawValue)" }
        return "by \(grouping(model).rawValue) > \(name)"
    }

    func enter(_ row: RowID, _ model: inout ConsoleModel) {
        guard grouping(model) == .tenant, case .group(let name) = row,
            let tenant = model.shown.tenants.first(where: { $0.name.text.utf8.elementsEqual(name.utf8) })
        else { return }
        model.open(.tenant(tenant.id))
    }

    func draw(_ model: ConsoleModel, _ canvas: inout Canvas, in area: Area) {
        let listing = model.listings(of: id)[0]
        let costs = model.shown.costs
        var area = area
        if !model.isSmall {
            drawHours(costs, &canvas, area.takeTop(area.height >= 30 ? 12 : (area.height >= 21 ? 7 : 6)))
            let wish = min(8, max(4, area.height - listing.count - 3))
            let detail = area.height >= 12 ? area.takeBottom(wish) : Area(width: 0, height: 0)
            drawDetail(model, costs, &canvas, detail)
        }
        table(
            listing, title: "By \(grouping(model).rawValue)", words: "g groups by the next", model,
            &canvas, in: area,
            empty: "no call with a cost in the last 24 hours")
    }

    private func drawHours(_ costs: CostView, _ canvas: inout Canvas, _ area: Area) {
        var area = area
        let unpriced = costs.unpriced > 0 ? "   \(Figure.grouped(costs.unpriced)) calls unpriced" : ""
        canvas.rule(
            area.takeTop(1), "Cost by hour (UTC), USD",
            "24h \(Figure.dollars(costs.total))   saved \(Figure.dollars(costs.saved))\(unpriced)")
        let labels = area.takeBottom(1)
        let step = max(2, min(4, (area.width - 8) / 24))
        let hours = costs.byHour.suffix(24)
        let peak = hours.max() ?? 0
        let ceiling = Graph.ceiling(peak)
        for row in 0..<area.height where peak > 0 {
            let value = ceiling * Double(area.height - row) / Double(area.height)
            canvas.putRight(
                Figure.fixed(value, ceiling < 1 ? 3 : (ceiling >= 10 ? 1 : 2)), endingAt: area.column + 6,
                area.row + row,
                Style(.graphGrid), width: 6)
        }
        for (index, value) in hours.enumerated() {
            let column = area.column + 7 + (24 - hours.count + index) * step
            let hour = (costs.lastHour - (hours.count - 1 - index) + 48) % 24
            canvas.put(padded(hour, to: 2), column, labels.row, Style(.textDim), width: step)
            let eighths = peak > 0 ? Int((value / ceiling * Double(area.height * 8)).rounded()) : 0
            for row in 0..<area.height {
                let level = min(8, eighths - (area.height - 1 - row) * 8)
                guard level > 0 else { continue }
                for cell in 0..<(step - 1) {
                    canvas.sign(
                        canvas.glyphs.columns[level - 1], column + cell, area.row + row, Style(.graph4))
                }
            }
        }
        if peak == 0 {
            canvas.put("nothing was spent", area.column + 7, area.row, Style(.textDim), width: area.width - 8)
        }
    }

    /// The selected group, split by the next dimension.
    private func drawDetail(_ model: ConsoleModel, _ costs: CostView, _ canvas: inout Canvas, _ area: Area) {
        var area = area
        guard area.height > 1, case .group(let name)? = model.selected(in: model.listings(of: id)[0], of: id)
        else { return }
        let by = grouping(model)
        let next: CostGroup.Dimension = by == .model ? .tenant : .model
        let lines = costs.lines.filter { CostGroup.name($0, by).utf8.elementsEqual(name.utf8) }
        let groups = CostGroup.make(lines, by: next)
        canvas.rule(
            area.takeTop(1), "\(name) by \(next.rawValue)",
            costs.priceVersion.isEmpty ? "" : "prices \(costs.priceVersion)")
        let total = max(1, groups.reduce(0) { $0 + $1.cost.nanoUSD })
        for group in groups.prefix(area.height) {
            let row = area.takeTop(1)
            let share = Double(group.cost.nanoUSD) / Double(total)
            let name = min(30, max(12, row.width / 4))
            let unknown = group.unpriced == group.calls && group.calls > 0
            canvas.put(group.name, row.column + 1, row.row, Style(.text), width: name)
            canvas.putRight(
                unknown ? "unpriced" : Figure.dollars(group.cost), endingAt: row.column + name + 11, row.row,
                Style(unknown ? .statusWarn : .text), width: 9)
            guard !unknown else { continue }
            canvas.putRight(
                "\(Figure.percent(share * 100))%", endingAt: row.column + name + 18, row.row, Style(.text),
                width: 6)
            Graph.bar(
                share, &canvas, row.column + name + 19, row.row, width: min(40, row.width - name - 20),
                Style(.graph4))
        }
    }
}

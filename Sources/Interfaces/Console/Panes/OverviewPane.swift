import Domain
import Operations

/// What needs a person, how busy the gateway is, and who and what makes it so.
struct OverviewPane: Pane {
    let id = PaneID.overview

    func regionKeys(_ model: ConsoleModel) -> [Int] { [0, 1, 2] }

    func listings(_ model: ConsoleModel) -> [Listing] {
        [alerts(model), TargetListing.make(model, key: 1, full: false), tenants(model)]
    }

    func crumb(_ model: ConsoleModel) -> String {
        let alerts = model.shown.alerts
        if model.isSmall, case .alert(let name)? = model.selected,
            let alert = alerts.first(where: { Self.name($0) == name })
        {
            return alert.text
        }
        guard let oldest = alerts.map(\.since).min() else { return "" }
        return "\(Figure.count(alerts.count, "alert")), oldest \(Figure.span(model.shownTime - oldest))"
    }

    func enter(_ row: RowID, _ model: inout ConsoleModel) {
        guard case .alert(let name) = row else { return model.open(row) }
        switch model.shown.alerts.first(where: { Self.name($0) == name })?.subject {
        case .target(let target): model.open(.target(target))
        case .providerKey(let key): model.open(.providerKey(key))
        case .tenant(let tenant): model.open(.tenant(tenant))
        case .health, nil:
            let health = model.shown.health
            model.tell(health.reasons.first ?? "health: \(health.state.rawValue)", .warning)
        }
    }

    /// What tells one alert from another while its words change.
    private static func name(_ alert: AlertView) -> String {
        switch alert.subject {
        case .target(let target): "target \(target) \(alert.title)"
        case .providerKey(let key): "key \(key) \(alert.title)"
        case .tenant(let tenant): "tenant \(tenant) \(alert.title)"
        case .health: "health \(alert.title)"
        }
    }

    private static let alertColumns: [Listing.Column] = [
        .init("LEVEL", 4), .init("WHAT", 20, widest: 34), .init("WHY", 8, widest: 300),
        .init("SINCE", 6, .right, rank: 1),
    ]

    private func alerts(_ model: ConsoleModel) -> Listing {
        let alerts = model.shown.alerts
        let now = model.shownTime
        return Listing(
            key: 0, columns: Self.alertColumns, total: alerts.count, id: { .alert(Self.name(alerts[$0])) },
            attention: { alerts[$0].level != .info },
            entry: { item, column in
                let alert = alerts[item]
                let slot: Slot =
                    switch alert.level {
                    case .critical: .statusBad
                    case .warning: .statusWarn
                    case .info: .statusNew
                    }
                return switch column {
                case 0: .init(alert.level.rawValue, slot)
                case 1: .init(alert.title, .textStrong)
                case 2: .init(alert.text)
                default:
                    .init(Figure.age(now - alert.since), .textDim, order: -Double(alert.since.milliseconds))
                }
            })
    }

    private static let tenantColumns: [Listing.Column] = [
        .init("TENANT", 10, widest: 20), .init("rq/s", 6, .right), .init("ERR%", 5, .right),
        .init("", 8, widest: 60, rank: 1, sorts: false),
    ]

    /// The busiest tenants: one pass, because there may be thousands.
    static func busiest(_ tenants: [TenantView], most: Int = 20) -> [TenantView] {
        func isBefore(_ one: TenantView, _ two: TenantView) -> Bool {
            (two.figures.requestsPerSecond, one.name) < (one.figures.requestsPerSecond, two.name)
        }
        var out: [TenantView] = []
        for tenant in tenants {
            if out.count == most, let last = out.last, !isBefore(tenant, last) { continue }
            out.insert(tenant, at: out.firstIndex { isBefore(tenant, $0) } ?? out.count)
            if out.count > most { out.removeLast() }
        }
        return out
    }

    private func tenants(_ model: ConsoleModel) -> Listing {
        let tenants = Self.busiest(model.shown.tenants)
        let peak = max(0.001, tenants.first?.figures.requestsPerSecond ?? 0)
        return Listing(
            key: 2, columns: Self.tenantColumns, total: tenants.count, id: { .tenant(tenants[$0].id) },
            attention: { tenants[$0].status == .suspended },
            entry: { item, column in
                let (tenant, rate) = (tenants[item], tenants[item].figures.requestsPerSecond)
                let errors = tenant.figures.errorPercent
                return switch column {
                case 0: .init(tenant.name.text)
                case 1: .init(Figure.rate(rate), order: rate)
                case 2: .init(Figure.percent(errors), errors >= 5 ? .statusBad : .text, order: errors)
                default: .init("", .graph1, shape: .bar(rate / peak))
                }
            })
    }

    func draw(_ model: ConsoleModel, _ canvas: inout Canvas, in area: Area) {
        let all = model.listings(of: id)
        var area = area
        if model.isSmall {
            let index = min(model.states[id]?.region ?? 0, all.count - 1)
            return table(
                all[index], title: ["Attention", "Targets", "Tenants"][index], model, &canvas, in: area,
                empty: "nothing needs attention; tab shows targets")
        }
        let tall = area.height >= 30
        let alerts = min(max(1, all[0].count), tall ? 5 : 3)
        drawAlerts(all[0], model, &canvas, area.takeTop(alerts + 1))
        let series = model.shown.series
        let spare = area.height - 4 - 4 - min(all[1].count, 5) - 2
        drawPair(
            &canvas, area.takeTop(tall ? 6 : (spare >= 1 ? 5 : 4)),
            GraphPanel(title: "req/s", series: series.requestsPerSecond, slot: .graph1, write: Figure.rate),
            GraphPanel(title: "errors %", series: series.errorPercent, slot: .graph2, write: Figure.percent))
        if tall {
            drawPair(
                &canvas, area.takeTop(6),
                GraphPanel(title: "p95 s", series: series.p95Milliseconds.map { $0 / 1_000 }, slot: .graph3) {
                    Figure.fixed($0, 2)
                },
                GraphPanel(title: "$/h", series: series.costPerHour, slot: .graph4) { Figure.fixed($0, 2) })
        }
        let bottom = tall ? max(5, min(8, area.height / 3)) : 4
        let events = tall ? min(7, max(0, area.height - bottom - 2 - min(all[1].count, 10))) : 0
        let eventArea = area.takeBottom(events >= 3 ? events : 0)
        let bottomArea = area.takeBottom(bottom)
        table(
            all[1], title: "Targets", words: openWords(model), model, &canvas, in: area,
            empty: "no targets: add a [[provider]] and a [[route]] to the configuration")
        let (left, right) = bottomArea.split(at: bottomArea.width / 2)
        drawTenants(all[2], model, &canvas, left)
        drawMoney(model, &canvas, right)
        join(&canvas, bottomArea, at: left.right)
        drawChanges(model, &canvas, eventArea)
    }

    private func openWords(_ model: ConsoleModel) -> String {
        let open = model.shown.targets.count { $0.position == .open }
        return open == 0 ? "" : "\(open) open"
    }

    private func drawAlerts(_ listing: Listing, _ model: ConsoleModel, _ canvas: inout Canvas, _ area: Area) {
        var area = area
        let words =
            listing.count > area.height - 1 ? "\(listing.count - area.height + 1) more" : "enter opens"
        canvas.rule(area.takeTop(1), "Attention \(listing.count)", listing.count == 0 ? "" : words)
        if listing.total == 0 {
            canvas.put(
                "nothing needs attention", area.column + 1, area.row, Style(.statusOK), width: area.width - 1)
            return
        }
        let look = Table.Look(
            selected: model.selected(in: listing, of: id), focused: model.regionKey == 0, showsHead: false)
        Table.draw(listing, &canvas, in: area, look, region: 0)
    }

    private func drawPair(_ canvas: inout Canvas, _ area: Area, _ one: GraphPanel, _ two: GraphPanel) {
        let (left, right) = area.split(at: area.width / 2)
        one.draw(&canvas, in: left)
        two.draw(&canvas, in: right)
        join(&canvas, area, at: left.right)
    }

    private func join(_ canvas: inout Canvas, _ area: Area, at column: Int) {
        guard area.height > 0 else { return }
        canvas.divider(
            column: column, rows: area.row..<area.bottom, joints: [area.row: canvas.glyphs.dividerDown])
    }

    private func drawTenants(_ listing: Listing, _ model: ConsoleModel, _ canvas: inout Canvas, _ area: Area)
    {
        var area = area
        canvas.rule(
            area.takeTop(1), "Top tenants: rq/s, err%",
            listing.count > area.height ? "\(listing.count) in all" : "")
        area.width -= 1
        let look = Table.Look(
            selected: model.selected(in: listing, of: id), focused: model.regionKey == 2, showsHead: false)
        Table.draw(listing, &canvas, in: area, look, region: 2, empty: "no tenant yet; 4 then n adds one")
    }

    private func drawMoney(_ model: ConsoleModel, _ canvas: inout Canvas, _ area: Area) {
        var area = area
        canvas.rule(area.takeTop(1), "Cache, and cost of 24h")
        let (cache, costs) = (model.shown.cache, model.shown.costs)
        let calls = cache.hits + cache.misses
        let share = calls == 0 ? "-" : "\(Figure.percent(Double(cache.hits) * 100 / Double(calls)))%"
        let unpriced = costs.unpriced > 0 ? "   \(Figure.grouped(costs.unpriced)) unpriced" : ""
        let entries = area.width >= 50 ? "   \(Figure.grouped(cache.entries)) entries" : ""
        let lines = [
            ("hit", "\(share) of \(Figure.short(calls)) calls\(entries)"),
            ("saved", "$\(Figure.dollars(costs.saved))"),
            ("spend", "$\(Figure.dollars(costs.total))\(unpriced)"),
        ]
        for line in lines {
            let row = area.takeTop(1)
            guard row.height > 0 else { return }
            canvas.put(line.0, row.column + 1, row.row, Style(.textDim))
            canvas.put(line.1, row.column + 8, row.row, Style(.text), width: row.width - 8)
        }
        drawTop(costs, &canvas, area)
    }

    /// Who spends most, where there is room for it.
    private func drawTop(_ costs: CostView, _ canvas: inout Canvas, _ area: Area) {
        guard area.height > 0, costs.total > .zero else { return }
        let groups = CostGroup.make(costs.lines, by: .tenant).prefix(3)
        let words = groups.map { group in
            "\(group.name) \(Figure.fixed(Double(group.cost.nanoUSD) * 100 / Double(costs.total.nanoUSD), 0))%"
        }
        canvas.put("top", area.column + 1, area.row, Style(.textDim))
        canvas.put(
            words.joined(separator: "  "), area.column + 8, area.row, Style(.text), width: area.width - 8)
    }

    private func drawChanges(_ model: ConsoleModel, _ canvas: inout Canvas, _ area: Area) {
        var area = area
        guard area.height > 1 else { return }
        canvas.rule(area.takeTop(1), "Last changes", "8 audit")
        for record in model.shown.audit.prefix(area.height) {
            let row = area.takeTop(1)
            let draft = record.draft
            canvas.put(
                Figure.moment(draft.at, now: model.shownTime), row.column + 1, row.row, Style(.textDim))
            canvas.put(draft.actor, row.column + 10, row.row, Style(.text), width: 12)
            canvas.put(draft.action, row.column + 23, row.row, Style(.textStrong), width: 16)
            let rest = draft.reason.isEmpty ? draft.target : "\(draft.target)   \(draft.reason)"
            canvas.put(rest, row.column + 40, row.row, Style(.text), width: row.width - 41)
        }
    }
}

import Domain
import Operations

/// The tenants, and behind enter one tenant's limits, models and virtual keys.
struct TenantsPane: Pane {
    let id = PaneID.tenants

    private static let columns: [Listing.Column] = [
        .init("TENANT", 14, widest: 40),
        .init("STATUS", 9),
        .init("rq/s", 6, .right),
        .init("ERR%", 5, .right),
        .init("P95", 6, .right, rank: 2),
        .init("TOK/MIN", 7, .right, rank: 3),
        .init("TODAY $", 9, .right, rank: 1),
        .init("UNPRICED", 8, .right, rank: 5),
        .init("15m rq/s", 10, rank: 4, sorts: false),
        .init("LIMITS", 16, widest: 60, rank: 6, sorts: false),
    ]
    private static let modelColumns: [Listing.Column] = [
        .init("MODEL", 16, widest: 34),
        .init("TARGET", 18, widest: 40, rank: 1),
        .init("CALLS", 7, .right),
        .init("ERR%", 5, .right),
        .init("TOK", 6, .right, rank: 2),
        .init("HIT%", 5, .right, rank: 2),
        .init("$", 8, .right),
    ]

    func regionKeys(_ model: ConsoleModel) -> [Int] { open(model) == nil ? [0] : [1, 2] }

    func listings(_ model: ConsoleModel) -> [Listing] {
        guard let tenant = open(model) else { return [list(model)] }
        return [models(of: tenant), KeyListings.virtualKeys(model, key: 2, of: tenant.name)]
    }

    /// The tenant whose own screen is open.
    private func open(_ model: ConsoleModel) -> TenantView? {
        guard case .tenant(let tenant)? = model.states[id]?.drilled else { return nil }
        return model.shown.tenants.first { $0.id == tenant }
    }

    func crumb(_ model: ConsoleModel) -> String {
        if let tenant = open(model) { return tenant.name.text }
        guard case .tenant(let chosen)? = model.selected else { return "" }
        return model.names.name(chosen)
    }

    func enter(_ row: RowID, _ model: inout ConsoleModel) {
        switch row {
        case .tenant:
            model.state.drilled = row
            model.state.filter = ""
            model.pinSelections()
        case .virtualKey: model.open(row)
        default: break
        }
    }

    private func list(_ model: ConsoleModel) -> Listing {
        let tenants = model.shown.tenants
        let drilled = Set(model.shown.drills.map(\.tenant))
        return Listing(
            key: 0, columns: Self.columns, total: tenants.count, id: { .tenant(tenants[$0].id) },
            attention: {
                let tenant = tenants[$0]
                return tenant.status == .suspended || tenant.figures.errorPercent >= 5
                    || drilled.contains(tenant.name)
            },
            entry: { Self.entry(tenants[$0], $1, drilled: drilled.contains(tenants[$0].name)) })
    }

    private static func entry(_ tenant: TenantView, _ column: Int, drilled: Bool) -> Listing.Entry {
        let figures = tenant.figures
        switch column {
        case 0: return .init(tenant.name.text, .textStrong)
        case 1:
            if drilled, tenant.status == .active { return .init("DRILL", .bannerProd) }
            let word = StateWord.tenant(tenant.status)
            return .init(word.text, word.slot)
        case 2: return .init(Figure.rate(figures.requestsPerSecond), order: figures.requestsPerSecond)
        case 3:
            let slot: Slot = figures.errorPercent >= 5 ? .statusBad : .text
            return .init(Figure.percent(figures.errorPercent), slot, order: figures.errorPercent)
        case 4: return .init(Figure.seconds(figures.p95Milliseconds), order: figures.p95Milliseconds ?? -1)
        case 5: return .init(Figure.short(tenant.tokensPerMinute), order: Double(tenant.tokensPerMinute))
        case 6: return .init(Figure.dollars(tenant.costToday), order: Double(tenant.costToday.nanoUSD))
        case 7:
            return .init(
                tenant.unpricedToday == 0 ? "-" : Figure.grouped(tenant.unpricedToday),
                order: Double(tenant.unpricedToday))
        case 8: return .init("", .graph1, shape: .spark(tenant.requestSeries, least: 0))
        default: return .init(KeyListings.limits(tenant.limits), .textDim)
        }
    }

    /// What a row of a tenant's models is known by.
    static func name(of line: ModelFigures) -> String { "\(line.model) \(line.target)" }

    private func models(of tenant: TenantView) -> Listing {
        let models = tenant.models
        return Listing(
            key: 1, columns: Self.modelColumns, total: models.count,
            id: { .group(Self.name(of: models[$0])) },
            entry: { item, column in
                let line = models[item]
                let calls = Double(max(1, line.calls))
                switch column {
                case 0: return .init(line.model, .textStrong)
                case 1: return .init(line.target)
                case 2: return .init(Figure.grouped(line.calls), order: Double(line.calls))
                case 3:
                    return .init(
                        Figure.percent(Double(line.errors) * 100 / calls), order: Double(line.errors) / calls)
                case 4: return .init(Figure.short(line.tokens), order: Double(line.tokens))
                case 5:
                    return .init(
                        Figure.percent(Double(line.hits) * 100 / calls), order: Double(line.hits) / calls)
                default: return .init(line.cost.dollars(decimals: 4), order: Double(line.cost.nanoUSD))
                }
            })
    }

    func draw(_ model: ConsoleModel, _ canvas: inout Canvas, in area: Area) {
        let all = model.listings(of: id)
        guard let tenant = open(model), all.count == 2 else {
            return drawList(all[0], model, &canvas, area)
        }
        let titles = ["Models of the last 15m", "Virtual keys"]
        let empty = ["no call in the last 15 minutes", "no virtual key; 5 then tab, n issues one"]
        var area = area
        if model.isSmall {
            let index = min(model.states[id]?.region ?? 0, 1)
            return table(all[index], title: titles[index], model, &canvas, in: area, empty: empty[index])
        }
        drawHead(tenant, model, &canvas, area.takeTop(min(7, area.height / 3 + 1)))
        let first = max(4, min(all[0].count + 2, area.height * 3 / 5))
        table(all[0], title: titles[0], model, &canvas, in: area.takeTop(first), empty: empty[0])
        table(all[1], title: titles[1], words: "tab", model, &canvas, in: area, empty: empty[1])
    }

    /// The list, and where there is room, the selected tenant below it.
    private func drawList(_ listing: Listing, _ model: ConsoleModel, _ canvas: inout Canvas, _ area: Area) {
        var area = area
        let empty = "no tenant yet; n adds one"
        guard !model.isSmall, area.height >= 16,
            case .tenant(let chosen)? = model.selected(in: listing, of: id),
            let tenant = model.shown.tenants.first(where: { $0.id == chosen })
        else { return table(listing, title: "Tenants", model, &canvas, in: area, empty: empty) }
        let rows = min(listing.count, max(4, area.height - 14))
        table(listing, title: "Tenants", model, &canvas, in: area.takeTop(rows + 2), empty: empty)
        drawHead(tenant, model, &canvas, area.takeTop(7))
        let used = models(of: tenant)
        canvas.rule(area.takeTop(1), "Models of the last 15m \(used.count)", "enter opens the tenant")
        let look = Table.Look(selected: nil, focused: false)
        Table.draw(used, &canvas, in: area, look, region: -1, empty: "no call in the last 15 minutes")
    }

    private func drawHead(_ tenant: TenantView, _ model: ConsoleModel, _ canvas: inout Canvas, _ area: Area) {
        var area = area
        let head = area.takeTop(1)
        canvas.rule(head, "Tenant \(tenant.name)", "since \(tenant.created.civil.date)")
        let (left, right) = area.split(at: area.width / 2)
        drawFacts(tenant, model, &canvas, left)
        canvas.divider(
            column: left.right, rows: head.row..<area.bottom, joints: [head.row: canvas.glyphs.dividerDown])
        let series: [(String, [Double], Slot, String)] = [
            ("rq/s 15m", tenant.requestSeries, .graph1, Figure.rate(tenant.figures.requestsPerSecond)),
            ("err% 15m", tenant.errorSeries, .graph2, Figure.percent(tenant.figures.errorPercent)),
            ("$/h 15m", tenant.costSeries, .graph4, Figure.dollars(tenant.figures.costPerHour)),
        ]
        for (index, line) in series.enumerated() where index * 2 < max(right.height, 3) {
            let row = right.row + (right.height >= 6 ? index * 2 : index)
            guard row < right.bottom else { return }
            canvas.put(line.0, right.column + 1, row, Style(.textDim), width: right.width - 1)
            Graph.spark(
                line.1, least: index == 1 ? TargetListing.errorsWorthSeeing : 0, points: TrafficSeries.points,
                &canvas, right.column + 10, row,
                width: right.width - 19,
                Style(line.2))
            canvas.putRight(line.3, endingAt: right.right - 1, row, Style(.text), width: 7)
        }
    }

    private func drawFacts(_ tenant: TenantView, _ model: ConsoleModel, _ canvas: inout Canvas, _ area: Area)
    {
        let (figures, limits) = (tenant.figures, tenant.limits)
        let word = StateWord.tenant(tenant.status)
        let unpriced =
            tenant.unpricedToday > 0 ? ", \(Figure.grouped(tenant.unpricedToday)) calls unpriced" : ""
        let calls = Figure.short(figures.calls)
        let drill = model.shown.drills.first { $0.tenant == tenant.name }
        let lines: [(String, String, Slot, Double?)] = [
            (
                "status", word.text + drillWords(tenant, model) + platformWords(tenant, model),
                drill == nil ? word.slot : .bannerProd, nil
            ),
            (
                "calls", "\(calls) of \(ceiling(limits.requestsPerMinute)) /min", .text,
                share(Double(figures.calls), limits.requestsPerMinute)
            ),
            (
                "tokens",
                "\(Figure.short(tenant.tokensPerMinute)) of \(ceiling(limits.tokensPerMinute)) /min", .text,
                share(Double(tenant.tokensPerMinute), limits.tokensPerMinute)
            ),
            (
                "parallel", "\(figures.inFlight) of \(ceiling(limits.parallel))", .text,
                share(Double(figures.inFlight), limits.parallel)
            ),
            ("today", "$\(Figure.dollars(tenant.costToday))\(unpriced)", .text, nil),
            (
                "cache",
                "\(Figure.percent(figures.hitPercent))% of calls   p95 \(Figure.seconds(figures.p95Milliseconds))",
                .text, nil
            ),
        ]
        for (index, line) in lines.prefix(area.height).enumerated() {
            let row = area.row + index
            canvas.put(line.0, area.column + 1, row, Style(.textDim))
            canvas.put(line.1, area.column + 10, row, Style(line.2), width: area.width - 10)
            if let share = line.3, area.width >= 38 {
                let width = min(20, area.width - 32)
                Graph.bar(
                    share, &canvas, area.column + 31, row, width: width,
                    Style(share >= 0.8 ? .statusWarn : .graph1))
            }
        }
    }

    private func drillWords(_ tenant: TenantView, _ model: ConsoleModel) -> String {
        guard let drill = model.shown.drills.first(where: { $0.tenant == tenant.name }) else { return "" }
        let left = Figure.age(drill.until - model.shownTime)
        return
            ", DRILL \(drill.fault.rawValue) \(drill.percent)% \(left) left, \(drill.owner): \(drill.reason)"
    }

    private func platformWords(_ tenant: TenantView, _ model: ConsoleModel) -> String {
        if tenant.name == model.shown.platform { return ", its keys are the platform's" }
        return tenant.usesPlatformKeys ? ", platform keys on" : ""
    }

    private func ceiling(_ limit: Int?) -> String { limit.map { Figure.limit($0) } ?? "no limit" }
    private func share(_ value: Double, _ limit: Int?) -> Double? { limit.map { value / Double(max(1, $0)) } }
}

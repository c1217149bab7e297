import Domain
import Operations

/// The exact cache: how full, how often it answers, and for whom.
struct CachePane: Pane {
    let id = PaneID.cache

    private static let columns: [Listing.Column] = [
        .init("TENANT", 14, widest: 40),
        .init("CACHE", 5),
        .init("HIT%", 5, .right),
        .init("HITS", 9, .right, rank: 1),
        .init("MISSES", 9, .right, rank: 2),
        .init("ENTRIES", 8, .right, rank: 1),
        .init("SIZE", 9, .right, rank: 3),
        .init("SAVED $", 8, .right),
    ]

    func listings(_ model: ConsoleModel) -> [Listing] {
        let views = model.shown.cache.tenants
        let ids = Dictionary(
            model.shown.tenants.map { ($0.name, $0.id) }, uniquingKeysWith: { first, _ in first })
        return [
            Listing(
                key: 0, columns: Self.columns, total: views.count,
                id: { item in ids[views[item].tenant].map(RowID.tenant) ?? .group(views[item].tenant.text) },
                entry: { Self.entry(views[$0], $1) })
        ]
    }

    private static func entry(_ view: CacheTenantView, _ column: Int) -> Listing.Entry {
        let calls = view.hits + view.misses
        switch column {
        case 0: return .init(view.tenant.text, .textStrong)
        case 1: return view.enabled ? .init("on", .statusOK) : .init("OFF", .statusUnknown)
        case 2:
            let share = calls == 0 ? -1 : Double(view.hits) * 100 / Double(calls)
            return .init(calls == 0 ? "-" : Figure.percent(share), order: share)
        case 3: return .init(Figure.grouped(view.hits), order: Double(view.hits))
        case 4: return .init(Figure.grouped(view.misses), order: Double(view.misses))
        case 5: return .init(Figure.grouped(view.entries), order: Double(view.entries))
        case 6: return .init(Figure.bytes(view.bytes), order: Double(view.bytes))
        default: return .init(Figure.dollars(view.saved), order: Double(view.saved.nanoUSD))
        }
    }

    func crumb(_ model: ConsoleModel) -> String {
        guard case .tenant(let tenant)? = model.selected else { return "" }
        return model.names.name(tenant)
    }

    func enter(_ row: RowID, _ model: inout ConsoleModel) { model.open(row) }

    func draw(_ model: ConsoleModel, _ canvas: inout Canvas, in area: Area) {
        let listing = model.listings(of: id)[0]
        var area = area
        if !model.isSmall {
            let panel = GraphPanel(
                title: "Calls answered from the cache %", series: model.shown.series.hitPercent,
                slot: .graph3,
                write: Figure.percent)
            panel.draw(&canvas, in: area.takeTop(area.height >= 30 ? 6 : 4))
            drawStore(model.shown.cache, &canvas, area.takeTop(4))
        }
        table(listing, title: "By tenant", model, &canvas, in: area, empty: "no tenant yet")
    }

    private func drawStore(_ cache: CacheView, _ canvas: inout Canvas, _ area: Area) {
        var area = area
        canvas.rule(area.takeTop(1), "Store", "exact match only")
        let calls = cache.hits + cache.misses
        let share =
            calls == 0 ? "no call yet" : "hit \(Figure.percent(Double(cache.hits) * 100 / Double(calls)))%"
        let used = Double(cache.bytes) / Double(max(1, cache.bytesMax))
        let row = area.takeTop(1)
        var column = row.column + 1
        column += canvas.put(
            "\(Figure.grouped(cache.entries)) entries   \(Figure.bytes(cache.bytes)) of \(Figure.bytes(cache.bytesMax)) ",
            column, row.row, Style(.text), width: row.width - 1)
        Graph.bar(
            used, &canvas, column, row.row, width: min(20, row.right - column - 1),
            Style(used >= 0.9 ? .statusWarn : .graph1))
        let second = area.takeTop(1)
        canvas.put(
            "\(share)   \(Figure.grouped(cache.hits)) hits, \(Figure.grouped(cache.misses)) misses   saved $\(Figure.dollars(cache.saved))",
            second.column + 1, second.row, Style(.text), width: second.width - 1)
        let third = area.takeTop(1)
        let life = Figure.age(.seconds(cache.timeToLiveSeconds))
        canvas.put(
            "entries live \(life)   \(Figure.grouped(cache.evicted)) evicted", third.column + 1, third.row,
            Style(.textDim), width: third.width - 1)
    }
}

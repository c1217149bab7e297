import Domain
import Operations

/// Calls as they finish, the newest first, and all that is known of the one under the cursor.
struct TrafficPane: Pane {
    let id = PaneID.traffic

    private static let columns: [Listing.Column] = [
        .init("TIME", 12, sorts: false),
        .init("TENANT", 8, widest: 14, rank: 1),
        .init("MODEL", 12, widest: 24),
        .init("ROUTE", 10, widest: 16, rank: 2),
        .init("CODE", 4, .right),
        .init("MS", 6, .right, rank: 1),
        .init("TTFT", 5, .right, rank: 5),
        .init("TOK", 5, .right, rank: 3),
        .init("CACHE", 6, rank: 4),
        .init("$", 8, .right, rank: 2),
        .init("WHY", 10, widest: 200, rank: 6),
    ]

    func listings(_ model: ConsoleModel) -> [Listing] {
        let calls = model.shownCalls
        let names = model.names
        return [
            Listing(
                key: 0, columns: Self.columns, total: calls.count, isTail: true,
                id: { .call(calls[$0].row.call) },
                attention: { calls[$0].row.status >= 400 },
                entry: { Self.entry(calls[$0], $1, names) })
        ]
    }

    private static func entry(
        _ call: GatewayEvent.CallFinish, _ column: Int, _ names: NameBook
    ) -> Listing.Entry {
        let row = call.row
        switch column {
        case 0: return .init(Figure.precise(row.at), .textDim)
        case 1: return .init(names.name(row.tenant))
        // Every size shows this column, so the mark is never out of sight.
        case 2: return call.drill ? .init("DRILL \(row.model)", .bannerProd) : .init(row.model)
        case 3: return .init(route(row))
        case 4: return .init("\(row.status)", StateWord.status(row.status), order: Double(row.status))
        case 5:
            return .init(
                Figure.grouped(row.latencyMicroseconds / 1_000), order: Double(row.latencyMicroseconds))
        case 6:
            let first = row.firstByteMicroseconds
            return .init(first == 0 ? "-" : "\(first / 1_000)", order: Double(first))
        case 7:
            let tokens = row.usage.total
            return .init(tokens == 0 ? "-" : Figure.short(tokens), order: Double(tokens))
        case 8:
            let word =
                switch row.cache {
                case .hit: "hit"
                case .miss: "miss"
                case .bypass: "bypass"
                }
            return .init(word, row.cache == .hit ? .statusOK : .textDim)
        case 9: return .init(price(row), order: row.cost.map { Double($0.nanoUSD) } ?? -1)
        default: return .init(why(call), row.status >= 400 ? .statusWarn : .textDim)
        }
    }

    private static func route(_ row: LedgerRow) -> String {
        let more = row.attempts > 1 ? " +\(row.attempts - 1)" : ""
        if let target = row.target { return "\(target.provider)\(more)" }
        return row.cache == .hit ? "cache" : "none\(more)"
    }

    /// An unknown price is never written as zero.
    private static func price(_ row: LedgerRow) -> String {
        if let cost = row.cost { return cost.dollars(decimals: 4) }
        return row.usageSource == .none ? "-" : "unpriced"
    }

    /// Why it failed, or where it came from when it went elsewhere first.
    private static func why(_ call: GatewayEvent.CallFinish) -> String {
        if let failure = call.row.failure { return failure.rawValue }
        guard call.attempts.count > 1, let first = call.attempts.first, first.target != call.row.target else {
            return call.row.end == .answered ? "" : call.row.end.rawValue
        }
        return "from \(first.target.provider)"
    }

    func crumb(_ model: ConsoleModel) -> String {
        guard model.region(0, of: id).selected != nil, case .call(let call)? = model.selected else {
            return model.isPaused ? "paused" : "live"
        }
        return call.short
    }

    func enter(_ row: RowID, _ model: inout ConsoleModel) {
        guard case .call(let id) = row, let call = find(id, model) else { return }
        // The cursor stays with the call from here on, and its tenant is one more enter away.
        if model.region(0, of: .traffic).selected == row {
            model.open(.tenant(call.row.tenant))
        } else if let listing = model.focusedListing {
            model.select(row, in: listing)
        }
    }

    private func find(_ id: CallID, _ model: ConsoleModel) -> GatewayEvent.CallFinish? {
        let calls = model.shownCalls
        return (0..<calls.count).first { calls[$0].row.call == id }.map { calls[$0] }
    }

    func draw(_ model: ConsoleModel, _ canvas: inout Canvas, in area: Area) {
        let listing = model.listings(of: id)[0]
        var area = area
        let follows = model.region(0, of: id).selected == nil && !model.isPaused
        let words = model.isPaused ? "space resumes" : (follows ? "follow on" : "follow off, g follows")
        let empty = "no call yet"
        guard !model.isSmall, area.height >= 14,
            case .call(let chosen)? = model.selected(in: listing, of: id),
            let call = find(chosen, model)
        else { return table(listing, title: "Calls", words: words, model, &canvas, in: area, empty: empty) }
        let least = model.width >= 110 ? 8 : 0
        let detail = area.takeBottom(min(area.height * 2 / 3, max(least, 6 + max(1, call.attempts.count))))
        table(listing, title: "Calls", words: words, model, &canvas, in: area, empty: empty)
        CallDetail(call: call, names: model.names).draw(&canvas, in: detail, mix: mix(model))
    }

    private func mix(_ model: ConsoleModel) -> CallMix { CallMix(model.shownCalls, until: model.shownTime) }
}

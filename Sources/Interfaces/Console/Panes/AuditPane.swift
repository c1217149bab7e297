import Domain
import Operations

/// Who changed what: the chained records, the newest first.
struct AuditPane: Pane {
    let id = PaneID.audit

    private static let columns: [Listing.Column] = [
        .init("TIME", 8, sorts: false),
        .init("#", 7, .right, rank: 1),
        .init("ACTOR", 9, widest: 16),
        .init("VIA", 7, rank: 3),
        .init("ACTION", 14, widest: 20),
        .init("TARGET", 18, widest: 34, rank: 1),
        .init("RESULT, REASON", 14, widest: 300, rank: 2, sorts: false),
    ]

    func listings(_ model: ConsoleModel) -> [Listing] {
        let records = model.shown.audit
        let now = model.shownTime
        return [
            Listing(
                key: 0, columns: Self.columns, total: records.count, id: { .audit(records[$0].sequence) },
                attention: { !isGood(records[$0]) }, entry: { entry(records[$0], $1, now) })
        ]
    }

    private func isGood(_ record: AuditRecord) -> Bool { record.draft.result.utf8.elementsEqual("ok".utf8) }

    private func entry(_ record: AuditRecord, _ column: Int, _ now: WallTime) -> Listing.Entry {
        let draft = record.draft
        switch column {
        case 0: return .init(Figure.moment(draft.at, now: now), .textDim)
        case 1: return .init(Figure.grouped(record.sequence), order: Double(record.sequence))
        case 2: return .init(draft.actor)
        case 3: return .init(draft.via, .textDim)
        case 4: return .init(draft.action, .textStrong)
        case 5: return .init(draft.target)
        default:
            let good = isGood(record)
            let words = draft.reason.isEmpty ? draft.result : "\(draft.result), \(draft.reason)"
            return .init(words, good ? .text : .statusWarn)
        }
    }

    func crumb(_ model: ConsoleModel) -> String {
        guard case .audit(let number)? = model.selected else { return "" }
        return "#\(Figure.grouped(number))"
    }

    func enter(_ row: RowID, _ model: inout ConsoleModel) {
        guard case .audit(let number) = row,
            let tenant = model.shown.audit.first(where: { $0.sequence == number })?.draft.tenant
        else { return }
        model.open(.tenant(tenant))
    }

    func draw(_ model: ConsoleModel, _ canvas: inout Canvas, in area: Area) {
        let listing = model.listings(of: id)[0]
        var area = area
        let chain = model.shown.auditVerified.isEmpty ? "" : "chain \(model.shown.auditVerified)"
        guard !model.isSmall, area.height >= 14,
            case .audit(let number)? = model.selected(in: listing, of: id),
            let record = model.shown.audit.first(where: { $0.sequence == number })
        else {
            return table(
                listing, title: "Audit", words: chain, model, &canvas, in: area, empty: "no record yet")
        }
        let lines = facts(record, width: area.width - 12)
        let detail = area.takeBottom(min(area.height / 2, lines.count + 1))
        table(listing, title: "Audit", words: chain, model, &canvas, in: area, empty: "no record yet")
        drawDetail(record, lines, &canvas, detail)
    }

    private typealias Fact = (label: String, text: String, slot: Slot)

    private func facts(_ record: AuditRecord, width: Int) -> [Fact] {
        let draft = record.draft
        let actor = draft.actor.isEmpty ? "(erased)" : draft.actor
        var out: [Fact] = [("at", "\(draft.at)   by \(actor) via \(draft.via)", .text)]
        func add(_ label: String, _ text: String, _ slot: Slot) {
            guard !text.isEmpty else { return }
            for (index, line) in Wrapped.lines(text, width: width).prefix(3).enumerated() {
                out.append((index == 0 ? label : "", line, slot))
            }
        }
        add("origin", draft.origin.words, .textDim)
        add("before", draft.before, .diffDel)
        add("after", draft.after, .diffAdd)
        add("reason", draft.reason, .text)
        add("result", draft.result, isGood(record) ? .statusOK : .statusWarn)
        let hash = hexadecimalText(of: record.hash.prefix(8))
        let previous = hexadecimalText(of: record.previous.prefix(8))
        out.append(("hash", "\(hash)...  previous \(previous)...", .textDim))
        return out
    }

    private func drawDetail(_ record: AuditRecord, _ lines: [Fact], _ canvas: inout Canvas, _ area: Area) {
        var area = area
        let draft = record.draft
        canvas.rule(area.takeTop(1), "#\(Figure.grouped(record.sequence))  \(draft.action) \(draft.target)")
        for line in lines.prefix(area.height) {
            let row = area.takeTop(1)
            canvas.put(line.label, row.column + 1, row.row, Style(.textDim), width: 9)
            canvas.put(line.text, row.column + 11, row.row, Style(line.slot), width: row.width - 11)
        }
    }
}

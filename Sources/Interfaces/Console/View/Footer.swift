import Domain

/// The three rows at the bottom: a rule, where one is or what just happened, and which keys do what.
enum Footer {
    static func draw(_ model: ConsoleModel, _ canvas: inout Canvas, in area: Area) {
        var area = area
        if area.height > 2 { canvas.rule(area.takeTop(1)) }
        if area.height > 1 { crumb(model, &canvas, area.takeTop(1)) }
        hints(model, &canvas, area)
    }

    private static func crumb(_ model: ConsoleModel, _ canvas: inout Canvas, _ area: Area) {
        let right = status(model)
        let rightWidth = min(Canvas.cells(of: right), area.width / 2)
        canvas.putRight(right, endingAt: area.right - 1, area.row, Style(.textDim), width: rightWidth)
        let room = area.width - rightWidth - 3
        if model.isFiltering {
            let field = TextField(model.state.filter, limit: 80)
            let used = canvas.put("/", area.column + 1, area.row, Style(.key), width: room)
            let typed = canvas.put(
                field.text, area.column + 1 + used, area.row, Style(.textStrong), width: room - used)
            canvas.setCursor(column: min(area.right - 1, area.column + 1 + used + typed), row: area.row)
        } else if let flash = model.flash {
            let slot: Slot =
                switch flash.kind {
                case .told: .statusOK
                case .warning: .statusWarn
                case .failure: .statusBad
                }
            canvas.put(flash.text, area.column + 1, area.row, Style(slot), width: room)
        } else {
            let detail = PaneList.pane(model.pane).crumb(model)
            let place = model.isSmall && !detail.isEmpty ? "" : model.pane.title
            let text = [place, detail].filter { !$0.isEmpty }.joined(separator: " > ")
            canvas.put(text, area.column + 1, area.row, Style(.crumb), width: room)
        }
    }

    /// What stands at the right of the crumb row: the first that applies.
    private static func status(_ model: ConsoleModel) -> String {
        var parts: [String] = []
        if let pending = model.pending { parts.append("\(pending.words) ...") }
        if let undo = model.undo, undo.until > model.wall {
            parts.append("u undoes it, \(Figure.span(undo.until - model.wall)) left")
        }
        if !model.state.filter.isEmpty, !model.isFiltering { parts.append("filter \(model.state.filter)") }
        if model.lostEvents > 0 {
            parts.append("\(Figure.count(Int(clamping: model.lostEvents), "event")) lost")
        }
        return parts.prefix(2).joined(separator: "  ")
    }

    private static func hints(_ model: ConsoleModel, _ canvas: inout Canvas, _ area: Area) {
        guard area.height > 0 else { return }
        if model.isFiltering { return filterHints(&canvas, area) }
        let hinted = Keymap.bindings(in: model.pane, region: model.regionKey).filter(\.hinted)
        // What belongs to this pane comes first; what holds everywhere fills the rest, quit and help always.
        let own = hinted.filter { $0.panes != nil }
        let common = hinted.filter { $0.panes == nil }
        var room = area.width - 1
        func cost(_ binding: Keymap.Binding) -> Int {
            (binding.sign ?? "").utf8.count + 1 + binding.words.utf8.count + 2
        }
        let last = common.filter { [.help, .quit].contains($0.command) }
        room -= last.reduce(0) { $0 + cost($1) }
        var shown: [Keymap.Binding] = []
        for binding in own + common.filter({ ![.help, .quit].contains($0.command) })
        where cost(binding) <= room {
            if binding.command == .undo, model.undoCommand == nil { continue }
            shown.append(binding)
            room -= cost(binding)
        }
        var column = area.column + 1
        for binding in shown + last {
            let off = Keymap.reason(binding.command, danger: binding.danger, model) != nil
            column += canvas.put(
                binding.sign ?? "", column, area.row, Style(off ? .keyOff : .key), width: area.right - column)
            column += 1
            let words = binding.command == .pause && model.isPaused ? "resume" : binding.words
            column += canvas.put(
                words, column, area.row, Style(off ? .keyOff : .text), width: area.right - column)
            column += 2
        }
    }

    private static func filterHints(_ canvas: inout Canvas, _ area: Area) {
        canvas.put(
            "type to narrow: text  field=text  !text   enter keep  esc clear", area.column + 1, area.row,
            Style(.textDim), width: area.width - 1)
    }
}

extension Form {
    private enum Line {
        case fact(Fact)
        case blank
        case field(Int)
        case note(String)
        case buttons
    }

    private func lines(dense: Bool, width: Int) -> [Line] {
        let gap: [Line] = dense ? [] : [.blank]
        let room = width - (labelWidth == 0 ? 0 : labelWidth + 2)
        let told = facts.filter { !dense || !$0.text.isEmpty }
        let top = told.flatMap { fact -> [Line] in
            let lines = Wrapped.lines(fact.text, width: fact.label.isEmpty ? width : room)
            guard lines.count > 1 else { return [.fact(fact)] }
            return lines.enumerated().map { index, line in
                let label = index == 0 || fact.label.isEmpty ? fact.label : " "
                return .fact(Fact(label, line, fact.slot))
            }
        }
        let middle = fields.indices.map(Line.field)
        let notes = note.map { Wrapped.lines($0, width: width).map(Line.note) } ?? []
        return top + (top.isEmpty || middle.isEmpty ? [] : gap) + middle + (notes.isEmpty ? [] : gap + notes)
            + gap + [.buttons]
    }

    /// How many lines it takes when there is room.
    func height(width: Int) -> Int { lines(dense: false, width: width).count }

    private var labelWidth: Int {
        let labels = facts.map(\.label) + fields.map(\.label)
        return min(20, labels.map { Canvas.cells(of: $0) }.max() ?? 0)
    }

    /// Draws into an area of any size; when it is short, blank lines go first, then the part without the focus.
    func draw(_ canvas: inout Canvas, in area: Area, on ground: Style.Ground, missing: String?) {
        guard !area.isEmpty else { return }
        let roomy = lines(dense: false, width: area.width)
        let lines = roomy.count <= area.height ? roomy : lines(dense: true, width: area.width)
        let focused =
            lines.firstIndex { line in
                switch (line, focus) {
                case (.field(let index), .field(let wanted)): index == wanted
                case (.buttons, .cancel), (.buttons, .action): true
                default: false
                }
            } ?? 0
        let last = focused == lines.count - 1 ? 0 : 1
        let first = max(
            0,
            max(0, min(focused - area.height + 1 + last, lines.count - area.height))
                - min(lifted, lines.count))
        for (offset, line) in lines.dropFirst(first).prefix(area.height).enumerated() {
            draw(line, &canvas, area, row: area.row + offset, on: ground, missing: missing)
        }
        if first > 0 {
            canvas.putRight("PgUp", endingAt: area.right, area.row, Style(.textDim, on: ground), width: 5)
        }
    }

    private func draw(
        _ line: Line, _ canvas: inout Canvas, _ area: Area, row: Int, on ground: Style.Ground,
        missing: String?
    ) {
        let start = area.column + (labelWidth == 0 ? 0 : labelWidth + 2)
        let room = area.right - start
        switch line {
        case .blank: break
        case .fact(let fact):
            if fact.label.isEmpty {
                canvas.put(fact.text, area.column, row, Style(fact.slot, on: ground), width: area.width)
            } else {
                canvas.put(fact.label, area.column, row, Style(.textDim, on: ground), width: labelWidth)
                canvas.put(fact.text, start, row, Style(fact.slot, on: ground), width: room)
            }
        case .field(let index):
            canvas.put(
                fields[index].label, area.column, row,
                Style(focus == .field(index) ? .focus : .textDim, on: ground), width: labelWidth)
            drawField(index, &canvas, start, row, room: room, on: ground)
        case .note(let text):
            canvas.put(
                text, area.column, row, Style(isWaiting ? .statusNew : .statusWarn, on: ground),
                width: area.width)
        case .buttons: drawButtons(&canvas, area, row: row, on: ground, missing: missing)
        }
    }

    private func drawField(
        _ index: Int, _ canvas: inout Canvas, _ column: Int, _ row: Int, room: Int, on ground: Style.Ground
    ) {
        let field = fields[index]
        let focused = focus == .field(index) && !isWaiting
        let hint = Canvas.cells(of: field.hint)
        // One width for all fields of a form, so that their ends line up.
        let longest = fields.map { Canvas.cells(of: $0.hint) }.max() ?? 0
        let hintRoom = longest > 0 && room - longest - 2 >= 12 ? longest + 2 : 0
        let width = min(room - hintRoom, 48)
        switch field.kind {
        case .text(let text), .word(let text, _):
            text.draw(&canvas, column, row, width: width, focused: focused, on: ground)
        case .choice(let choice):
            choice.draw(&canvas, column, row, width: room - hintRoom, focused: focused, on: ground)
        case .secret(let secret):
            secret.draw(&canvas, column, row, width: width, focused: focused, on: ground)
        }
        guard hintRoom > 0, hint > 0 else { return }
        var place = column + width + 2
        if case .choice = field.kind { place = column + room - hint }
        canvas.put(field.hint, place, row, Style(.textDim, on: ground), width: hint)
    }

    private func drawButtons(
        _ canvas: inout Canvas, _ area: Area, row: Int, on ground: Style.Ground, missing: String?
    ) {
        let cancelFocused = focus == .cancel
        let actionFocused = focus == .action
        var column = area.column
        column += canvas.put(
            cancelFocused ? "[>Cancel<]" : "[ Cancel ]", column, row,
            Style(cancelFocused ? .focus : .text, on: ground), width: area.width)
        column += 2
        let label = actionFocused ? "[>\(action)<]" : "[ \(action) ]"
        let style = Style(
            missing == nil && !isWaiting ? (actionFocused ? .focus : .text) : .keyOff, on: ground)
        column += canvas.put(label, column, row, style, width: area.right - column)
        if cancelFocused { canvas.setCursor(column: area.column + 1, row: row) }
        if let missing, !isWaiting {
            canvas.put(" - \(missing)", column, row, Style(.textDim, on: ground), width: area.right - column)
        }
    }
}

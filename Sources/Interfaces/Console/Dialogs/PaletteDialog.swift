import Operations

/// The command line of the console: type what to do, choose among what fits.
struct PaletteDialog: Dialog {
    private var field = TextField(limit: 120)
    private var chosen = 0
    private let history: [String]
    /// Which line of the history stands in the field; nil = what was typed.
    private var recalled: Int?

    /// How many fitting lines are offered.
    static let offered = 12

    var title: String { "Command" }
    var takesPaste: Bool { true }

    init(history: [String]) { self.history = history }

    mutating func handle(_ input: Input, _ model: ConsoleModel) -> DialogStep {
        switch input {
        case .key(.escape): return .close
        case .paste(let paste):
            field.insert(paste)
            paste.wipe()
            chosen = 0
        case .key(.enter): return enter(model)
        case .key(.tab):
            if let line = lines(model).dropFirst(chosen).first { field = TextField(line.text, limit: 120) }
            chosen = 0
        case .key(.down): chosen = min(chosen + 1, max(0, lines(model).count - 1))
        case .key(.up): chosen = max(0, chosen - 1)
        case .key(.control("p")): recall(1)
        case .key(.control("n")): recall(-1)
        case .key(let key):
            if field.handle(key) { chosen = 0 }
        default: break
        }
        return .stay
    }

    private mutating func recall(_ step: Int) {
        guard !history.isEmpty else { return }
        let next = (recalled ?? -1) + step
        recalled = next < 0 ? nil : min(next, history.count - 1)
        field = TextField(recalled.map { history[history.count - 1 - $0] } ?? "", limit: 120)
        chosen = 0
    }

    private func lines(_ model: ConsoleModel) -> [Palette.Line] {
        Array(Palette.matching(field.text, model).prefix(Self.offered))
    }

    private func enter(_ model: ConsoleModel) -> DialogStep {
        let lines = lines(model)
        guard lines.indices.contains(chosen) else { return .stay }
        let line = lines[chosen]
        return line.off == nil ? .obey(PaletteAction(text: line.text, deed: line.deed)) : .stay
    }

    func size(_ model: ConsoleModel, width: Int) -> (width: Int, height: Int) { (76, Self.offered + 4) }

    func draw(_ model: ConsoleModel, _ canvas: inout Canvas, in area: Area) {
        guard area.height > 2 else { return }
        canvas.put(":", area.column, area.row, Style(.key, on: ground))
        field.draw(&canvas, area.column + 1, area.row, width: area.width - 1, focused: true, on: ground)
        let rows = area.height > 6 ? area.height - 4 : area.height - 1
        let start = area.height > 6 ? 2 : 1
        let lines = lines(model)
        if lines.isEmpty {
            canvas.put(
                "nothing fits", area.column + 2, area.row + start, Style(.textDim, on: ground),
                width: area.width - 2)
        }
        let first = max(0, chosen - rows + 1)
        for (row, line) in lines.dropFirst(first).prefix(rows).enumerated() {
            draw(line, isChosen: row + first == chosen, &canvas, area, area.row + start + row)
        }
        guard area.height > 6 else { return }
        canvas.put(
            "tab complete  up/down choose  enter run  ^p history  esc close", area.column, area.bottom - 1,
            Style(.textDim, on: ground), width: area.width)
    }

    private func draw(
        _ line: Palette.Line, isChosen: Bool, _ canvas: inout Canvas, _ area: Area, _ row: Int
    ) {
        let place: Style.Ground = isChosen ? .selected : ground
        if isChosen {
            canvas.fill(
                Area(column: area.column, row: row, width: area.width, height: 1), Style(.text, on: place))
            canvas.put(">", area.column, row, Style(.mark, on: place))
        }
        let left = area.width * 3 / 5
        let slot: Slot = line.off == nil ? .text : .keyOff
        canvas.put(line.text, area.column + 2, row, Style(slot, on: place), width: left - 3)
        let words = line.off.map { "- \($0)" } ?? line.words
        canvas.put(words, area.column + left, row, Style(.textDim, on: place), width: area.width - left)
    }
}

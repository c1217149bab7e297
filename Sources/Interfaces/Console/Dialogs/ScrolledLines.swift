/// Lines that may be more than the dialog has room for: arrows and the wheel move them.
struct ScrolledLines: Sendable {
    /// One line; what does not fit is cut.
    struct Line: Sendable, Hashable {
        let text: String
        let slot: Slot
        init(_ text: String, _ slot: Slot = .text) {
            self.text = text
            self.slot = slot
        }
    }

    private(set) var top = 0

    /// Whether the input closes the dialog; moves the lines where it asks for that.
    mutating func closes(_ input: Input, count: Int) -> Bool {
        switch input {
        case .key(.escape), .key(.enter), .key(.character("q")): return true
        case .key(.down), .key(.character("j")), .wheel(up: false): top += 1
        case .key(.up), .key(.character("k")), .wheel(up: true): top -= 1
        case .key(.pageDown), .key(.control("d")), .key(.control("f")): top += 8
        case .key(.pageUp), .key(.control("u")), .key(.control("b")): top -= 8
        case .key(.home), .key(.character("g")): top = 0
        case .key(.end), .key(.character("G")): top = count
        default: break
        }
        top = min(max(0, top), max(0, count - 1))
        return false
    }

    /// The last row says how to leave, and how much there is where not all is shown.
    func draw(_ lines: [Line], _ canvas: inout Canvas, in area: Area, on ground: Style.Ground) {
        guard area.height > 1 else { return }
        let room = area.height - 1
        let first = min(top, max(0, lines.count - room))
        for (row, line) in lines.dropFirst(first).prefix(room).enumerated() {
            canvas.put(
                line.text, area.column, area.row + row, Style(line.slot, on: ground), width: area.width)
        }
        let hidden = lines.count > room
        let words =
            hidden
            ? "lines \(first + 1)-\(min(lines.count, first + room)) of \(lines.count), j k   esc closes"
            : "esc closes"
        canvas.put(words, area.column, area.bottom - 1, Style(.textDim, on: ground), width: area.width)
    }
}

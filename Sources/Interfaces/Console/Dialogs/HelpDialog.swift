import Operations

/// The keys of a pane, from the keymap: what moves, what shows, what changes, and why a key is off.
struct HelpDialog: Dialog {
    let pane: PaneID
    let region: Int
    private var top = 0

    var title: String { "Help: \(pane.title)" }

    init(pane: PaneID, region: Int) {
        self.pane = pane
        self.region = region
    }

    mutating func handle(_ input: Input, _ model: ConsoleModel) -> DialogStep {
        switch input {
        case .key(.escape), .key(.character("?")), .key(.character("q")), .key(.enter): return .close
        case .key(.down), .key(.character("j")), .wheel(up: false): top += 1
        case .key(.up), .key(.character("k")), .wheel(up: true): top = max(0, top - 1)
        default: break
        }
        top = min(top, max(0, lines(model, width: 70).count - 4))
        return .stay
    }

    private struct Line {
        var pieces: [(column: Int, text: String, slot: Slot)]
    }

    /// Where a column's words begin: behind the longest key.
    private static let wordsStart = 6
    /// Where the columns begin when they stand side by side: the last one, which has the reasons, gets most.
    private static let starts = [0, 21, 40]

    private func entries(_ group: Keymap.Group, _ model: ConsoleModel) -> [(String, String, Slot)] {
        Keymap.bindings(in: pane, region: region).filter { $0.group == group }.compactMap { binding in
            guard let sign = binding.sign else { return nil }
            let reason = Keymap.reason(binding.command, danger: binding.danger, model)
            let danger = binding.danger == .typed ? " !" : ""
            let words = reason.map { "\(binding.words) - \($0)" } ?? "\(binding.words)\(danger)"
            return (sign, words, reason == nil ? .key : .keyOff)
        }
    }

    /// A group's column, row by row; words that do not fit take another row.
    private func pieces(
        _ group: Keymap.Group, _ model: ConsoleModel, from start: Int, to end: Int
    ) -> [[(column: Int, text: String, slot: Slot)]] {
        entries(group, model).flatMap { sign, words, slot in
            let room = end - start - Self.wordsStart
            return Wrapped.lines(words, width: room).enumerated().map { index, line in
                let text = (start + Self.wordsStart, line, slot == .keyOff ? slot : Slot.text)
                return index == 0 ? [(start, sign, slot), text] : [text]
            }
        }
    }

    private func lines(_ model: ConsoleModel, width: Int) -> [Line] {
        let groups: [Keymap.Group] = [.move, .see, .act]
        var out: [Line] = []
        if width >= 66 {
            out.append(Line(pieces: zip(Self.starts, groups).map { ($0, $1.rawValue, .title) }))
            let columns = groups.enumerated().map { index, group in
                let end = index + 1 < groups.count ? Self.starts[index + 1] - 1 : width
                return pieces(group, model, from: Self.starts[index], to: end)
            }
            for row in 0..<(columns.map(\.count).max() ?? 0) {
                out.append(Line(pieces: columns.flatMap { row < $0.count ? $0[row] : [] }))
            }
        } else {
            for group in groups {
                out.append(Line(pieces: [(0, group.rawValue, .title)]))
                out += pieces(group, model, from: 0, to: width).map { Line(pieces: $0) }
            }
        }
        let rest = entries(.anywhere, model).filter { Int($0.0) == nil }.map { "\($0.0) \($0.1)" }
        out.append(Line(pieces: []))
        out.append(Line(pieces: [(0, Keymap.Group.anywhere.rawValue, .title)]))
        for line in Self.packed(["1-\(PaneID.allCases.count) pane"] + rest, width: width) {
            out.append(Line(pieces: [(0, line, .text)]))
        }
        out.append(Line(pieces: []))
        let foot =
            "! asks you to type a word. A key that is off stays listed, dim, with the reason. esc closes"
        for line in Wrapped.lines(foot, width: width) { out.append(Line(pieces: [(0, line, .textDim)])) }
        return out
    }

    /// Puts whole items side by side, as many as fit in a line.
    private static func packed(_ items: [String], width: Int) -> [String] {
        items.reduce(into: [String]()) { lines, item in
            if let last = lines.last, last.utf8.count + 3 + item.utf8.count <= width {
                lines[lines.count - 1] = "\(last)   \(item)"
            } else {
                lines.append(item)
            }
        }
    }

    func size(_ model: ConsoleModel, width: Int) -> (width: Int, height: Int) {
        let width = min(90, width - 6)
        return (width, lines(model, width: width).count)
    }

    func draw(_ model: ConsoleModel, _ canvas: inout Canvas, in area: Area) {
        let all = lines(model, width: area.width)
        let first = min(top, max(0, all.count - area.height))
        for (row, line) in all.dropFirst(first).prefix(area.height).enumerated() {
            for (index, piece) in line.pieces.enumerated() {
                let next = index + 1 < line.pieces.count ? line.pieces[index + 1].column - 1 : area.width
                canvas.put(
                    piece.text, area.column + piece.column, area.row + row, Style(piece.slot, on: ground),
                    width: next - piece.column)
            }
        }
    }
}

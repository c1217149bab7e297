/// The row of panes under the header, and which of them a click falls on.
struct PaneBar {
    private var places: [(pane: PaneID, columns: Range<Int>, text: String)] = []

    init(_ model: ConsoleModel) {
        let full = layout(short: nil, model)
        places = full
        for length in [6, 4, 0] where (places.last?.columns.upperBound ?? 0) > model.width {
            places = layout(short: length, model)
        }
    }

    private func layout(short length: Int?, _ model: ConsoleModel) -> [(PaneID, Range<Int>, String)] {
        var column = 0
        return PaneID.allCases.map { pane in
            let title = length.map { String(pane.title.prefix($0)) } ?? pane.title
            let words = title.isEmpty ? "\(pane.rawValue)" : "\(pane.rawValue) \(title)"
            let text = pane == model.pane ? "[\(words)]" : " \(words) "
            defer { column += text.utf8.count - 1 }
            return (pane, column..<(column + text.utf8.count), text)
        }
    }

    func pane(at column: Int) -> PaneID? { places.first { $0.columns.contains(column) }?.pane }

    func draw(_ model: ConsoleModel, _ canvas: inout Canvas, row: Int) {
        for place in places where place.pane != model.pane {
            canvas.put(place.text, place.columns.lowerBound, row, Style(.textDim))
        }
        for place in places where place.pane == model.pane {
            canvas.put(place.text, place.columns.lowerBound, row, Style(.focus))
        }
    }
}

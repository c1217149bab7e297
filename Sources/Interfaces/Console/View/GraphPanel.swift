import Operations

/// A series over the last 15 minutes under a rule that says its newest and greatest value.
struct GraphPanel {
    let title: String
    let series: [Double]
    let slot: Slot
    let write: (Double) -> String

    func draw(_ canvas: inout Canvas, in area: Area) {
        var area = area
        let peak = series.max() ?? 0
        let words = series.isEmpty ? "no data yet" : "now \(write(series.last ?? 0))  max \(write(peak))"
        canvas.rule(area.takeTop(1), "\(title) 15m", words)
        guard area.height > 0 else { return }
        let ceiling = Graph.ceiling(peak)
        var plot = Area(column: area.column + 1, row: area.row, width: area.width - 2, height: area.height)
        if area.height >= 4 {
            labels(ceiling, &canvas, area)
            plot = Area(column: area.column + 7, row: area.row, width: area.width - 8, height: area.height)
        }
        Graph.area(series, max: ceiling, points: TrafficSeries.points, &canvas, in: plot, slot)
    }

    private func labels(_ ceiling: Double, _ canvas: inout Canvas, _ area: Area) {
        for row in 0..<area.height {
            let value = ceiling * Double(area.height - row) / Double(area.height)
            canvas.putRight(
                Figure.scale(value), endingAt: area.column + 6, area.row + row, Style(.graphGrid), width: 6)
        }
    }
}

/// Draws series as areas, lines of columns and bars, each with its twin in ASCII.
enum Graph {
    /// An area under a curve over 15 minutes, newest at the right; a value above zero shows at least one dot.
    ///
    /// - Parameter points: how many points the whole width stands for; a shorter series starts further right.
    static func area(
        _ series: [Double], max ceiling: Double, points: Int, _ canvas: inout Canvas, in area: Area,
        _ slot: Slot
    ) {
        guard !area.isEmpty, ceiling > 0, points > 0 else { return }
        let heights = (0..<(area.width * 2)).map { dot in
            height(
                of: sample(series, dot, of: area.width * 2, points: points), ceiling, dots: area.height * 4)
        }
        for line in 0..<area.height {
            let floor = (area.height - 1 - line) * 4
            for cell in 0..<area.width {
                let left = min(4, max(0, heights[cell * 2] - floor))
                let right = min(4, max(0, heights[cell * 2 + 1] - floor))
                guard left + right > 0 else { continue }
                canvas.sign(
                    canvas.glyphs.dots(left, right), area.column + cell, area.row + line, Style(slot))
            }
        }
    }

    /// The greatest value of the part of a series that one of `count` columns stands for.
    static func sample(_ series: [Double], _ index: Int, of count: Int, points: Int) -> Double? {
        let offset = points - series.count
        let first = index * points / count
        let last = max(first, (index + 1) * points / count - 1)
        guard last >= offset else { return nil }
        return series[max(0, first - offset)...min(series.count - 1, last - offset)].max()
    }

    private static func height(of value: Double?, _ ceiling: Double, dots: Int) -> Int {
        guard let value, value > 0 else { return 0 }
        return min(dots, max(1, Int((value / ceiling * Double(dots)).rounded())))
    }

    /// One line of columns: the newest `width` samples, scaled to the greatest value, or to `least`.
    static func spark(
        _ series: [Double], least: Double = 0, points: Int, _ canvas: inout Canvas, _ column: Int, _ row: Int,
        width: Int, _ style: Style
    ) {
        let ceiling = max(least, series.max() ?? 0)
        for index in 0..<max(0, width) {
            guard let value = sample(series, index, of: width, points: points) else { continue }
            let level = ceiling > 0 ? Int((value / ceiling * 7).rounded()) : 0
            canvas.sign(canvas.glyphs.columns[min(7, max(0, level))], column + index, row, style)
        }
    }

    /// A horizontal bar in eighths of a cell.
    static func bar(
        _ share: Double, _ canvas: inout Canvas, _ column: Int, _ row: Int, width: Int, _ style: Style
    ) {
        let eighths = Int((min(1, max(0, share)) * Double(width) * 8).rounded())
        for cell in 0..<(eighths / 8) { canvas.sign(canvas.glyphs.barEnds[7], column + cell, row, style) }
        if eighths % 8 > 0 {
            canvas.sign(canvas.glyphs.barEnds[eighths % 8 - 1], column + eighths / 8, row, style)
        }
    }

    /// The next round number at or above a value: 1, 2, 3, 4, 5, 6 or 8 times a power of ten.
    static func ceiling(_ value: Double) -> Double {
        guard value > 0, value.isFinite else { return 1 }
        var unit = 1.0
        while unit * 10 <= value { unit *= 10 }
        while unit > value { unit /= 10 }
        return [1, 2, 3, 4, 5, 6, 8, 10].map { $0 * unit }.first { $0 >= value * 0.999_999 } ?? value
    }
}

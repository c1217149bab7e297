/// A rectangle of the screen, for laying things out; never negative.
struct Area: Sendable, Hashable {
    var column: Int
    var row: Int
    var width: Int
    var height: Int

    init(column: Int = 0, row: Int = 0, width: Int, height: Int) {
        self.column = column
        self.row = row
        self.width = max(0, width)
        self.height = max(0, height)
    }

    var bottom: Int { row + height }
    var right: Int { column + width }
    var isEmpty: Bool { width == 0 || height == 0 }

    /// Takes rows from the top away from this area and returns them; fewer when there are not so many.
    mutating func takeTop(_ rows: Int) -> Area {
        let taken = min(max(0, rows), height)
        defer {
            row += taken
            height -= taken
        }
        return Area(column: column, row: row, width: width, height: taken)
    }

    /// Takes rows from the bottom away from this area and returns them.
    mutating func takeBottom(_ rows: Int) -> Area {
        let taken = min(max(0, rows), height)
        height -= taken
        return Area(column: column, row: row + height, width: width, height: taken)
    }

    /// The left part of so many columns, and the rest after one column for a divider.
    func split(at columns: Int) -> (Area, Area) {
        let left = min(max(0, columns), width)
        return (
            Area(column: column, row: row, width: left, height: height),
            Area(column: column + left + 1, row: row, width: width - left - 1, height: height)
        )
    }
}

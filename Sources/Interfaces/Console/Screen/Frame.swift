/// One cell of the screen: a grapheme (never a control character), its width and its style.
public struct Cell: Sendable, Hashable {
    /// Empty for the second half of a wide grapheme.
    public var text: String
    /// 1, 2, or 0 for the second half of a wide grapheme.
    public var width: Int
    public var style: Style

    public init(_ text: String, width: Int = 1, style: Style) {
        self.text = text
        self.width = width
        self.style = style
    }

    public static var blank: Cell { Cell(" ", style: Style(.text)) }
}

/// A drawn screen as a value: what a view makes and a terminal shows.
public struct Frame: Sendable, Hashable {
    public let width: Int
    public let height: Int
    /// Row by row; `width * height` of them.
    public private(set) var cells: [Cell]
    /// Where the terminal's cursor stands, for a text field; nil hides it.
    public var cursor: Position?

    /// A place on the screen; column and row count from 0 at the top left.
    public struct Position: Sendable, Hashable {
        public var column: Int
        public var row: Int
        public init(column: Int, row: Int) {
            self.column = column
            self.row = row
        }
    }

    public init(width: Int, height: Int) {
        self.width = max(0, width)
        self.height = max(0, height)
        cells = Array(repeating: .blank, count: self.width * self.height)
    }

    public subscript(column: Int, row: Int) -> Cell {
        get { cells[row * width + column] }
        set {
            guard column >= 0, column < width, row >= 0, row < height else { return }
            cells[row * width + column] = newValue
        }
    }

    /// The plain grid, a line a row, trailing blanks cut: what golden frames hold.
    public var text: String {
        (0..<height).map { row in
            var line = cells[(row * width)..<((row + 1) * width)].reduce(into: "") { $0 += $1.text }
            while line.last == " " { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }
}

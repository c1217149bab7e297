/// A frame being drawn: the one place where text becomes cells, so the one place where text is made safe.
struct Canvas {
    /// Where a click on a row leads.
    struct Hit: Sendable, Hashable {
        let row: Int
        let columns: Range<Int>
        let region: Int
        let id: RowID
    }

    private(set) var frame: Frame
    let glyphs: Glyphs
    private(set) var hits: [Hit] = []

    init(width: Int, height: Int, glyphs: Glyphs) {
        frame = Frame(width: width, height: height)
        self.glyphs = glyphs
    }

    private static let asciiCells = (0..<128).map { String(Character(Unicode.Scalar(UInt8($0)))) }

    /// Writes text from the left, at most `limit` cells; text that was cut ends in `~`. Returns the cells used.
    @discardableResult
    mutating func put(
        _ text: String, _ column: Int, _ row: Int, _ style: Style, width limit: Int = Int.max
    ) -> Int {
        guard row >= 0, row < frame.height, column < frame.width, limit > 0 else { return 0 }
        let room = min(limit, frame.width - column)
        let bytes = text.utf8
        if bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) {
            let count = bytes.count
            let shown = min(count, room)
            var position = column
            for byte in bytes.prefix(shown) {
                frame[position, row] = Cell(Self.asciiCells[Int(byte)], style: style)
                position += 1
            }
            if count > room { frame[column + room - 1, row] = Cell("~", style: style) }
            return shown
        }
        return putWide(SafeText.clean(text, limit: 4_096), column, row, style, room: room)
    }

    private mutating func putWide(
        _ text: String, _ column: Int, _ row: Int, _ style: Style, room: Int
    ) -> Int {
        let pieces = text.map { (String($0), Width.cells(of: $0)) }.filter { $0.1 > 0 }
        let total = pieces.reduce(0) { $0 + $1.1 }
        let limit = total > room ? room - 1 : room
        var used = 0
        for (piece, width) in pieces {
            guard used + width <= limit else { break }
            if column + used >= 0 {
                frame[column + used, row] = Cell(piece, width: width, style: style)
                if width == 2 { frame[column + used + 1, row] = Cell("", width: 0, style: style) }
            }
            used += width
        }
        if total > room {
            frame[column + used, row] = Cell("~", style: style)
            used += 1
        }
        return used
    }

    /// Writes text so that it ends before `right`; cut text keeps its beginning.
    mutating func putRight(_ text: String, endingAt right: Int, _ row: Int, _ style: Style, width: Int) {
        let cells = min(Self.cells(of: text), width)
        put(text, right - cells, row, style, width: cells)
    }

    /// How many cells a text takes once it is drawn.
    static func cells(of text: String) -> Int {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text.utf8.count }
        return SafeText.clean(text, limit: 4_096).reduce(0) { $0 + Width.cells(of: $1) }
    }

    /// One of our own signs, one cell wide; not for text from elsewhere.
    mutating func sign(_ glyph: String, _ column: Int, _ row: Int, _ style: Style) {
        frame[column, row] = Cell(glyph, style: style)
    }

    mutating func fill(_ area: Area, _ style: Style) {
        for row in area.row..<area.bottom {
            for column in area.column..<area.right { frame[column, row] = Cell(" ", style: style) }
        }
    }

    /// A rule over a whole line: `── Title ──────── words ─`.
    mutating func rule(
        _ area: Area, _ title: String = "", _ words: String = "", on ground: Style.Ground = .base
    ) {
        guard area.height > 0 else { return }
        let style = Style(.rule, on: ground)
        for column in area.column..<area.right { sign(glyphs.rule, column, area.row, style) }
        guard !title.isEmpty, area.width > 6 else { return }
        var used = put(
            " \(title)", area.column + 2, area.row, Style(.title, on: ground), width: area.width - 5)
        used += put(" ", area.column + 2 + used, area.row, Style(.title, on: ground))
        let left = area.width - 4 - used - 2
        if !words.isEmpty, left >= Self.cells(of: words) + 2 {
            putRight(
                " \(words) ", endingAt: area.right - 1, area.row, Style(.textDim, on: ground), width: left)
        }
    }

    /// A vertical divider down an area's left neighbour column, joined to the rules in `joints`.
    mutating func divider(column: Int, rows: Range<Int>, joints: [Int: String] = [:]) {
        for row in rows { sign(joints[row] ?? glyphs.divider, column, row, Style(.rule)) }
    }

    /// Joins a divider that is drawn already to the rules that end at it.
    mutating func join(column: Int, rows: Range<Int>) {
        for row in rows {
            let left = frame[column - 1, row].text == glyphs.rule
            let right = frame[column + 1, row].text == glyphs.rule
            guard left || right else { continue }
            let sign = left && right ? glyphs.cross : left ? glyphs.dividerLeft : glyphs.dividerRight
            self.sign(sign, column, row, Style(.rule))
        }
    }

    mutating func hit(_ id: RowID, region: Int, row: Int, columns: Range<Int>) {
        hits.append(Hit(row: row, columns: columns, region: region, id: id))
    }

    mutating func setCursor(column: Int, row: Int) {
        frame.cursor = Frame.Position(column: column, row: row)
    }
}

/// The signs that rules, bars and graphs are drawn with: Unicode, or twins in plain ASCII.
public struct Glyphs: Sendable, Hashable {
    public let isASCII: Bool

    public init(ascii: Bool) { isASCII = ascii }

    public static var unicode: Glyphs { Glyphs(ascii: false) }
    public static var ascii: Glyphs { Glyphs(ascii: true) }

    var rule: String { isASCII ? "-" : "─" }
    var divider: String { isASCII ? "|" : "│" }
    var dividerDown: String { isASCII ? "+" : "┬" }
    /// A divider that meets a rule at its left, at its right, or at both.
    var dividerLeft: String { isASCII ? "+" : "┤" }
    var dividerRight: String { isASCII ? "+" : "├" }
    var cross: String { isASCII ? "+" : "┼" }
    var topLeft: String { isASCII ? "+" : "┌" }
    var topRight: String { isASCII ? "+" : "┐" }
    var bottomLeft: String { isASCII ? "+" : "└" }
    var bottomRight: String { isASCII ? "+" : "┘" }

    /// Eight heights of a column, lowest first.
    var columns: [String] { isASCII ? Self.asciiColumns : Self.blockColumns }
    /// Eight lengths of the last cell of a bar, shortest first; the last is a full cell.
    var barEnds: [String] { isASCII ? Self.asciiEnds : Self.blockEnds }

    private static let blockColumns = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    private static let asciiColumns = [".", ".", ":", "-", "=", "+", "*", "#"]
    private static let blockEnds = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"]
    private static let asciiEnds = [" ", " ", " ", " ", "#", "#", "#", "#"]

    /// A braille cell with two columns of dots filled from below, 0 to 4 dots each.
    func dots(_ left: Int, _ right: Int) -> String {
        if isASCII { return Self.asciiDots[min(7, left + right)] }
        return Self.brailleDots[min(4, max(0, left)) * 5 + min(4, max(0, right))]
    }

    // Unicode chapter 21.1: dots 7, 3, 2, 1 are the left column from below, 8, 6, 5, 4 the right one.
    private static let brailleDots: [String] = {
        let left: [UInt32] = [0, 0x40, 0x44, 0x46, 0x47]
        let right: [UInt32] = [0, 0x80, 0xa0, 0xb0, 0xb8]
        return left.flatMap { low in
            right.map { high in
                low + high == 0 ? " " : String(Unicode.Scalar(0x2800 + low + high).map(Character.init) ?? " ")
            }
        }
    }()
    private static let asciiDots = [" ", ".", ":", "-", "=", "+", "*", "#"]
}

import Console

/// What an xterm would show of a stream of bytes: as much of one as ncurses and this console ask for.
///
/// Anything else is kept in `strange`, so that a test can say that nothing else was sent.
struct TerminalPicture {
    /// A colour as it was asked for.
    enum Ink: Hashable {
        case terminals
        case palette(Int)
        case direct(Int, Int, Int)
    }

    struct Look: Hashable {
        var foreground = Ink.terminals
        var background = Ink.terminals
        var bold = false
        var dim = false
        var underline = false
        var reverse = false
    }

    struct Spot: Hashable {
        var text = " "
        var look = Look()
    }

    private(set) var width: Int
    private(set) var height: Int
    private(set) var spots: [Spot]
    private(set) var column = 0
    private(set) var row = 0
    /// The DEC private modes that are on.
    private(set) var modes: Set<Int> = [7, 25]
    /// The control strings that came: OSC, DCS, APC.
    var strings: [String] = []
    private(set) var strange: [String] = []
    /// How many cells were written, each time one is.
    private(set) var written = 0

    private var look = Look()
    private var wrapsNext = false
    private var lastPrinted = ""
    private var pending: [UInt8] = []

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        spots = Array(repeating: Spot(), count: width * height)
    }

    subscript(column: Int, row: Int) -> Spot { spots[row * width + column] }

    /// The rows without the blanks at their ends.
    var text: String {
        (0..<height).map { row in
            var line = spots[(row * width)..<((row + 1) * width)].reduce(into: "") { $0 += $1.text }
            while line.last == " " { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }

    mutating func resize(_ width: Int, _ height: Int) {
        var next = Array(repeating: Spot(), count: width * height)
        for row in 0..<min(height, self.height) {
            for column in 0..<min(width, self.width) { next[row * width + column] = self[column, row] }
        }
        (self.width, self.height, spots) = (width, height, next)
        row = min(row, height - 1)
        column = min(column, width - 1)
    }

    /// Takes bytes; what is cut short waits for the rest.
    mutating func feed(_ bytes: some Sequence<UInt8>) {
        pending += bytes
        var used = 0
        while used < pending.count {
            let count = take(pending[used...])
            guard count > 0 else { break }
            used += count
        }
        pending.removeFirst(used)
    }

    /// How many bytes were taken; 0 when more are needed.
    private mutating func take(_ bytes: ArraySlice<UInt8>) -> Int {
        guard let first = bytes.first else { return 0 }
        switch first {
        case 0x1b: return escape(bytes)
        case 0x0d: (column, wrapsNext) = (0, false)
        case 0x0a: row = min(row + 1, height - 1)
        case 0x08: (column, wrapsNext) = (max(0, column - 1), false)
        case 0x09: column = min(width - 1, (column / 8 + 1) * 8)
        case 0x00...0x1f, 0x7f: strange.append("control \(first)")
        default: return character(bytes, first)
        }
        return 1
    }

    private mutating func character(_ bytes: ArraySlice<UInt8>, _ first: UInt8) -> Int {
        let count = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
        guard bytes.count >= count else { return 0 }
        let text = String(decoding: bytes.prefix(count), as: UTF8.self)
        guard let character = text.first, character != "\u{fffd}", first < 0x80 || first >= 0xc2,
            character.unicodeScalars.first.map({ !(0x80..<0xa0).contains($0.value) }) ?? false
        else {
            strange.append("bytes \(Array(bytes.prefix(count)))")
            return count
        }
        printOne(text, Width.cells(of: character))
        return count
    }

    private mutating func printOne(_ text: String, _ cells: Int) {
        if cells == 0 {
            // A mark joins what stands before it.
            let at = row * width + (wrapsNext ? column : max(0, column - 1))
            let base = spots[at].text.isEmpty && at > 0 ? at - 1 : at
            spots[base].text += text
            return
        }
        if wrapsNext, modes.contains(7) {
            (column, row) = (0, min(row + 1, height - 1))
        }
        wrapsNext = false
        lastPrinted = text
        written += cells
        spots[row * width + column] = Spot(text: text, look: look)
        if cells == 2, column + 1 < width { spots[row * width + column + 1] = Spot(text: "", look: look) }
        column += cells
        if column >= width { (column, wrapsNext) = (width - 1, true) }
    }

    // MARK: Escape sequences

    private mutating func escape(_ bytes: ArraySlice<UInt8>) -> Int {
        let rest = bytes.dropFirst()
        guard let kind = rest.first else { return 0 }
        switch kind {
        case UInt8(ascii: "["):
            guard let end = rest.dropFirst().firstIndex(where: { (0x40...0x7e).contains($0) }) else {
                return 0
            }
            let parameters = String(decoding: rest.dropFirst()[..<end], as: UTF8.self)
            control(parameters, Character(Unicode.Scalar(bytes[end])))
            return end - bytes.startIndex + 1
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "_"): return string(rest)
        case UInt8(ascii: "("), UInt8(ascii: ")"):
            guard rest.count >= 2 else { return 0 }
            if rest.dropFirst().first != UInt8(ascii: "B") { strange.append("a character set") }
            return 3
        case UInt8(ascii: "="), UInt8(ascii: ">"), UInt8(ascii: "7"), UInt8(ascii: "8"): return 2
        default:
            strange.append("ESC \(Unicode.Scalar(kind))")
            return 2
        }
    }

    private mutating func string(_ rest: ArraySlice<UInt8>) -> Int {
        var previous: UInt8 = 0
        for (offset, byte) in rest.enumerated() {
            if byte == 0x07 || (previous == 0x1b && byte == UInt8(ascii: "\\")) {
                let length = byte == 0x07 ? offset : offset - 1
                strings.append(String(decoding: rest.prefix(length), as: UTF8.self))
                return offset + 2
            }
            previous = byte
        }
        return 0
    }

    private mutating func control(_ parameters: String, _ final: Character) {
        if parameters.first == "?", final == "h" || final == "l" {
            for mode in parameters.dropFirst().split(separator: ";").compactMap({ Int($0) }) {
                if final == "h" { modes.insert(mode) } else { modes.remove(mode) }
            }
            return
        }
        let numbers = parameters.split(separator: ";", omittingEmptySubsequences: false).map { Int($0) }
        let first = numbers.first.flatMap { $0 } ?? 0
        let count = max(1, first)
        if final != "m" { wrapsNext = false }
        switch final {
        case "H", "f":
            row = min(height, count) - 1
            column = min(width, max(1, numbers.count > 1 ? numbers[1] ?? 1 : 1)) - 1
        case "A": row = max(0, row - count)
        case "B": row = min(height - 1, row + count)
        case "C": column = min(width - 1, column + count)
        case "D": column = max(0, column - count)
        case "G": column = min(width, count) - 1
        case "d": row = min(height, count) - 1
        case "J": clearScreen(first)
        case "K": first == 1 ? blank(row, 0..<(column + 1)) : blank(row, (first == 2 ? 0 : column)..<width)
        case "X": blank(row, column..<min(width, column + count))
        case "@", "P": shift(by: final == "@" ? count : -count)
        case "b": for _ in 0..<count { printOne(lastPrinted, 1) }
        case "m":
            for ink in parameters.split(separator: ";", omittingEmptySubsequences: false) {
                inks.append(String(ink))
            }
            paint()
        case "r", "t", "l", "h": break
        default: strange.append("CSI \(parameters)\(final)")
        }
    }

    private mutating func clearScreen(_ part: Int) {
        if part == 2 {
            for line in 0..<height { blank(line, 0..<width) }
        } else if part == 0 {
            blank(row, column..<width)
            for line in (row + 1)..<max(row + 1, height) { blank(line, 0..<width) }
        } else {
            strange.append("CSI \(part)J")
        }
    }

    /// Blanks take the background of the moment (terminfo's `bce`).
    private mutating func blank(_ row: Int, _ columns: Range<Int>) {
        for column in columns {
            spots[row * width + column] = Spot(look: Look(background: look.background))
        }
    }

    private mutating func shift(by count: Int) {
        let line = (0..<width).map { self[$0, row] }
        for place in column..<width {
            let from = place - count
            spots[row * width + place] = from >= column && from < width ? line[from] : Spot()
        }
    }

    private var inks: [String] = []

    private mutating func paint() {
        var rest = inks[...]
        inks = []
        while let ink = rest.popFirst() {
            if ink.hasPrefix("38") || ink.hasPrefix("48") {
                var parts = ink.split(separator: ":").compactMap { Int($0) }
                if parts.count == 1 {
                    let more = rest.first == "5" ? 2 : 4
                    parts += rest.prefix(more).compactMap { Int($0) }
                    rest = rest.dropFirst(more)
                }
                set(parts)
            } else {
                set(Int(ink) ?? 0)
            }
        }
    }

    private mutating func set(_ parts: [Int]) {
        let ink: Ink =
            parts.count == 3
            ? .palette(parts[2]) : parts.count == 5 ? .direct(parts[2], parts[3], parts[4]) : .terminals
        if parts.first == 38 { look.foreground = ink } else { look.background = ink }
    }

    private mutating func set(_ number: Int) {
        switch number {
        case 0: look = Look()
        case 1: look.bold = true
        case 2: look.dim = true
        case 4: look.underline = true
        case 7: look.reverse = true
        case 22: (look.bold, look.dim) = (false, false)
        case 24: look.underline = false
        case 27: look.reverse = false
        case 30...37: look.foreground = .palette(number - 30)
        case 39: look.foreground = .terminals
        case 40...47: look.background = .palette(number - 40)
        case 49: look.background = .terminals
        case 90...97: look.foreground = .palette(number - 82)
        case 100...107: look.background = .palette(number - 92)
        default: strange.append("SGR \(number)")
        }
    }
}

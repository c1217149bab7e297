/// A place in the bytes of a TOML text, and the line it is on.
struct TOMLCursor {
    private let bytes: [UInt8]
    private var place = 0
    private(set) var line = 1

    init(_ text: String) {
        bytes = Array(text.utf8)
        if bytes.starts(with: "\u{FEFF}".utf8) { place = 3 }
    }

    /// The next byte; nil at the end.
    var byte: UInt8? { place < bytes.count ? bytes[place] : nil }

    var isAtEndOfLine: Bool {
        guard let byte else { return true }
        return byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "#")
    }

    /// TOML allows tab, LF and CR LF; everything else below a blank, and DEL, is a mistake or a trick.
    var lineOfControlCharacter: Int? {
        var line = 1
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "\n"): line += 1
            case UInt8(ascii: "\t"): continue
            case UInt8(ascii: "\r"):
                if index + 1 == bytes.count || bytes[index + 1] != UInt8(ascii: "\n") { return line }
            case 0..<0x20, 0x7f: return line
            default: continue
            }
        }
        return nil
    }

    mutating func advance() {
        guard let byte else { return }
        if byte == UInt8(ascii: "\n") { line += 1 }
        place += 1
    }

    /// Takes the byte if it is next.
    mutating func take(_ wanted: UInt8) -> Bool {
        guard byte == wanted else { return false }
        advance()
        return true
    }

    mutating func takeWord(_ belongs: (UInt8) -> Bool) -> String {
        let start = place
        while let byte, belongs(byte) { place += 1 }
        return String(decoding: bytes[start..<place], as: UTF8.self)
    }

    mutating func skipBlanks() {
        while let byte, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { place += 1 }
    }

    /// Skips blanks, ends of lines and comments.
    mutating func skipBlanksAndLines() {
        while true {
            skipBlanks()
            guard byte != nil, isAtEndOfLine else { return }
            if byte == UInt8(ascii: "#") { while let byte, byte != UInt8(ascii: "\n") { place += 1 } }
            advance()
        }
    }

    /// What stands behind a backslash (TOML 1.0, "String"); nil for no escape, and for U+0000, which ends a C string.
    mutating func takeEscaped() -> Unicode.Scalar? {
        guard let byte else { return nil }
        advance()
        switch byte {
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): return Unicode.Scalar(byte)
        case UInt8(ascii: "u"): return takeScalar(digits: 4)
        case UInt8(ascii: "U"): return takeScalar(digits: 8)
        default: return nil
        }
    }

    private mutating func takeScalar(digits: Int) -> Unicode.Scalar? {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let byte, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
            advance()
        }
        return value == 0 ? nil : Unicode.Scalar(value)
    }

    static func isKey(_ byte: UInt8) -> Bool {
        isDigit(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    /// Bytes of numbers, flags, fractions and dates.
    static func isWord(_ byte: UInt8) -> Bool {
        isKey(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":")
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// A whole number (TOML 1.0, "Integer"): a sign, no leading zero, `_` between digits, or 0x, 0o, 0b; nil else.
    static func number(_ word: String) -> Int? {
        let bytes = Array(word.utf8)
        let prefixes: [(text: StaticString, radix: Int)] = [("0x", 16), ("0o", 8), ("0b", 2)]
        for prefix in prefixes where bytes.starts(with: prefix.text.description.utf8) {
            return digits(bytes.dropFirst(2), radix: prefix.radix)
        }
        let signed = bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+")
        let rest = bytes.dropFirst(signed ? 1 : 0)
        guard rest.first != UInt8(ascii: "0") || rest.count == 1, let size = digits(rest, radix: 10) else {
            return nil
        }
        return bytes.first == UInt8(ascii: "-") ? -size : size
    }

    private static func digits(_ bytes: ArraySlice<UInt8>, radix: Int) -> Int? {
        let groups = bytes.split(separator: UInt8(ascii: "_"), omittingEmptySubsequences: false)
        guard !groups.contains(where: \.isEmpty), bytes.first.map(isKey) == true,
            bytes.first != UInt8(ascii: "-")
        else { return nil }
        return Int(String(decoding: groups.joined(), as: UTF8.self), radix: radix)
    }
}

/// Reads the part of TOML 1.0 that a configuration needs, and says on which line every key stands.
///
/// Tables, arrays of tables, dotted keys, inline tables, lists, texts of one line, whole numbers, flags. Refused
/// although TOML has them: texts of several lines, and keys of anything but letters, digits, `-` and `_`. A running
/// engine reads a file that somebody is editing, so any text whatever must end in a value or in a refusal.
struct TOMLReader {
    /// Tables in tables and lists in lists; no key needs more than three.
    private static let depthMax = 8

    private let file: String
    private var cursor: TOMLCursor
    private let top = TOMLTable(line: 1, origin: .header)

    static func read(_ text: String, file: String) throws(ConfigurationProblem) -> TOMLTable {
        var reader = TOMLReader(file: file, cursor: TOMLCursor(text))
        if let line = reader.cursor.lineOfControlCharacter {
            throw ConfigurationProblem(file: file, line: line, "there is a control character; take it out")
        }
        try reader.readLines()
        return reader.top
    }

    private init(file: String, cursor: TOMLCursor) {
        self.file = file
        self.cursor = cursor
    }

    private func problem(_ sentence: String, line: Int? = nil) -> ConfigurationProblem {
        ConfigurationProblem(file: file, line: line ?? cursor.line, sentence)
    }

    // MARK: Lines

    private mutating func readLines() throws(ConfigurationProblem) {
        var table = top
        while true {
            cursor.skipBlanksAndLines()
            guard let byte = cursor.byte else { return }
            if byte == UInt8(ascii: "[") {
                table = try readHeader()
            } else {
                try readPair(into: table)
            }
            cursor.skipBlanks()
            guard cursor.isAtEndOfLine else {
                throw problem(
                    "something follows where the line should end; begin a new line, or a comment with #")
            }
        }
    }

    private mutating func readHeader() throws(ConfigurationProblem) -> TOMLTable {
        cursor.advance()
        let isMany = cursor.take(UInt8(ascii: "["))
        let line = cursor.line
        let path = try readKey()
        guard cursor.take(UInt8(ascii: "]")), !isMany || cursor.take(UInt8(ascii: "]")) else {
            throw problem("a table's name is not closed with \(isMany ? "]]" : "]")")
        }
        var outer = top
        for name in path.dropLast() { outer = try inner(of: outer, name, .outer, line: line) }
        let name = path.last ?? ""
        let table = TOMLTable(line: line, origin: .header)
        if isMany {
            guard outer.append(table, to: name) else {
                throw problem("\"\(name)\" is not a list of tables; it was something else before", line: line)
            }
            return table
        }
        switch outer[name] {
        case nil: outer.set(name, .table(table), line: line)
        case .table(let known)? where known.origin == .outer:
            known.origin = .header
            return known
        default:
            throw problem("there is a \"\(name)\" already, on line \(outer.line(of: name))", line: line)
        }
        return table
    }

    private mutating func readPair(into table: TOMLTable, depth: Int = 0) throws(ConfigurationProblem) {
        let line = cursor.line
        let path = try readKey()
        guard cursor.take(UInt8(ascii: "=")) else {
            throw problem("behind the key \"\(path.joined(separator: "."))\" an = is expected")
        }
        cursor.skipBlanks()
        let value = try readValue(depth: depth)
        var outer = table
        for name in path.dropLast() { outer = try inner(of: outer, name, .dottedKey, line: line) }
        let name = path.last ?? ""
        guard outer[name] == nil else {
            throw problem("there is a \"\(name)\" already, on line \(outer.line(of: name))", line: line)
        }
        outer.set(name, value, line: line)
    }

    /// The table of that name, made where there is none.
    private func inner(
        of outer: TOMLTable, _ name: String, _ origin: TOMLTable.Origin, line: Int
    ) throws(ConfigurationProblem) -> TOMLTable {
        switch outer[name] {
        case nil:
            let table = TOMLTable(line: line, origin: origin)
            outer.set(name, .table(table), line: line)
            return table
        case .table(let known)? where known.origin != .inline && (origin == .outer || known.origin == origin):
            return known
        case .tables(let tables)? where origin == .outer:
            if let last = tables.last { return last }
            fallthrough
        default:
            throw problem("there is a \"\(name)\" already, on line \(outer.line(of: name))", line: line)
        }
    }

    /// `a`, `a.b`, `"a".b`, with the blanks around it.
    private mutating func readKey() throws(ConfigurationProblem) -> [String] {
        var path: [String] = []
        repeat {
            cursor.skipBlanks()
            let quote = cursor.byte.flatMap { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "'") ? $0 : nil }
            if quote != nil { cursor.advance() }
            let name = cursor.takeWord(TOMLCursor.isKey)
            guard !name.isEmpty, quote.map({ cursor.take($0) }) ?? true else {
                throw problem("a key is expected: letters, digits, - and _")
            }
            path.append(name)
            guard path.count <= Self.depthMax else {
                throw problem("a key has more than \(Self.depthMax) parts")
            }
            cursor.skipBlanks()
        } while cursor.take(UInt8(ascii: "."))
        return path
    }

    // MARK: Values

    private mutating func readValue(depth: Int) throws(ConfigurationProblem) -> TOMLValue {
        guard depth < Self.depthMax else { throw problem("values are nested deeper than \(Self.depthMax)") }
        switch cursor.byte {
        case UInt8(ascii: "\""): return .text(try readText(escapes: true))
        case UInt8(ascii: "'"): return .text(try readText(escapes: false))
        case UInt8(ascii: "["): return try readList(depth: depth)
        case UInt8(ascii: "{"): return try readInlineTable(depth: depth)
        default: return try readWord()
        }
    }

    private mutating func readList(depth: Int) throws(ConfigurationProblem) -> TOMLValue {
        let line = cursor.line
        cursor.advance()
        var values: [TOMLValue] = []
        while true {
            cursor.skipBlanksAndLines()
            if cursor.take(UInt8(ascii: "]")) { return .list(values) }
            guard cursor.byte != nil else { throw problem("a list is not closed with ]", line: line) }
            values.append(try readValue(depth: depth + 1))
            cursor.skipBlanksAndLines()
            guard cursor.take(UInt8(ascii: ",")) || cursor.byte == UInt8(ascii: "]") else {
                throw problem("in a list , or ] is expected")
            }
        }
    }

    private mutating func readInlineTable(depth: Int) throws(ConfigurationProblem) -> TOMLValue {
        let table = TOMLTable(line: cursor.line, origin: .header)
        cursor.advance()
        cursor.skipBlanks()
        if !cursor.take(UInt8(ascii: "}")) {
            repeat {
                try readPair(into: table, depth: depth + 1)
                cursor.skipBlanks()
            } while cursor.take(UInt8(ascii: ","))
            guard cursor.take(UInt8(ascii: "}")) else { throw problem("in { } a , or } is expected") }
        }
        table.origin = .inline
        return .table(table)
    }

    private mutating func readText(escapes: Bool) throws(ConfigurationProblem) -> String {
        guard let quote = cursor.byte else { throw problem("a text in quotes is expected") }
        cursor.advance()
        var out: [UInt8] = []
        while let byte = cursor.byte, byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") {
            cursor.advance()
            if byte == quote {
                guard cursor.byte != quote || !out.isEmpty else {
                    throw problem("a text stands on one line, in one pair of quotes")
                }
                return String(decoding: out, as: UTF8.self)
            }
            if escapes, byte == UInt8(ascii: "\\") {
                guard let scalar = cursor.takeEscaped() else {
                    throw problem("a \\ in a text begins no escape that TOML knows; write \\\\ for itself")
                }
                out.append(contentsOf: String(scalar).utf8)
            } else {
                out.append(byte)
            }
        }
        throw problem("a text is not closed with its quote")
    }

    /// Flags and numbers; what is in neither form, but begins like a number, has a type that no key takes.
    private mutating func readWord() throws(ConfigurationProblem) -> TOMLValue {
        let word = cursor.takeWord(TOMLCursor.isWord)
        if word.utf8.elementsEqual("true".utf8) { return .flag(true) }
        if word.utf8.elementsEqual("false".utf8) { return .flag(false) }
        if let number = TOMLCursor.number(word) { return .number(number) }
        guard let first = word.utf8.first, (0x30...0x39).contains(first) || first == 0x2b || first == 0x2d
        else {
            throw problem("a value is expected: a text in quotes, a number, true or false, a list in [ ]")
        }
        return .other
    }
}

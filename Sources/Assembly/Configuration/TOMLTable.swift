/// One value of a configuration file.
enum TOMLValue {
    case text(String)
    case number(Int)
    case flag(Bool)
    /// A fraction, a date, a number beyond 64 bits: TOML, but nothing that any key takes.
    case other
    case list([TOMLValue])
    case table(TOMLTable)
    /// What `[[name]]` headers add to, in order.
    case tables([TOMLTable])
}

/// One table of a configuration file, with the lines on which it and its keys stand.
final class TOMLTable {
    /// How a table came to be, which says what may still be added to it.
    enum Origin {
        /// By its own header.
        case header
        /// By a header or a key of a table inside it.
        case outer
        case dottedKey
        /// `{ … }`: closed.
        case inline
    }

    /// 1-based; 0 for a table that is not in the file.
    let line: Int
    var origin: Origin
    private(set) var entries: [String: (value: TOMLValue, line: Int)] = [:]

    init(line: Int, origin: Origin) {
        self.line = line
        self.origin = origin
    }

    var keys: [String] { entries.keys.sorted() }

    subscript(key: String) -> TOMLValue? { entries[key]?.value }

    /// Where the key stands, else the table.
    func line(of key: String) -> Int { entries[key]?.line ?? line }

    func set(_ key: String, _ value: TOMLValue, line: Int) { entries[key] = (value, line) }

    /// Adds a table to those of `[[key]]`; false when the key is something else already.
    func append(_ table: TOMLTable, to key: String) -> Bool {
        switch entries[key]?.value {
        case nil: entries[key] = (.tables([table]), table.line)
        case .tables(var tables)?:
            // Taken out meanwhile, so that the list is not copied for each of its tables.
            let line = entries[key]?.line ?? table.line
            entries[key] = nil
            tables.append(table)
            entries[key] = (.tables(tables), line)
        default: return false
        }
        return true
    }
}

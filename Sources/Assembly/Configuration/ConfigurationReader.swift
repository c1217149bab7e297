import TOMLKit

/// Reads one table of the configuration strictly: every key must be asked for, every value has its type.
///
/// The TOML library does not say where a key stands, so lines are looked up in the text by table and key.
struct ConfigurationReader {
    let file: String
    let lines: KeyLines
    /// `""` for the top, `cache`, `provider[1]`.
    let path: String
    let table: TOMLTable

    /// Parses the text.
    init(text: String, file: String) throws(ConfigurationProblem) {
        self.file = file
        lines = KeyLines(text: text)
        path = ""
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw ConfigurationProblem(file: file, line: error.source.begin.line, error.description)
        } catch {
            throw ConfigurationProblem(file: file, line: 0, "cannot be read as TOML")
        }
    }

    private init(_ outer: ConfigurationReader, path: String, table: TOMLTable) {
        file = outer.file
        lines = outer.lines
        self.path = path
        self.table = table
    }

    /// Refuses any key that is not one of these, naming the nearest.
    func allow(_ known: [String]) throws(ConfigurationProblem) {
        for key in table.keys.sorted() where !known.contains(key) {
            let nearest = known.min { editDistance($0, key) < editDistance($1, key) } ?? ""
            let place = path.isEmpty ? "at the top level" : "in [\(path)]"
            throw problem(key, "unknown key \"\(key)\" \(place); did you mean \"\(nearest)\"?")
        }
    }

    func problem(_ key: String, _ sentence: String) -> ConfigurationProblem {
        ConfigurationProblem(file: file, line: lines.line(of: key, in: path), sentence)
    }

    func string(_ key: String) throws(ConfigurationProblem) -> String? {
        guard let value = table[key] else { return nil }
        guard let text = value.string else { throw problem(key, "\(key) must be a text in quotes") }
        return text
    }

    func flag(_ key: String, default fallback: Bool) throws(ConfigurationProblem) -> Bool {
        guard let value = table[key] else { return fallback }
        guard let flag = value.bool else { throw problem(key, "\(key) must be true or false") }
        return flag
    }

    func number(
        _ key: String, in range: ClosedRange<Int>, default fallback: Int
    ) throws(ConfigurationProblem) -> Int {
        guard let value = table[key] else { return fallback }
        guard let number = value.int, range.contains(number) else {
            throw problem(
                key, "\(key) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func strings(_ key: String) throws(ConfigurationProblem) -> [String] {
        guard let value = table[key] else { return [] }
        guard let array = value.array else { throw problem(key, "\(key) must be a list of texts") }
        var out: [String] = []
        for element in array {
            guard let text = element.string else { throw problem(key, "\(key) must be a list of texts") }
            out.append(text)
        }
        return out
    }

    func numbers(_ key: String, in range: ClosedRange<Int>) throws(ConfigurationProblem) -> [Int] {
        guard let value = table[key] else { return [] }
        guard let array = value.array else { throw problem(key, "\(key) must be a list of whole numbers") }
        var out: [Int] = []
        for element in array {
            guard let number = element.int, range.contains(number) else {
                throw problem(key, "\(key) holds numbers from \(range.lowerBound) to \(range.upperBound)")
            }
            out.append(number)
        }
        return out
    }

    /// The sub-table of that name; an empty one when it is absent.
    func section(_ key: String) throws(ConfigurationProblem) -> ConfigurationReader {
        guard let value = table[key] else { return ConfigurationReader(self, path: key, table: TOMLTable()) }
        guard let inner = value.table else { throw problem(key, "[\(key)] must be a table") }
        return ConfigurationReader(self, path: key, table: inner)
    }

    /// The tables of an array of tables, in order.
    func sections(_ key: String) throws(ConfigurationProblem) -> [ConfigurationReader] {
        guard let value = table[key] else { return [] }
        guard let array = value.array else { throw problem(key, "write [[\(key)]] with double brackets") }
        var out: [ConfigurationReader] = []
        for (index, element) in array.enumerated() {
            guard let inner = element.table else { throw problem(key, "[[\(key)]] must be a table") }
            out.append(ConfigurationReader(self, path: "\(key)[\(index)]", table: inner))
        }
        return out
    }
}

/// Where keys stand in a TOML text: enough of the grammar to follow headers and `key =` lines.
struct KeyLines {
    private var places: [String: Int] = [:]

    init(text: String) {
        var path = ""
        var counts: [String: Int] = [:]
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = raw.drop { $0 == " " || $0 == "\t" }
            if line.hasPrefix("[[") {
                let name = String(line.dropFirst(2).prefix { $0 != "]" })
                path = "\(name)[\(counts[name, default: 0])]"
                counts[name, default: 0] += 1
                if places["/\(name)"] == nil { places["/\(name)"] = index + 1 }
                places[path] = index + 1
            } else if line.hasPrefix("[") {
                path = String(line.dropFirst().prefix { $0 != "]" })
                places["/\(path)"] = index + 1
                places[path] = index + 1
            } else if let equals = line.firstIndex(of: "=") {
                let key = line[..<equals].filter { $0 != " " && $0 != "\t" && $0 != "\"" }
                if places["\(path)/\(key)"] == nil { places["\(path)/\(key)"] = index + 1 }
            }
        }
    }

    /// The line of a key in a table, else the table's own, else 0.
    func line(of key: String, in path: String) -> Int { places["\(path)/\(key)"] ?? places[path] ?? 0 }
}

/// Levenshtein distance, for "did you mean".
func editDistance(_ left: String, _ right: String) -> Int {
    let first = Array(left.utf8)
    let second = Array(right.utf8)
    var previous = Array(0...second.count)
    for (row, byte) in first.enumerated() {
        var current = [row + 1]
        for (column, other) in second.enumerated() {
            current.append(
                min(previous[column + 1] + 1, current[column] + 1, previous[column] + (byte == other ? 0 : 1))
            )
        }
        previous = current
    }
    return previous[second.count]
}

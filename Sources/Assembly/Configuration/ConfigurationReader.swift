/// Reads one table of the configuration strictly: every key must be asked for, every value has its type.
struct ConfigurationReader {
    let file: String
    /// `""` for the top, `cache`, `provider[1]`.
    let path: String
    let table: TOMLTable

    /// Parses the text.
    init(text: String, file: String) throws(ConfigurationProblem) {
        self.file = file
        path = ""
        table = try TOMLReader.read(text, file: file)
    }

    private init(_ outer: ConfigurationReader, path: String, table: TOMLTable) {
        file = outer.file
        self.path = path
        self.table = table
    }

    /// Refuses any key that is not one of these, naming the nearest.
    func allow(_ known: [String]) throws(ConfigurationProblem) {
        for key in table.keys where !known.contains(key) {
            let nearest =
                known.first { $0.utf8.starts(with: key.utf8) }
                ?? known.min { editDistance($0, key) < editDistance($1, key) } ?? ""
            let place = path.isEmpty ? "at the top level" : "in [\(path)]"
            throw problem(key, "unknown key \"\(key)\" \(place); did you mean \"\(nearest)\"?")
        }
    }

    func problem(_ key: String, _ sentence: String) -> ConfigurationProblem {
        ConfigurationProblem(file: file, line: table.line(of: key), sentence)
    }

    func string(_ key: String) throws(ConfigurationProblem) -> String? {
        guard let value = table[key] else { return nil }
        guard case .text(let text) = value else { throw problem(key, "\(key) must be a text in quotes") }
        return text
    }

    func flag(_ key: String, default fallback: Bool) throws(ConfigurationProblem) -> Bool {
        guard let value = table[key] else { return fallback }
        guard case .flag(let flag) = value else { throw problem(key, "\(key) must be true or false") }
        return flag
    }

    func number(
        _ key: String, in range: ClosedRange<Int>, default fallback: Int
    ) throws(ConfigurationProblem) -> Int {
        guard let value = table[key] else { return fallback }
        guard case .number(let number) = value, range.contains(number) else {
            throw problem(
                key, "\(key) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A time such as `30s`, `5m` or `1h`; nil where the key is absent.
    ///
    /// - Parameter seconds: the least and the most.
    func duration(
        _ key: String, in seconds: ClosedRange<Int>
    ) throws(ConfigurationProblem) -> Duration? {
        guard let text = try string(key) else { return nil }
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int(text.dropLast()),
            count <= seconds.upperBound, seconds.contains(count * unit)
        else {
            throw problem(
                key,
                "\(key) is a time such as \"30s\" or \"5m\", from \(seconds.lowerBound) to \(seconds.upperBound) seconds"
            )
        }
        return .seconds(count * unit)
    }

    func strings(_ key: String) throws(ConfigurationProblem) -> [String] {
        guard let value = table[key] else { return [] }
        guard case .list(let array) = value else { throw problem(key, "\(key) must be a list of texts") }
        var out: [String] = []
        for element in array {
            guard case .text(let text) = element else { throw problem(key, "\(key) must be a list of texts") }
            out.append(text)
        }
        return out
    }

    func numbers(_ key: String, in range: ClosedRange<Int>) throws(ConfigurationProblem) -> [Int] {
        guard let value = table[key] else { return [] }
        guard case .list(let array) = value else {
            throw problem(key, "\(key) must be a list of whole numbers")
        }
        var out: [Int] = []
        for element in array {
            guard case .number(let number) = element, range.contains(number) else {
                throw problem(key, "\(key) holds numbers from \(range.lowerBound) to \(range.upperBound)")
            }
            out.append(number)
        }
        return out
    }

    /// The sub-table of that name; an empty one when it is absent.
    func section(_ key: String) throws(ConfigurationProblem) -> ConfigurationReader {
        guard let value = table[key] else {
            return ConfigurationReader(self, path: inner(key), table: TOMLTable(line: 0, origin: .header))
        }
        guard case .table(let table) = value else { throw problem(key, "[\(inner(key))] must be a table") }
        return ConfigurationReader(self, path: inner(key), table: table)
    }

    private func inner(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// The tables of an array of tables, in order.
    func sections(_ key: String) throws(ConfigurationProblem) -> [ConfigurationReader] {
        guard let value = table[key] else { return [] }
        let tables: [TOMLTable]
        switch value {
        case .tables(let all): tables = all
        case .list(let all):
            tables = all.compactMap { if case .table(let inner) = $0 { inner } else { nil } }
            guard tables.count == all.count else { throw problem(key, "[[\(key)]] must be a table") }
        default: throw problem(key, "write [[\(key)]] with double brackets")
        }
        return tables.enumerated().map { index, inner in
            ConfigurationReader(self, path: "\(key)[\(index)]", table: inner)
        }
    }
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

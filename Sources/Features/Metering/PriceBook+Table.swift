import Domain

extension PriceBook {
    static var columns: String {
        "provider,model,input_per_mtok,output_per_mtok,cache_read_per_mtok,cache_write_per_mtok,context,max_output"
    }
    /// The most rows of a table; the fullest public one has under 5,000.
    public static var rowsMost: Int { 20_000 }

    /// Reads a table: comment lines that begin with `#` (of these `# source: …` and `# date of data: …` must be
    /// there), the line of column names, then one row a line. Prices are US dollars per million tokens.
    public static func parse(csv: String) throws(PriceFault) -> PriceBook {
        var reader = TableReader()
        var line = 0
        // Split as bytes: to a Swift string CR LF is one character, and no line end.
        for bytes in csv.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            line += 1
            let body = bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes
            try reader.read(Substring(body), line: line)
        }
        return try reader.book(lines: line)
    }
}

/// Reads a price table line by line.
private struct TableReader {
    private var source: String?
    private var date: String?
    private var sawColumns = false
    private var prices: [Target: ModelPrice] = [:]
    private var sellers: [ModelName: [ProviderName]] = [:]

    mutating func read(_ text: Substring, line: Int) throws(PriceFault) {
        if text.utf8.isEmpty { return }
        if text.utf8.first == UInt8(ascii: "#") { return readComment(text) }
        guard sawColumns else {
            guard text.utf8.elementsEqual(PriceBook.columns.utf8) else {
                throw PriceFault(line: line, problem: "the columns must be \(PriceBook.columns)")
            }
            sawColumns = true
            return
        }
        guard prices.count < PriceBook.rowsMost else {
            throw PriceFault(line: line, problem: "more than \(PriceBook.rowsMost) rows")
        }
        try readRow(text, line: line)
    }

    func book(lines: Int) throws(PriceFault) -> PriceBook {
        guard let source else { throw PriceFault(line: lines, problem: "there is no line '# source: …'") }
        guard let date else { throw PriceFault(line: lines, problem: "there is no line '# date of data: …'") }
        guard sawColumns else { throw PriceFault(line: lines, problem: "there is no line of column names") }
        return PriceBook(version: date, source: source, prices: prices, sellers: sellers)
    }

    private mutating func readComment(_ text: Substring) {
        source = source ?? Self.value(of: "# source: ", in: text)
        // The date's line goes on about units behind a semicolon; the version is what stands before.
        date = date ?? Self.value(of: "# date of data: ", in: text).map { String($0.prefix { $0 != ";" }) }
    }

    private static func value(of label: String, in text: Substring) -> String? {
        text.utf8.starts(with: label.utf8) ? String(Substring(text.utf8.dropFirst(label.utf8.count))) : nil
    }

    private mutating func readRow(_ text: Substring, line: Int) throws(PriceFault) {
        let fields = text.split(separator: ",", omittingEmptySubsequences: false)
        guard fields.count == 8 else {
            throw PriceFault(line: line, problem: "8 fields are expected, \(fields.count) are there")
        }
        let target: Target
        do throws(NameRefusal) {
            target = Target(
                provider: try ProviderName(String(fields[0])), model: try ModelName(String(fields[1])))
        } catch {
            throw PriceFault(line: line, problem: error.sentence)
        }
        guard prices[target] == nil else { throw PriceFault(line: line, problem: "\(target) is there twice") }
        prices[target] = try Self.price(of: target, fields, line: line)
        sellers[target.model, default: []].append(target.provider)
    }

    private static func price(
        of target: Target, _ fields: [Substring], line: Int
    ) throws(PriceFault) -> ModelPrice {
        guard let input = try amount(fields[2], "input_per_mtok", line) else {
            throw PriceFault(
                line: line, problem: "input_per_mtok is empty; leave the row out if it is not known")
        }
        // An empty rate means that the source has no separate one. Embeddings have no output: there the input rate
        // is never used, and an unexpected output token is not free.
        let cacheWrite = try amount(fields[5], "cache_write_per_mtok", line) ?? input
        return ModelPrice(
            input: input, cacheRead: try amount(fields[4], "cache_read_per_mtok", line) ?? input,
            cacheWrite: cacheWrite,
            cacheWriteHour: isAnthropic(target) ? TokenPrice(picoUSD: input.picoUSD * 2) : cacheWrite,
            output: try amount(fields[3], "output_per_mtok", line) ?? input,
            context: try count(fields[6], "context", line),
            maxOutput: try count(fields[7], "max_output", line))
    }

    /// Whether one-hour cache writes cost twice the input rate: Anthropic's pricing page, section "Prompt caching"
    /// (5-minute writes 1.25 times, 1-hour writes twice the base input price). Its models at Bedrock are named
    /// `anthropic.…` behind an optional region.
    private static func isAnthropic(_ target: Target) -> Bool {
        if target.provider.text.utf8.elementsEqual("anthropic".utf8) { return true }
        return target.model.text.utf8.split(separator: UInt8(ascii: ".")).dropLast()
            .contains { $0.elementsEqual("anthropic".utf8) }
    }

    /// Reads dollars per million tokens into pico-dollars per token, a factor of 10^6, without rounding.
    private static func amount(
        _ text: Substring, _ column: String, _ line: Int
    ) throws(PriceFault) -> TokenPrice? {
        if text.utf8.isEmpty { return nil }
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        // Six decimals are what a pico-dollar can hold; six whole digits leave room for the factor and the tokens.
        guard let first = parts.first, (1...6).contains(first.count), parts.count <= 2,
            parts.count == 1 || (1...6).contains(parts[1].count)
        else { throw unreadable(column, line) }
        var digits = Array(first) + (parts.count == 2 ? Array(parts[1]) : [])
        digits += Array(repeating: UInt8(ascii: "0"), count: 6 - (parts.count == 2 ? parts[1].count : 0))
        guard let pico = whole(digits) else { throw unreadable(column, line) }
        return TokenPrice(picoUSD: pico)
    }

    private static func count(_ text: Substring, _ column: String, _ line: Int) throws(PriceFault) -> Int64? {
        if text.utf8.isEmpty { return nil }
        guard text.utf8.count <= 12, let value = whole(text.utf8) else { throw unreadable(column, line) }
        return value
    }

    private static func whole(_ digits: some Sequence<UInt8>) -> Int64? {
        var value: Int64 = 0
        for byte in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        return value
    }

    private static func unreadable(_ column: String, _ line: Int) -> PriceFault {
        PriceFault(
            line: line,
            problem: "\(column) must be a plain number of at most 6 digits and 6 decimals, or empty")
    }
}

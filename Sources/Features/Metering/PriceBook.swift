package import Domain

/// What one model's tokens cost.
package struct ModelPrice: Sendable, Hashable {
    package let input: TokenPrice
    package let output: TokenPrice
    package let cacheRead: TokenPrice
    package let cacheWrite: TokenPrice
    /// One-hour cache writes cost twice the input rate at Anthropic (docs.anthropic.com, prompt caching, pricing;
    /// seen 2026-11-23); no other provider in the table has them.
    package let cacheWriteHour: TokenPrice
    /// The most input tokens; nil = not stated.
    package let context: Int?
}

/// List prices by provider and model, with the version that each ledger row is stamped with.
package struct PriceBook: Sendable {
    /// What is wrong with a price table, and on which line.
    package struct Fault: Error, Equatable, CustomStringConvertible {
        package let line: Int
        package let what: String
        package var description: String { "price table, line \(line): \(what)" }
    }

    private struct Key: Hashable {
        let provider: String
        let model: String
    }

    package let version: String
    private let prices: [Key: ModelPrice]
    private let names: [String: [String]]
    private let owners: [String: [String]]

    /// The table that ships with Gatehouse; a fault in it is found by the tests.
    package static let builtIn: PriceBook = (try? PriceBook(csv: builtInText)) ?? PriceBook(version: "none")

    private init(version: String) {
        self.version = version
        prices = [:]
        names = [:]
        owners = [:]
    }

    /// Reads `provider,model,input_per_mtok,output_per_mtok,cache_read_per_mtok,cache_write_per_mtok,context,…`.
    /// Lines beginning with `#` say where the prices are from; the one with `date of data:` gives the version.
    package init(csv: String) throws(Fault) {
        var version = ""
        var prices: [Key: ModelPrice] = [:]
        var names: [String: [String]] = [:]
        var owners: [String: [String]] = [:]
        var headed = false
        for (index, line) in csv.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("#") {
                if let date = Self.version(in: line) { version = date }
                continue
            }
            guard !line.isEmpty else { continue }
            let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard headed else {
                guard fields.starts(with: ["provider", "model", "input_per_mtok", "output_per_mtok"]) else {
                    throw Fault(line: index + 1, what: "the header names other columns")
                }
                headed = true
                continue
            }
            guard fields.count >= 7 else { throw Fault(line: index + 1, what: "fewer than 7 columns") }
            let key = Key(provider: fields[0], model: fields[1])
            guard prices[key] == nil else { throw Fault(line: index + 1, what: "\(fields[0])/\(fields[1]) stands twice") }
            prices[key] = try Self.price(fields, line: index + 1)
            names[fields[0], default: []].append(fields[1])
            owners[fields[1], default: []].append(fields[0])
        }
        guard !version.isEmpty else { throw Fault(line: 1, what: "no comment says the date of the data") }
        self.version = version
        self.prices = prices
        self.names = names
        self.owners = owners
    }

    /// `litellm 1.109.1, obtained 2026-11-23; …` becomes `litellm-1.109.1-2026-11-23`.
    private static func version(in comment: Substring) -> String? {
        let mark = "# date of data: "
        guard comment.hasPrefix(mark) else { return nil }
        let phrase = comment.dropFirst(mark.count).prefix { $0 != ";" }
        let words = phrase.split { $0 == " " || $0 == "," }.filter { $0 != "obtained" }
        return words.joined(separator: "-")
    }

    private static func price(_ fields: [String], line: Int) throws(Fault) -> ModelPrice {
        guard let input = rate(fields[2]) else { throw Fault(line: line, what: "the input price is no number") }
        // An embedding has no output: the source leaves its price empty.
        let output = fields[3].isEmpty ? TokenPrice(picoUSD: 0) : rate(fields[3])
        let read = fields[4].isEmpty ? input : rate(fields[4])
        let write = fields[5].isEmpty ? input : rate(fields[5])
        guard let output, let read, let write else { throw Fault(line: line, what: "a price is no number") }
        return ModelPrice(
            input: input, output: output, cacheRead: read, cacheWrite: write,
            cacheWriteHour: fields[0] == "anthropic" ? TokenPrice(picoUSD: input.picoUSD * 2) : write,
            context: Int(fields[6]))
    }

    /// US dollars per million tokens, at most six decimals, to pico-dollars per token: the same digits without the
    /// point.
    static func rate(_ text: String) -> TokenPrice? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = Int64(parts[0]), whole >= 0, whole < 1_000_000 else { return nil }
        guard parts.count == 2 else { return TokenPrice(picoUSD: whole * 1_000_000) }
        guard !parts[1].isEmpty, parts[1].count <= 6, parts[1].utf8.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        let decimals = parts[1] + String(repeating: "0", count: 6 - parts[1].count)
        return Int64(decimals).map { TokenPrice(picoUSD: whole * 1_000_000 + $0) }
    }

    // MARK: Looking up

    /// nil = unknown, never free. A provider that the table does not list is looked up under its kind's own name.
    package func price(provider: ProviderName, model: ModelName, kind: ProviderKind) -> ModelPrice? {
        if let price = prices[Key(provider: provider.text, model: model.text)] { return price }
        guard names[provider.text] == nil else { return nil }
        return switch kind {
        case .openai: prices[Key(provider: "openai", model: model.text)]
        case .anthropic: prices[Key(provider: "anthropic", model: model.text)]
        case .openaiCompatible: nil
        }
    }

    /// Exact sum in pico-dollars, rounded once, half up, to nano-dollars.
    package func cost(of usage: Usage, at price: ModelPrice) -> Money {
        let pico =
            usage.input * price.input.picoUSD + usage.cacheRead * price.cacheRead.picoUSD
            + usage.cacheWrite * price.cacheWrite.picoUSD + usage.cacheWriteHour * price.cacheWriteHour.picoUSD
            + (usage.output + usage.reasoning) * price.output.picoUSD
        return Money(nanoUSD: (pico + 500) / 1_000)
    }

    /// Providers whose list holds a model of that name.
    package func providers(for model: ModelName) -> [ProviderName] {
        (owners[model.text] ?? []).compactMap { try? ProviderName($0) }
    }

    /// Models that the table lists for a provider, in its order.
    package func models(of provider: ProviderName) -> [String] { names[provider.text] ?? [] }
}

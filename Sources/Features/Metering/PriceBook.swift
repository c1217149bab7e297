public import Domain

/// What a model's tokens cost, by kind of token.
public struct ModelPrice: Hashable, Sendable {
    public let input: TokenPrice
    public let cacheRead: TokenPrice
    /// Writes to the provider's prompt cache for five minutes.
    public let cacheWrite: TokenPrice
    /// Writes to the provider's prompt cache for one hour.
    public let cacheWriteHour: TokenPrice
    /// Visible output and reasoning.
    public let output: TokenPrice
    /// The most input tokens the model takes; nil if the source does not say.
    public let context: Int64?
    /// The most output tokens the model gives; nil if the source does not say.
    public let maxOutput: Int64?

    public init(
        input: TokenPrice, cacheRead: TokenPrice, cacheWrite: TokenPrice, cacheWriteHour: TokenPrice,
        output: TokenPrice, context: Int64? = nil, maxOutput: Int64? = nil
    ) {
        self.input = input
        self.cacheRead = cacheRead
        self.cacheWrite = cacheWrite
        self.cacheWriteHour = cacheWriteHour
        self.output = output
        self.context = context
        self.maxOutput = maxOutput
    }
}

/// Why a price table was refused, with the line, counted from 1.
public struct PriceFault: Error, Hashable, Sendable, CustomStringConvertible {
    public let line: Int
    public let problem: String
    public var description: String { "line \(line) of the price table: \(problem)" }
}

/// The list prices of models at providers, from one source of one date.
///
/// A price that is not in the book is unknown: nil, never zero. List tier only: long-context, batch and priority tiers
/// are not in it, so bills for those calls differ.
public struct PriceBook: Hashable, Sendable {
    /// What goes on each ledger row to say which prices were used: source and date of the data.
    public let version: String
    /// Where the prices come from, as the table says it.
    public let source: String
    private let prices: [Target: ModelPrice]
    private let sellers: [ModelName: [ProviderName]]

    init(
        version: String, source: String, prices: [Target: ModelPrice], sellers: [ModelName: [ProviderName]]
    ) {
        self.version = version
        self.source = source
        self.prices = prices
        self.sellers = sellers
    }

    /// The book that comes with the program.
    public static let builtIn: PriceBook = {
        do throws(PriceFault) {
            return try parse(csv: builtInTable)
        } catch {
            preconditionFailure("the built-in price table does not parse: \(error)")
        }
    }()

    public var count: Int { prices.count }

    /// The price of a model at a provider; nil if unknown.
    ///
    /// A provider of another name that is of a kind that one provider made (a second account, a proxy of one's own) is
    /// priced by that kind's own rows where it has none itself.
    public func price(provider: ProviderName, model: ModelName, kind: ProviderKind) -> ModelPrice? {
        if let price = prices[Target(provider: provider, model: model)] { return price }
        guard let home = Self.homes[kind] else { return nil }
        return prices[Target(provider: home, model: model)]
    }

    /// The models that a provider sells, in alphabetical order; for listings.
    public func models(of provider: ProviderName) -> [ModelName] {
        prices.keys.filter { $0.provider == provider }.map(\.model).sorted()
    }

    /// The providers that sell a model under exactly this name, in the table's order.
    public func providers(for bareModel: ModelName) -> [ProviderName] { sellers[bareModel] ?? [] }

    /// What some usage costs, exact but for one rounding to nano-US-dollars at the end (half up).
    public func cost(of usage: Usage, at price: ModelPrice) -> Money {
        func part(_ tokens: Int64, _ price: TokenPrice) -> Int128 {
            Int128(max(0, tokens)) * Int128(price.picoUSD)
        }
        let input =
            part(usage.input, price.input) + part(usage.cacheRead, price.cacheRead)
            + part(usage.cacheWrite, price.cacheWrite) + part(usage.cacheWriteHour, price.cacheWriteHour)
        let output = part(usage.output, price.output) + part(usage.reasoning, price.output)
        return Money(nanoUSD: Int64(clamping: (input + output + 500) / 1_000))
    }

    /// Whose rows stand in for a kind of provider.
    private static let homes: [ProviderKind: ProviderName] = {
        var homes: [ProviderKind: ProviderName] = [:]
        for kind in ProviderKind.allCases where kind != .openaiCompatible {
            homes[kind] = try? ProviderName(kind.rawValue)
        }
        return homes
    }()
}

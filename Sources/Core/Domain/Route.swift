/// How a route chooses among its targets.
public enum RoutingStrategyName: String, Sendable, Codable, CaseIterable {
    /// As listed: the next one only when the one before cannot take the call.
    case priority
    /// By lot, in proportion to weights.
    case weighted
    /// The lowest price of this call, by the price table and the call's estimated tokens.
    case cheapest
    /// The shortest time to the first token, of two drawn by lot.
    case fastest
    /// The most tokens a second, of two drawn by lot.
    case throughput
    /// The fewest calls under way.
    case leastBusy = "least_busy"
    /// One conversation always at one target, as long as that takes calls: providers keep prompts they know.
    case sticky

    /// Whether it makes a difference which conversation a call belongs to.
    public var asksConversation: Bool { self != .priority && self != .weighted }
}

/// Ordered, weighted targets behind a model name.
public struct Route: Hashable, Sendable, Codable {
    /// One target of a route with its share under `weighted` and `sticky` (0 to 10,000).
    public struct Choice: Hashable, Sendable, Codable {
        public let target: Target
        public let weight: Int
        public init(target: Target, weight: Int = 1) {
            self.target = target
            self.weight = weight
        }
    }

    public let model: ModelName
    public let strategy: RoutingStrategyName
    public let choices: [Choice]
    public let constraints: RouteConstraints
    /// Tried when nothing else can take the call, whatever the strategy.
    public let lastResort: Target?
    /// Tried when a target says that the call is too long for its model.
    public let onContextOverflow: [Target]
    /// Tried when a target refuses the content by its policy.
    public let onContentPolicy: [Target]
    /// After this time without a first byte a second attempt runs beside the first, at another target, or where there is
    /// only one with another key; what begins first is the answer, and the other is given up. nil = never.
    public let hedgeAfter: Duration?

    public init(
        model: ModelName, strategy: RoutingStrategyName = .priority, choices: [Choice],
        constraints: RouteConstraints = RouteConstraints(), lastResort: Target? = nil,
        onContextOverflow: [Target] = [], onContentPolicy: [Target] = [], hedgeAfter: Duration? = nil
    ) {
        self.model = model
        self.strategy = strategy
        self.choices = choices
        self.constraints = constraints
        self.lastResort = lastResort
        self.onContextOverflow = onContextOverflow
        self.onContentPolicy = onContentPolicy
        self.hedgeAfter = hedgeAfter
    }
}

extension Route {
    /// The same route with some of its targets only.
    public func with(_ choices: [Choice]) -> Route {
        Route(
            model: model, strategy: strategy, choices: choices, constraints: constraints,
            lastResort: lastResort, onContextOverflow: onContextOverflow, onContentPolicy: onContentPolicy,
            hedgeAfter: hedgeAfter)
    }
}

/// What a target must satisfy to take a call: of a route, or of one call (`x-gatehouse-route`); both hold together.
public struct RouteConstraints: Hashable, Sendable, Codable {
    /// Empty = all.
    public var allowedProviders: [ProviderName] = []
    public var deniedProviders: [ProviderName] = []
    /// `eu` covers `eu-west-1`; a provider without a region is in none. Empty = anywhere.
    public var regions: [String] = []
    /// Words of `retention`; a provider without one has none of them. Empty = any.
    public var retention: [String] = []
    /// The most that the call may cost by estimate; a target of unknown price costs too much.
    public var costMost: Money?
    /// What the model has to be able to do, whatever the call itself shows that it needs.
    public var requires: Capabilities = []
    /// Tokens that the model has to read at least; a model of unknown context reads too few.
    public var contextLeast: Int64?

    public init() {}

    public var isEmpty: Bool {
        allowedProviders.isEmpty && deniedProviders.isEmpty && regions.isEmpty && retention.isEmpty
            && costMost == nil && requires.isEmpty && contextLeast == nil
    }

    /// Why a provider may not take the call; nil where it may.
    ///
    /// - Parameter cost: the call's price there by estimate; nil = not known.
    public func objection(to provider: ProviderDefinition, cost: Money?) -> String? {
        if deniedProviders.contains(provider.name) { return "provider \(provider.name) is denied" }
        if !allowedProviders.isEmpty, !allowedProviders.contains(provider.name) {
            return "provider \(provider.name) is not among the allowed"
        }
        if !regions.isEmpty, !(provider.region.map(isWithin) ?? false) {
            return
                "its region is \(provider.region ?? "not known"); wanted: \(regions.joined(separator: ", "))"
        }
        if !retention.isEmpty, !(provider.retention.map(retention.contains) ?? false) {
            return "its retention is \(provider.retention ?? "not known"); wanted: "
                + retention.joined(separator: ", ")
        }
        if let costMost {
            guard let cost else {
                return "its price is not known, and the call may cost \(costMost.price) at most"
            }
            if cost > costMost { return "the call would cost \(cost.price), above \(costMost.price)" }
        }
        return nil
    }

    /// Why a model may not take the call; nil where it may.
    ///
    /// - Parameters:
    ///   - lacks: what it is known not to be able to do.
    ///   - context: tokens that it reads; nil = not known.
    public func objection(lacks: Capabilities, context: Int64?) -> String? {
        let missing = requires.intersection(lacks)
        if !missing.isEmpty { return "the model cannot do what is required: \(missing.text)" }
        if let contextLeast, context ?? 0 < contextLeast {
            return "the model reads \(context.map { "\($0)" } ?? "an unknown number of") tokens; wanted: "
                + "\(contextLeast)"
        }
        return nil
    }

    private func isWithin(_ region: String) -> Bool {
        regions.contains { wanted in
            region.utf8.elementsEqual(wanted.utf8) || region.utf8.starts(with: "\(wanted)-".utf8)
        }
    }
}

extension Money {
    /// Dollars for one call: four decimals, as calls cost little.
    fileprivate var price: String { "$\(dollars(decimals: 4))" }
}

/// What a call wants a model to be able to do.
public struct Capabilities: OptionSet, Hashable, Sendable, Codable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let tools = Capabilities(rawValue: 1)
    public static let vision = Capabilities(rawValue: 2)
    public static let jsonSchema = Capabilities(rawValue: 4)

    /// Each with the word that the configuration uses.
    public static let words: [(word: String, capability: Capabilities)] = [
        ("tools", .tools), ("vision", .vision), ("json_schema", .jsonSchema),
    ]

    /// nil where a word is none of ``words``.
    public init?(words: [String]) {
        self = []
        for word in words {
            guard let found = Self.words.first(where: { $0.word == word }) else { return nil }
            insert(found.capability)
        }
    }

    public var text: String {
        Self.words.filter { contains($0.capability) }.map(\.word).joined(separator: ", ")
    }
}

/// What the operator knows of models (`[[model]]`): what they cannot do, and how much they read.
public struct ModelTraits: Hashable, Sendable, Codable {
    /// `PROVIDER/MODEL`; a `*` at the end stands for anything.
    public let pattern: String
    public let lacks: Capabilities
    /// Tokens; nil = what the price table says.
    public let context: Int64?

    public init(pattern: String, lacks: Capabilities = [], context: Int64? = nil) {
        self.pattern = pattern
        self.lacks = lacks
        self.context = context
    }

    public func covers(_ target: Target) -> Bool {
        let text = target.description.utf8
        if pattern.utf8.last == UInt8(ascii: "*") { return text.starts(with: pattern.utf8.dropLast()) }
        return text.elementsEqual(pattern.utf8)
    }
}

/// What the configuration says of routing besides the routes themselves.
public struct RoutingSettings: Hashable, Sendable, Codable {
    public var traits: [ModelTraits] = []
    /// The tenant whose provider keys serve also those tenants that use platform keys; nil = none do.
    public var platform: TenantName?
    /// Tenants that drills may be made for.
    public var drillTenants: [TenantName] = []

    public init() {}
}

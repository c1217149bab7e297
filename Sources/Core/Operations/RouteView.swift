public import Domain

/// One `[[route]]` of the configuration as it is in force.
public struct RouteView: Sendable, Hashable, Codable {
    public let model: ModelName
    public let strategy: RoutingStrategyName
    public let targets: [Share]
    /// Empty = every provider.
    public let allow: [ProviderName]
    public let deny: [ProviderName]
    public let regions: [String]
    public let retention: [String]
    /// US dollars for one call, such as `0.050000`; nil = no ceiling.
    public let costMost: String?
    /// What models have to be able to do, such as `tools`.
    public let requires: [String]
    /// Tokens that models have to read at least; nil = any.
    public let contextLeast: Int64?
    public let lastResort: Target?
    public let onContextOverflow: [Target]
    public let onContentPolicy: [Target]
    /// nil = never a second attempt beside the first.
    public let hedgeMilliseconds: Int64?

    /// A target with its weight, which counts under `weighted` and `sticky`.
    public struct Share: Sendable, Hashable, Codable {
        public let target: Target
        public let weight: Int
    }

    public init(_ route: Route) {
        model = route.model
        strategy = route.strategy
        targets = route.choices.map { Share(target: $0.target, weight: $0.weight) }
        allow = route.constraints.allowedProviders
        deny = route.constraints.deniedProviders
        regions = route.constraints.regions
        retention = route.constraints.retention
        costMost = route.constraints.costMost?.dollars(decimals: 6)
        requires = Capabilities.words.filter { route.constraints.requires.contains($0.capability) }
            .map(\.word)
        contextLeast = route.constraints.contextLeast
        lastResort = route.lastResort
        onContextOverflow = route.onContextOverflow
        onContentPolicy = route.onContentPolicy
        hedgeMilliseconds = route.hedgeAfter?.wholeMilliseconds
    }

    /// What a call must satisfy, one condition each, in the words of the configuration.
    public var conditions: [String] {
        [
            allow.isEmpty ? nil : "allow \(allow.map(\.text).joined(separator: ","))",
            deny.isEmpty ? nil : "deny \(deny.map(\.text).joined(separator: ","))",
            regions.isEmpty ? nil : "regions \(regions.joined(separator: ","))",
            retention.isEmpty ? nil : "retention \(retention.joined(separator: ","))",
            costMost.map { "max $\($0)" },
            requires.isEmpty ? nil : "requires \(requires.joined(separator: ","))",
            contextLeast.map { "min context \($0)" },
        ].compactMap(\.self)
    }

    /// What else it may do, one thing each.
    public var otherwise: [String] {
        func list(_ word: String, _ targets: [Target]) -> String? {
            targets.isEmpty ? nil : "\(word) \(targets.map(\.description).joined(separator: ","))"
        }
        return [
            lastResort.map { "last resort \($0)" }, list("too long", onContextOverflow),
            list("content policy", onContentPolicy), hedgeMilliseconds.map { "hedge after \($0) ms" },
        ].compactMap(\.self)
    }
}

public import Domain

/// The lowest price of this call first, by the price table and the call's estimated tokens; unknown prices last.
public struct CheapestStrategy: RoutingStrategy {
    public var name: RoutingStrategyName { .cheapest }

    public init() {}

    public func order(_ candidates: [Candidate], by lot: RouteLot) -> [Int] {
        NearTie.order(
            candidates.map { $0.cost.map { Double($0.nanoUSD) } }, ranks: lot.ranks(of: candidates),
            unknownFirst: false)
    }
}

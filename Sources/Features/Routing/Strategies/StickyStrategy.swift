public import Domain

/// One conversation at one target, and behind it always the same others; by lot where the call belongs to none.
public struct StickyStrategy: RoutingStrategy {
    public var name: RoutingStrategyName { .sticky }

    public init() {}

    public func order(_ candidates: [Candidate], by lot: RouteLot) -> [Int] {
        guard lot.conversation != nil else { return WeightedStrategy().order(candidates, by: lot) }
        let ranks = lot.ranks(of: candidates)
        return candidates.indices.sorted { ranks[$0] < ranks[$1] }
    }
}

public import Domain

/// The fewest attempts under way first.
public struct LeastBusyStrategy: RoutingStrategy {
    public var name: RoutingStrategyName { .leastBusy }

    public init() {}

    public func order(_ candidates: [Candidate], by lot: RouteLot) -> [Int] {
        NearTie.order(
            candidates.map { Double($0.gauge.running) }, ranks: lot.ranks(of: candidates), unknownFirst: false
        )
    }
}

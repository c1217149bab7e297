package import Domain

/// The fewest attempts under way first.
package struct LeastBusyStrategy: RoutingStrategy {
    package var name: RoutingStrategyName { .leastBusy }

    package init() {}

    package func order(_ candidates: [Candidate], by lot: RouteLot) -> [Int] {
        NearTie.order(
            candidates.map { Double($0.gauge.running) }, ranks: lot.ranks(of: candidates), unknownFirst: false
        )
    }
}

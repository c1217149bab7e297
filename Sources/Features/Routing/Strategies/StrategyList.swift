package import Domain

/// Every routing strategy, one line each.
package enum StrategyList {
    package static var all: [any RoutingStrategy] { RoutingStrategyName.allCases.map(strategy(named:)) }

    package static func strategy(named name: RoutingStrategyName) -> any RoutingStrategy {
        switch name {
        case .priority: PriorityStrategy()
        case .weighted: WeightedStrategy()
        case .cheapest: CheapestStrategy()
        case .fastest: FastestStrategy()
        case .throughput: ThroughputStrategy()
        case .leastBusy: LeastBusyStrategy()
        case .sticky: StickyStrategy()
        }
    }
}

public import Domain

/// Every routing strategy, one line each.
public enum StrategyList {
    public static var all: [any RoutingStrategy] { RoutingStrategyName.allCases.map(strategy(named:)) }

    public static func strategy(named name: RoutingStrategyName) -> any RoutingStrategy {
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

package import Domain

/// The strategies that routes can name: one line each.
package enum StrategyList {
    package static let all: [any RoutingStrategy] = [
        PriorityStrategy(),
        WeightedStrategy(),
    ]

    /// The strategy of that name.
    package static func strategy(_ name: RoutingStrategyName) -> any RoutingStrategy {
        all.first { $0.name == name } ?? PriorityStrategy()
    }
}

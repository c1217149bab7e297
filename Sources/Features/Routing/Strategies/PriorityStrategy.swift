package import Domain

/// As the route lists them: the next one only when the one before cannot take the call.
package struct PriorityStrategy: RoutingStrategy {
    package var name: RoutingStrategyName { .priority }

    package init() {}

    package func order(_ candidates: [Candidate], by lot: RouteLot) -> [Int] { Array(candidates.indices) }
}

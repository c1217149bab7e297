package import Domain

/// The targets as the route lists them.
package struct PriorityStrategy: RoutingStrategy {
    package init() {}
    package var name: RoutingStrategyName { .priority }
    package func order(_ candidates: [Candidate], draw: UInt64) -> [Candidate] { candidates }
}

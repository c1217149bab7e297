public import Domain

/// As the route lists them: the next one only when the one before cannot take the call.
public struct PriorityStrategy: RoutingStrategy {
    public var name: RoutingStrategyName { .priority }

    public init() {}

    public func order(_ candidates: [Candidate], by lot: RouteLot) -> [Int] { Array(candidates.indices) }
}

public import Domain

/// By lot, in proportion to the weights, without replacement; weight 0 comes last, in the route's order.
public struct WeightedStrategy: RoutingStrategy {
    /// Above any weight a route may state (10,000); keeps sums far from overflow.
    private static var weightMax: Int { 1_000_000 }

    public var name: RoutingStrategyName { .weighted }

    public init() {}

    public func order(_ candidates: [Candidate], by lot: RouteLot) -> [Int] {
        var weights = candidates.map { UInt64(min(max($0.weight, 0), Self.weightMax)) }
        var total = weights.reduce(0, +)
        var order: [Int] = []
        order.reserveCapacity(candidates.count)
        var lots = SplitMix(seed: lot.draw)
        while total > 0 {
            // The high half of the product maps a 64-bit number evenly enough onto 0..<total (Lemire 2019,
            // "Fast random integer generation in an interval"); the bias is below total / 2^64.
            var left = lots.next().multipliedFullWidth(by: total).high
            for place in weights.indices where weights[place] > 0 {
                guard left >= weights[place] else {
                    order.append(place)
                    total -= weights[place]
                    weights[place] = 0
                    break
                }
                left -= weights[place]
            }
        }
        order += candidates.indices.filter { candidates[$0].weight <= 0 }
        return order
    }
}

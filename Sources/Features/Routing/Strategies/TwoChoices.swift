public import Domain

/// The shortest time to the first token, of two candidates drawn by lot.
public struct FastestStrategy: RoutingStrategy {
    public var name: RoutingStrategyName { .fastest }

    public init() {}

    public func order(_ candidates: [Candidate], by lot: RouteLot) -> [Int] {
        TwoChoices.order(
            candidates.map { candidate in
                // What is under way there delays what comes: the peak load that Finagle's P2C multiplies by.
                candidate.gauge.firstToken.map { $0.inSeconds * Double(candidate.gauge.running + 1) }
            }, ranks: lot.ranks(of: candidates), draw: lot.draw)
    }
}

/// The most tokens a second, of two candidates drawn by lot.
public struct ThroughputStrategy: RoutingStrategy {
    public var name: RoutingStrategyName { .throughput }

    public init() {}

    public func order(_ candidates: [Candidate], by lot: RouteLot) -> [Int] {
        TwoChoices.order(
            candidates.map { $0.gauge.tokensPerSecond.map { -$0 } }, ranks: lot.ranks(of: candidates),
            draw: lot.draw)
    }
}

/// The power of two choices (Mitzenmacher 2001): of two drawn by lot the better one goes first. Always taking the best
/// of all would send every call at once to whoever was best a moment ago.
enum TwoChoices {
    /// - Parameter figures: one a candidate, less is better; nil = not measured lately: then it is tried first.
    static func order(_ figures: [Double?], ranks: [Int], draw: UInt64) -> [Int] {
        var order = NearTie.order(figures, ranks: ranks, unknownFirst: true)
        guard order.count > 2 else { return order }
        var lots = SplitMix(seed: draw)
        let first = Int(lots.next().multipliedFullWidth(by: UInt64(order.count)).high)
        var second = Int(lots.next().multipliedFullWidth(by: UInt64(order.count - 1)).high)
        if second >= first { second += 1 }
        // The order is by figure, so the smaller place is the better of the two; the rest stand behind by figure.
        let winner = order.remove(at: min(first, second))
        return [winner] + order
    }
}

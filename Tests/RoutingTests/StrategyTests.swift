import Domain
import Routing
import Testing

@Suite struct StrategyTests {
    private func candidates(_ weights: [Int]) -> [Candidate] {
        weights.enumerated().map { Candidate(target: target("p/m\($0)"), weight: $1, keys: []) }
    }

    @Test(arguments: RoutingStrategyName.allCases)
    func `every strategy gives each place once, the same for the same draw`(name: RoutingStrategyName) {
        let strategy = StrategyList.strategy(named: name)
        #expect(strategy.name == name)
        var generator = SplitMix(seed: 11)
        for _ in 0..<2_000 {
            let count = Int.random(in: 0...9, using: &generator)
            let some = candidates(
                (0..<count).map { _ in
                    [0, 0, 1, 5, 10_000, -3, .max].randomElement(using: &generator) ?? 1
                })
            let draw = generator.next()
            let order = strategy.order(some, draw: draw)
            #expect(order.sorted() == Array(0..<count))
            #expect(order == strategy.order(some, draw: draw))
        }
        #expect(StrategyList.all.count == RoutingStrategyName.allCases.count)
    }

    @Test func `priority keeps the route's order`() {
        #expect(PriorityStrategy().order(candidates([1, 9, 3]), draw: 77) == [0, 1, 2])
    }

    @Test func `weighted gives first place in proportion to the weights`() {
        let weights = [40, 30, 20, 10]
        let some = candidates(weights)
        var generator = SplitMix(seed: 2_026)
        var firsts = [0, 0, 0, 0]
        var seconds = [0, 0, 0, 0]
        for _ in 0..<10_000 {
            let order = WeightedStrategy().order(some, draw: generator.next())
            firsts[order[0]] += 1
            if order[0] == 0 { seconds[order[1]] += 1 }
        }
        // Five standard deviations of a binomial with 10,000 draws are below 250.
        for (count, weight) in zip(firsts, weights) { #expect(abs(count - weight * 100) < 250) }
        // Among the rest, once the first is taken, the shares are 30 : 20 : 10.
        let rest = seconds.reduce(0, +)
        for (count, share) in zip(seconds.dropFirst(), [3, 2, 1]) {
            #expect(abs(count - rest * share / 6) < 170)
        }
    }

    @Test func `weight zero is never before a positive weight and keeps the route's order`() {
        let some = candidates([0, 1, 0, 10_000])
        var generator = SplitMix(seed: 5)
        for _ in 0..<2_000 {
            #expect(WeightedStrategy().order(some, draw: generator.next()).suffix(2) == [0, 2])
        }
        #expect(WeightedStrategy().order(candidates([0, 0, 0]), draw: 1) == [0, 1, 2])
    }
}

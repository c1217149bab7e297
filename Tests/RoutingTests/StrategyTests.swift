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
            let order = strategy.order(some, by: RouteLot(draw: draw))
            #expect(order.sorted() == Array(0..<count))
            #expect(order == strategy.order(some, by: RouteLot(draw: draw)))
        }
        #expect(StrategyList.all.count == RoutingStrategyName.allCases.count)
    }

    @Test func `priority keeps the route's order`() {
        #expect(PriorityStrategy().order(candidates([1, 9, 3]), by: RouteLot(draw: 77)) == [0, 1, 2])
    }

    @Test func `weighted gives first place in proportion to the weights`() {
        let weights = [40, 30, 20, 10]
        let some = candidates(weights)
        var generator = SplitMix(seed: 2_026)
        var firsts = [0, 0, 0, 0]
        var seconds = [0, 0, 0, 0]
        for _ in 0..<10_000 {
            let order = WeightedStrategy().order(some, by: RouteLot(draw: generator.next()))
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
            #expect(WeightedStrategy().order(some, by: RouteLot(draw: generator.next())).suffix(2) == [0, 2])
        }
        #expect(WeightedStrategy().order(candidates([0, 0, 0]), by: RouteLot(draw: 1)) == [0, 1, 2])
    }

    private func priced(_ costs: [Int64?]) -> [Candidate] {
        costs.enumerated().map {
            Candidate(target: target("p/m\($0)"), keys: [], cost: $1.map(Money.init(nanoUSD:)))
        }
    }

    @Test func `cheapest goes by price, unknown prices last`() {
        let order = CheapestStrategy().order(priced([300, nil, 100, 200]), by: RouteLot(draw: 1))
        #expect(order == [2, 3, 0, 1])
    }

    @Test func `prices within one part in twenty are the same, and the conversation decides`() {
        let some = priced([1_000, 1_040, 5_000])
        var firsts: Set<Int> = []
        for conversation in 0..<64 as Range<UInt64> {
            let lots = (1...3 as ClosedRange<UInt64>).map { RouteLot(draw: $0, conversation: conversation) }
            let orders = Set(lots.map { CheapestStrategy().order(some, by: $0) })
            #expect(orders.count == 1, "one conversation, several targets")
            firsts.formUnion(orders.map { $0[0] })
            #expect(orders.allSatisfy { $0.last == 2 })
        }
        #expect(firsts == [0, 1])
    }

    private func gauged(_ readings: [TargetReading]) -> [Candidate] {
        readings.enumerated().map { Candidate(target: target("p/m\($0)"), keys: [], gauge: $1) }
    }

    @Test func `fastest never begins with the slowest of three, and tries what was not measured`() {
        let times = [100, 900, 200].map { TargetReading(firstToken: .milliseconds($0)) }
        var random = SplitMix(seed: 3)
        var firsts = [0, 0, 0]
        for _ in 0..<3_000 {
            firsts[FastestStrategy().order(gauged(times), by: RouteLot(draw: random.next()))[0]] += 1
        }
        #expect(firsts[1] == 0, "of two drawn the slowest of all never wins")
        // The best wins two of three pairs.
        #expect(abs(firsts[0] - 2_000) < 200, "\(firsts)")
        let fresh = [TargetReading(firstToken: .milliseconds(5)), TargetReading()]
        #expect(FastestStrategy().order(gauged(fresh), by: RouteLot(draw: 1)) == [1, 0])
        let busy = [100, 110].enumerated().map {
            TargetReading(firstToken: .milliseconds($1), running: $0 == 0 ? 9 : 0)
        }
        #expect(
            FastestStrategy().order(gauged(busy), by: RouteLot(draw: 1)) == [1, 0], "load is not counted")
    }

    @Test func `throughput goes by tokens a second, and least busy by what is under way`() {
        let rates = [10.0, 80, 40].map { TargetReading(tokensPerSecond: $0) }
        var random = SplitMix(seed: 4)
        for _ in 0..<500 {
            let order = ThroughputStrategy().order(gauged(rates), by: RouteLot(draw: random.next()))
            #expect(order[0] != 0 && Set(order) == [0, 1, 2])
        }
        let busy = [3, 0, 7].map { TargetReading(running: $0) }
        #expect(LeastBusyStrategy().order(gauged(busy), by: RouteLot(draw: 9)) == [1, 0, 2])
    }

    @Test func `sticky keeps a conversation where it is, shares them by weight, and moves only its own`() {
        let some = candidates([3, 1, 0])
        var firsts = [0, 0, 0]
        for conversation in 0..<4_000 as Range<UInt64> {
            let lot = RouteLot(draw: conversation &* 77, conversation: conversation)
            let order = StickyStrategy().order(some, by: lot)
            #expect(order == StickyStrategy().order(some, by: RouteLot(draw: 1, conversation: conversation)))
            firsts[order[0]] += 1
            // Without the first target, the conversations of the others stay where they are.
            if order[0] != 0 {
                let rest = StickyStrategy().order(Array(some.dropFirst()), by: lot)
                #expect(rest[0] == order[0] - 1)
            }
        }
        #expect(abs(firsts[0] - 3_000) < 200 && abs(firsts[1] - 1_000) < 200 && firsts[2] == 0, "\(firsts)")
    }
}

import Domain
import Testing

@Suite struct KeyCanaryTests {
    @Test(arguments: [1, 5, 20, 99])
    func `a trial has its share of the calls, and the same draw always the same answer`(percent: Int) {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SplitMix(seed: seed)
        let canary = KeyCanary(percent: percent, ends: WallTime(milliseconds: 0), drainSeconds: 0)
        let key = ProviderKeyID.random()
        let count = 20_000
        var taken = 0
        for _ in 0..<count {
            let draw = generator.next()
            let takes = canary.takes(draw, as: key)
            if takes { taken += 1 }
            if takes != canary.takes(draw, as: key) { Issue.record("two answers to one draw") }
        }
        // Six standard deviations of a binomial distribution of 20,000 with p = 1/2 are 424.
        #expect(abs(taken - count * percent / 100) < 430, "seed \(seed), key \(key)")
    }
}

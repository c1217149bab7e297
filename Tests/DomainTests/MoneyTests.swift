import Domain
import Foundation
import Testing

@Suite struct MoneyTests {
    @Test(arguments: [
        (0, 2, "0.00"), (4_999_999, 2, "0.00"), (5_000_000, 2, "0.01"), (-5_000_000, 2, "-0.01"),
        (-4_999_999, 2, "0.00"), (1_500_000_000, 0, "2"), (-1_500_000_000, 0, "-2"), (499_999_999, 0, "0"),
        (54_399_000, 9, "0.054399000"), (54_399_000, 4, "0.0544"), (999_999_999, 3, "1.000"),
        (1, 12, "0.000000001"), (1_234_567_890, -3, "1"),
    ])
    func `dollars are rounded half away from zero`(nano: Int64, decimals: Int, text: String) {
        #expect(Money(nanoUSD: nano).dollars(decimals: decimals) == text)
    }

    @Test func `rounding equals decimal arithmetic for random amounts`() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SplitMix(seed: seed)
        for _ in 0..<5_000 {
            let scale = Int64(1) << Int64.random(in: 1...62, using: &generator)
            let nano = Int64.random(in: -scale...scale, using: &generator)
            let places = Int.random(in: 0...9, using: &generator)
            var exact = Decimal(nano) / 1_000_000_000
            var rounded = Decimal()
            // `.plain` rounds half away from zero.
            NSDecimalRound(&rounded, &exact, places, .plain)
            let text = Money(nanoUSD: nano).dollars(decimals: places)
            #expect(Decimal(string: text) == rounded, "seed \(seed): \(nano) to \(places) places is \(text)")
            #expect(
                text.split(separator: ".").dropFirst().first?.count ?? 0 == places, "seed \(seed): \(text)")
        }
    }

    @Test(arguments: [Int64.min, .max])
    func `the largest amounts are written whole`(nano: Int64) {
        #expect(Money(nanoUSD: nano).description.hasSuffix("9223372036.85477580\(nano < 0 ? 8 : 7)"))
    }

    @Test func `sums are exact`() {
        let cents = Array(repeating: Money(nanoUSD: 10_000_001), count: 1_000)
        #expect(cents.reduce(.zero, +) == Money(nanoUSD: 10_000_001_000))
        #expect(Money(nanoUSD: 3) - Money(nanoUSD: 5) == Money(nanoUSD: -2))
        #expect(Money(nanoUSD: -2) < .zero)
    }
}

@Suite struct UsageTests {
    @Test func `buckets are disjoint: totals are plain sums`() {
        let usage = Usage(
            input: 1, cacheRead: 10, cacheWrite: 100, cacheWriteHour: 1_000, output: 10_000,
            reasoning: 100_000)
        #expect(usage.totalInput == 1_111 && usage.totalOutput == 110_000 && usage.total == 111_111)
        #expect((usage + usage).total == 222_222)
        #expect(usage + Usage() == usage)
    }
}

@Suite struct CallFailureTests {
    @Test(arguments: CallFailure.Code.allCases)
    func `every code has a status that says error, and a label without variables`(code: CallFailure.Code) {
        #expect((400...599).contains(CallFailure(code, source: .gateway, "why").status))
        #expect(code.rawValue.utf8.allSatisfy { $0 == UInt8(ascii: "_") || (0x61...0x7a).contains($0) })
    }

    @Test func `an upstream's status goes before the code's own`() {
        #expect(CallFailure(.upstreamRefused, source: .caller, "why", status: 400).status == 400)
    }
}

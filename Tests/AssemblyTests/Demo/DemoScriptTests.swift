import Domain
import Routing
import Testing

@testable import Assembly

/// The script of the demo: repeatable, eventful early, and within bounds.
@Suite struct DemoScriptTests {
    /// Every provider at every second of ten minutes.
    private static let moments = (0..<5).flatMap { provider in
        (0..<600).map { (provider: provider, second: Double($0)) }
    }

    @Test(arguments: 0..<50)
    func `a seed always tells the same story, another seed another`(seed: UInt64) {
        let script = DemoScript(seed: seed, providers: 3)
        let again = DemoScript(seed: seed, providers: 3)
        let other = DemoScript(seed: seed + 1, providers: 3)
        #expect((0..<10).map(script.outage) == (0..<10).map(again.outage), "seed \(seed)")
        #expect((0..<10).map(script.outage) != (0..<10).map(other.outage), "seed \(seed)")
        for moment in Self.moments {
            let mood = script.mood(of: moment.provider, at: moment.second)
            #expect(mood == again.mood(of: moment.provider, at: moment.second), "seed \(seed) \(moment)")
        }
    }

    @Test(arguments: 0..<50)
    func `every figure is bounded`(seed: UInt64) {
        let script = DemoScript(seed: seed, providers: 3)
        for moment in Self.moments {
            let mood = script.mood(of: moment.provider, at: moment.second)
            let shares = [
                mood.overloaded, mood.failed, mood.rateLimited, mood.cut, mood.stalled, mood.slow,
                mood.cut + mood.stalled,
            ]
            #expect((50...1_000).contains(mood.latency), "seed \(seed) \(moment): \(mood)")
            #expect(shares.allSatisfy { (0...1).contains($0) }, "seed \(seed) \(moment): \(mood)")
            #expect(mood.overloaded + mood.failed + mood.rateLimited <= 1, "seed \(seed) \(moment): \(mood)")
            #expect((5...13).contains(script.rate(at: moment.second)), "seed \(seed) \(moment)")
        }
        #expect(script.mood(of: 0, at: 1e9).latency.isFinite && script.rate(at: 1e9).isFinite)
    }

    @Test(arguments: 0..<50)
    func `outages come one at a time and leave room to recover`(seed: UInt64) {
        let script = DemoScript(seed: seed, providers: 3)
        let outages = (0..<20).map(script.outage)
        for (cycle, outage) in outages.enumerated() {
            #expect((0..<3).contains(outage.provider), "seed \(seed)")
            #expect(outage.start >= Double(cycle) * 90 + 20, "seed \(seed)")
            #expect(outage.end <= Double(cycle + 1) * 90 - 30, "seed \(seed)")
            let bad = script.mood(of: outage.provider, at: (outage.start + outage.end) / 2)
            #expect(bad.overloaded + bad.failed > 0.5, "seed \(seed)")
        }
        #expect(Set(outages.map(\.provider)).count == 3, "seed \(seed): some provider never fails")
    }

    @Test(arguments: 0..<50)
    func `between outages every lesser fault has its turn`(seed: UInt64) {
        let script = DemoScript(seed: seed, providers: 3)
        let spells = (0..<5).map(script.spell)
        #expect(Set(spells.map(\.kind)) == Set(DemoScript.Spell.allCases), "seed \(seed)")
        for (cycle, spell) in spells.enumerated() {
            let outage = script.outage(cycle)
            let middle = Double(cycle) * 90 + 68
            #expect(middle - 8 > outage.end && middle + 8 < Double(cycle + 1) * 90, "seed \(seed)")
            let mood = script.mood(of: spell.provider, at: middle)
            let shows =
                switch spell.kind {
                case .rateLimits: mood.rateLimited >= 0.3
                case .cuts: mood.cut >= 0.3
                case .badKey: mood.refusesKey && spell.provider == DemoScript.keyProvider
                case .slowness: mood.slow >= 0.3
                case .stalls: mood.stalled >= 0.3
                }
            #expect(shows && mood.overloaded + mood.failed < 0.1, "seed \(seed), \(spell): \(mood)")
            let calm = script.mood(of: spell.provider, at: Double(cycle) * 90 + 5)
            #expect(!calm.refusesKey && calm.slow == 0 && calm.stalled == 0, "seed \(seed)")
        }
    }

    /// About a fifth of all calls go to the first provider's one target: the shares of the models that are routed
    /// there, less what the cache answers.
    @Test(arguments: 0..<50)
    func `within two minutes a breaker opens and closes again`(seed: UInt64) {
        let script = DemoScript(seed: seed, providers: 3)
        var options = BreakerOptions()
        options.openFirst = .seconds(5)
        var breaker = Breaker(options: options, at: Self.instant(0))
        var random = SplitMix(seed: seed)
        var (opened, closed): (Double?, Double?)
        var second = 0.0
        while second < 120 {
            let now = Self.instant(second)
            _ = breaker.advance(to: now)
            if let ticket = Self.ticket(&breaker, now) {
                let mood = script.mood(of: 0, at: second)
                if random.unit() < mood.overloaded + mood.failed {
                    _ = breaker.failed(ticket, at: now, kind: .providerFault, retryAfter: nil)
                } else {
                    _ = breaker.succeeded(ticket, at: now)
                }
            }
            if breaker.position == .open, opened == nil { opened = second }
            if breaker.position == .closed, opened != nil, closed == nil { closed = second }
            second += 5 / script.rate(at: second)
        }
        let outage = script.outage(0)
        #expect(opened.map { $0 > outage.start && $0 < outage.end } == true, "seed \(seed): \(outage)")
        #expect(closed != nil, "seed \(seed): opened at \(String(describing: opened)), never closed")
    }

    private static func ticket(_ breaker: inout Breaker, _ now: Instant) -> Breaker.Ticket? {
        switch breaker.permit(at: now).permit {
        case .pass(let ticket), .probe(let ticket): ticket
        case .refuse: nil
        }
    }

    private static func instant(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }
}

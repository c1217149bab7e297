import Domain
import TestKit
import Testing

/// Outages, cuts, stalls, rate limits and bad keys for a quarter of an hour of virtual time: every call ends in time
/// with an answer or a clear error, and nothing is held afterwards.
@Suite struct StormTests {
    @Test(arguments: [1, 2, UInt64.random(in: 100 ... .max)])
    func `whatever the weather, every call ends in time, and nothing is held when it is over`(
        seed: UInt64
    ) async throws {
        let storm = try await Storm(.storm(seed))
        try await storm.run()
        let tally = storm.tally
        print(
            "storm \(seed): \(tally.calls) calls, \(tally.attempts) attempts, \(tally.answered) answered, \(tally.cut) cut, \(tally.cancelled) cancelled, \(tally.failures), \(tally.sheltered) sheltered, \(tally.hurried.count) of them hurried, \(tally.openings) openings, \(tally.retries) retries, \(tally.hedges) hedges, \(tally.rows) rows"
        )
        #expect(tally.complaints.isEmpty, "seed \(seed)")
        for line in tally.complaints { print(line) }
    }

    @Test func `a silent target is left alone also by callers who are all in a hurry`() async throws {
        var plan = StormPlan(calm: 11)
        plan.weather = StormWeather(
            spells: [StormSpell(kind: .silent, provider: 0, from: .seconds(150), until: .seconds(600))])
        plan.models = ["trio"]
        plan.timeouts = 12...30
        let storm = try await Storm(plan)
        try await storm.run()
        let tally = storm.tally
        #expect(tally.complaints.isEmpty)
        // A minute without an answer opens the breaker. From then on one call at a time finds out whether the target is
        // back, and waits in vain for twelve seconds at least.
        let late = tally.hurried.filter { $0 > .seconds(150 + 60 + 30 + 1) }
        #expect(tally.hurried.count > 100)
        #expect(late.count <= (600 - 241) / 12 + 1)
    }
}

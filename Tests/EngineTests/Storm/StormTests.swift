import Domain
import Testing

/// Outages, cuts, stalls, rate limits and bad keys for a quarter of an hour of virtual time: every call ends in time
/// with an answer or a clear error, and nothing is held afterwards.
@Suite struct StormTests {
    @Test(arguments: [1, 2, 3, UInt64.random(in: 100 ... .max)])
    func `whatever the weather, every call ends in time, and nothing is held when it is over`(
        seed: UInt64
    ) async throws {
        let storm = try await Storm(.storm(seed))
        try await storm.run()
        let tally = storm.tally
        print(
            "storm \(seed): \(tally.calls) calls, \(tally.attempts) attempts, \(tally.answered) answered, \(tally.cut) cut, \(tally.cancelled) cancelled, \(tally.failures), \(tally.sheltered) sheltered, \(tally.openings) openings, \(tally.retries) retries, \(tally.rows) rows"
        )
        #expect(tally.complaints.isEmpty, "seed \(seed)")
        for line in tally.complaints { print(line) }
    }
}

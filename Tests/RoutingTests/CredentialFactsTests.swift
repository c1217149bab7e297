import Domain
import Routing
import Testing

@Suite struct CredentialFactsTests {
    private let board = MemoryCredentialBoard()
    private let small = model("small")
    private let large = model("large")

    private func key(_ number: UInt64) -> ProviderKeyID { ProviderKeyID(high: 1, low: number) }

    @discardableResult
    private func note(
        _ mark: CredentialMark, key number: UInt64 = 1, at second: Double, retryAfter: Duration? = nil
    ) -> CredentialMark? {
        board.note(
            mark, on: key(number), for: small, began: .seconds(second), at: .seconds(second),
            retryAfter: retryAfter)
    }

    private func facts(at second: Double) -> CredentialFacts? { board.facts(at: .seconds(second)).first }

    @Test func `a key that is well is listed with its last answer`() {
        note(.ok, at: 3)
        note(.ok, at: 7)
        #expect(
            board.facts(at: .seconds(8)) == [
                CredentialFacts(
                    key: key(1), mark: .ok, lastAnswered: .seconds(7), lastRefused: nil, lastLimited: nil,
                    headrooms: [])
            ])
        #expect(board.states(at: .seconds(8)).isEmpty)
    }

    @Test(arguments: CredentialMark.allCases)
    func `each mark is remembered by when it was last seen`(mark: CredentialMark) throws {
        note(mark, at: 5)
        let facts = try #require(self.facts(at: 6))
        #expect(facts.mark == mark)
        #expect(facts.lastAnswered == (mark == .ok ? .seconds(5) : nil))
        #expect(facts.lastRefused == (mark == .suspect || mark == .rejected ? .seconds(5) : nil))
        #expect(facts.lastLimited == (mark == .cooling || mark == .exhausted ? .seconds(5) : nil))
    }

    @Test func `a rate limit that ended by itself is no mark any more, and the next one is news`() {
        #expect(note(.cooling, at: 0, retryAfter: .seconds(5)) == .cooling)
        #expect(facts(at: 4)?.mark == .cooling)
        #expect(facts(at: 5)?.mark == .ok)
        #expect(facts(at: 5)?.lastLimited == .seconds(0))
        #expect(note(.cooling, at: 60, retryAfter: .seconds(5)) == .cooling)
        #expect(note(.cooling, at: 61, retryAfter: .seconds(5)) == nil)
    }

    @Test func `headroom is kept by model, the last heard holds, until its limits are whole again`() {
        func left(_ count: Int64, resetsAt second: Double?) -> KeyHeadroom {
            KeyHeadroom(requestsLeft: count, requestsLimit: 100, resetsAt: second.map { .seconds($0) })
        }
        board.heard(left(9, resetsAt: 60), of: key(1), for: small, at: .seconds(1))
        board.heard(left(50, resetsAt: nil), of: key(1), for: large, at: .seconds(2))
        board.heard(left(8, resetsAt: 60), of: key(1), for: small, at: .seconds(4))
        // Came later, was said earlier.
        board.heard(left(99, resetsAt: 60), of: key(1), for: small, at: .seconds(3))
        #expect(
            facts(at: 59)?.headrooms == [
                .init(model: large, headroom: left(50, resetsAt: nil), heardAt: .seconds(2)),
                .init(model: small, headroom: left(8, resetsAt: 60), heardAt: .seconds(4)),
            ])
        #expect(facts(at: 60)?.headrooms.map(\.model) == [large])
    }

    @Test func `the status of a resting key and model tells its headroom`() {
        let none = KeyHeadroom(tokensLeft: 0, tokensLimit: 40_000, resetsAt: .seconds(90))
        board.heard(none, of: key(1), for: small, at: .seconds(1))
        note(.cooling, at: 1, retryAfter: .seconds(120))
        note(.suspect, at: 2)
        #expect(board.states(at: .seconds(3)).map(\.mark) == [.suspect, .cooling])
        #expect(board.states(at: .seconds(3)).map(\.headroom) == [nil, none])
        #expect(board.states(at: .seconds(90)).last?.headroom == nil)
    }

    @Test func `clearing a key forgets its facts too`() {
        note(.rejected, at: 1)
        board.heard(KeyHeadroom(requestsLeft: 1), of: key(1), for: small, at: .seconds(1))
        _ = board.clear(key(1))
        #expect(board.facts(at: .seconds(2)).isEmpty)
    }

    @Test func `keys and models are bounded, those not seen for longest go`() {
        let board = MemoryCredentialBoard(capacity: 64, factsMax: 64)
        for number in 0..<1_000 {
            let now = Instant.seconds(Double(number))
            let mark = CredentialMark.allCases[number % CredentialMark.allCases.count]
            _ = board.note(
                mark, on: key(UInt64(number)), for: small, began: now, at: now, retryAfter: nil)
            board.heard(KeyHeadroom(), of: key(5_000), for: model("m\(number)"), at: now)
        }
        let facts = board.facts(at: .seconds(1_000))
        #expect(facts.count <= 128)
        #expect(facts.map(\.key) == facts.map(\.key).sorted())
        #expect(facts.contains { $0.key == key(999) })
        #expect(
            facts.last?.headrooms.map(\.model) == (992...999).map { model("m\($0)") })
    }
}

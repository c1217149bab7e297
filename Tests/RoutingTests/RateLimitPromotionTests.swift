import Domain
import Routing
import Testing

@Suite struct RateLimitPromotionTests {
    var promotion = RateLimitPromotion()

    private func owner(_ number: UInt64) -> TenantID { TenantID(high: 7, low: number) }

    private mutating func note(
        _ number: UInt64, at second: Double, retryAfter: Duration? = nil
    ) -> RateLimitPromotion.Promotion? {
        promotion.note(owner: owner(number), at: .seconds(second), retryAfter: retryAfter)
    }

    @Test mutating func `the third owner within ten seconds promotes, once`() {
        #expect(note(1, at: 0) == nil)
        #expect(note(2, at: 5) == nil)
        #expect(note(3, at: 9.9) == .init(retryAfter: nil))
        #expect(note(4, at: 9.9) == nil)
        #expect(note(5, at: 9.9) == nil)
        #expect(note(6, at: 9.9) != nil)
    }

    @Test mutating func `however many keys one or two owners have, they never promote`() {
        for step in 0..<10_000 { #expect(note(UInt64(step % 2), at: Double(step) / 100) == nil) }
    }

    @Test mutating func `the platform's keys are one owner`() {
        for _ in 1...50 {
            #expect(
                promotion.note(owner: RateLimitPromotion.platform, at: .seconds(0), retryAfter: nil) == nil)
        }
        #expect(note(1, at: 1) == nil)
        #expect(note(2, at: 1) != nil)
    }

    @Test mutating func `three owners spread over more than ten seconds do not promote`() {
        for step in 0..<500 { #expect(note(UInt64(step), at: Double(step) * 5) == nil) }
    }

    @Test mutating func `the floor is the shortest of what the three owners were told`() {
        _ = note(1, at: 0, retryAfter: .seconds(3_600))
        _ = note(2, at: 1, retryAfter: .seconds(10))
        // The same owner's longest counts for it.
        _ = note(2, at: 1, retryAfter: .seconds(30))
        _ = note(2, at: 2, retryAfter: .seconds(1))
        #expect(note(3, at: 3, retryAfter: .seconds(60)) == .init(retryAfter: .seconds(28)))
        _ = note(1, at: 4, retryAfter: .seconds(3_600))
        _ = note(2, at: 4, retryAfter: nil)
        #expect(note(3, at: 4, retryAfter: .seconds(60)) == .init(retryAfter: nil))
    }

    @Test mutating func `wild waits neither overflow nor last for ever`() {
        _ = note(1, at: 0, retryAfter: .seconds(Int64.max))
        _ = note(2, at: 0, retryAfter: .seconds(Int64.max))
        #expect(note(3, at: 0, retryAfter: .seconds(Int64.max)) == .init(retryAfter: .seconds(86_400)))
        for number in 1...2 { _ = note(UInt64(number), at: 1, retryAfter: .seconds(-5)) }
        #expect(note(3, at: 1, retryAfter: .seconds(-5)) == .init(retryAfter: nil))
    }

    @Test func `a board opens the breaker at the third owner, with the reason and the floor`() {
        let board = MemoryBreakerBoard()
        let one = target("openai/a")
        for number in 1...2 {
            let change = board.rateLimited(
                one, owner: owner(UInt64(number)), retryAfter: .seconds(40), at: .seconds(1))
            #expect(change == .none)
        }
        // Owners who met it at another model do not count here.
        #expect(
            board.rateLimited(target("openai/b"), owner: owner(9), retryAfter: nil, at: .seconds(1)) == .none)
        #expect(board.states(at: .seconds(1)).isEmpty)
        #expect(board.rateLimited(one, owner: owner(3), retryAfter: .seconds(40), at: .seconds(1)) == .opened)
        let status = board.status(of: one, at: .seconds(2))
        #expect(status.nextProbe == .seconds(41))
        #expect(
            status.why
                == "three owners' keys were rate-limited within 10 s; probe in 39s; needs 3 ok")
    }

    @Test func `while open three more owners prolong the wait and do not count as an opening`() {
        let board = MemoryBreakerBoard()
        let one = target("openai/a")
        func storm(at second: Double, retryAfter: Duration?) -> [Breaker.Change] {
            (1...3).map {
                board.rateLimited(one, owner: owner($0), retryAfter: retryAfter, at: .seconds(second))
            }
        }
        #expect(storm(at: 0, retryAfter: nil) == [.none, .none, .opened])
        #expect(storm(at: 1, retryAfter: nil) == [.none, .none, .none])
        #expect(board.status(of: one, at: .seconds(1)).nextProbe == .seconds(10))
        #expect(storm(at: 2, retryAfter: .seconds(30)) == [.none, .none, .none])
        #expect(board.status(of: one, at: .seconds(2)).nextProbe == .seconds(32))
        // Half-open it opens again, for longer.
        #expect(storm(at: 40, retryAfter: nil).last == .opened)
        #expect(board.status(of: one, at: .seconds(40)).nextProbe == .seconds(60))
    }

    @Test func `an override stands above it`() {
        for mode in [BreakerHold.Mode.closed, .asIs, .open] {
            let board = MemoryBreakerBoard()
            let one = target("openai/a")
            _ = board.hold(hold(mode, from: 0, to: 60), on: one, at: .seconds(0), wall: .seconds(0))
            let before = board.status(of: one, at: .seconds(2))
            for number in 1...30 {
                let change = board.rateLimited(
                    one, owner: owner(UInt64(number)), retryAfter: .seconds(900), at: .seconds(1))
                #expect(change == .none)
            }
            #expect(board.status(of: one, at: .seconds(2)) == before)
        }
    }

    @Test func `invented names of models take no breaker's place and hide no real target for long`() {
        let board = MemoryBreakerBoard(capacity: 64)
        for number in 0..<20_000 {
            _ = board.rateLimited(
                target("p/m\(number)"), owner: owner(1), retryAfter: nil, at: .seconds(Double(number) / 1e4))
        }
        #expect(board.states(at: .seconds(2)).isEmpty)
        let changes = (1...3).map {
            board.rateLimited(target("p/real"), owner: owner($0), retryAfter: nil, at: .seconds(2))
        }
        #expect(changes == [.none, .none, .opened])
    }
}

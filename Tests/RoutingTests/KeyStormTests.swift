import Domain
import Routing
import Testing

/// One tenant's bad key, called over and over, moves no breaker: in no position, by none of the refusals it may meet.
@Suite struct KeyStormTests {
    /// Where the breaker stands when the storm begins, and when that is.
    enum Start: CaseIterable {
        case closed, nearlyTripped, open, halfOpen, forcedOpen, forcedClosed, heldHalfOpen
    }

    private static let refusals: [FailureClass] = [.badKey, .notPermitted, .keyRateLimit, .keyQuota]
    private let one = target("openai/gpt")
    private let tenant = TenantID(high: 1, low: 66)
    private let now = Instant.seconds(12)

    private func ticket(_ board: MemoryBreakerBoard, at moment: Instant) -> Breaker.Ticket? {
        switch board.permit(one, at: moment).permit {
        case .pass(let ticket), .probe(let ticket): ticket
        case .refuse: nil
        }
    }

    private func fail(_ count: Int, on board: MemoryBreakerBoard, at second: Double) {
        for _ in 0..<count {
            guard let ticket = ticket(board, at: .seconds(second)) else { return }
            _ = board.report(
                .failed(.providerFault, retryAfter: nil), of: ticket, for: one, at: .seconds(second))
        }
    }

    private func board(in start: Start) -> MemoryBreakerBoard {
        let board = MemoryBreakerBoard()
        func put(_ mode: BreakerHold.Mode) {
            _ = board.hold(hold(mode, from: 12, to: 900), on: one, at: now, wall: .seconds(12))
        }
        switch start {
        case .closed: fail(1, on: board, at: 11)
        case .nearlyTripped: fail(9, on: board, at: 11)
        case .open: fail(10, on: board, at: 11)
        case .halfOpen: fail(10, on: board, at: 1)
        case .forcedOpen: put(.open)
        case .forcedClosed: put(.closed)
        case .heldHalfOpen:
            fail(10, on: board, at: 1)
            _ = board.advance(to: now)
            put(.asIs)
        }
        _ = board.advance(to: now)
        return board
    }

    @Test(arguments: Start.allCases, refusals)
    func `a storm of refusals leaves the breaker as it was`(start: Start, refusal: FailureClass) {
        let board = board(in: start)
        let before = board.status(of: one, at: now)
        for _ in 0..<1_000 {
            guard let ticket = ticket(board, at: now) else { continue }
            let result = AttemptResult.failed(refusal, retryAfter: .seconds(600))
            #expect(board.report(result, of: ticket, for: one, at: now) == .none)
            if refusal == .keyRateLimit {
                #expect(
                    board.rateLimited(one, owner: tenant, retryAfter: .seconds(600), at: now) == .none)
            }
        }
        #expect(board.status(of: one, at: now) == before)
        #expect(board.states(at: now).map(\.target) == [one])
    }

    @Test(arguments: refusals)
    func `a half-open breaker still closes by another tenant's calls amid the storm`(
        refusal: FailureClass
    ) throws {
        let board = board(in: .halfOpen)
        for expected in [Breaker.Change.none, .none, .closed] {
            for _ in 0..<100 {
                let bad = try #require(ticket(board, at: now))
                _ = board.report(.failed(refusal, retryAfter: nil), of: bad, for: one, at: now)
                _ = board.rateLimited(one, owner: tenant, retryAfter: nil, at: now)
            }
            let good = try #require(ticket(board, at: now))
            #expect(board.report(.answeredAfter(.seconds(1)), of: good, for: one, at: now) == expected)
        }
    }

    @Test(arguments: refusals)
    func `nor does the storm hide an outage that others see`(refusal: FailureClass) throws {
        let board = board(in: .nearlyTripped)
        for _ in 0..<1_000 {
            let bad = try #require(ticket(board, at: now))
            _ = board.report(.failed(refusal, retryAfter: nil), of: bad, for: one, at: now)
        }
        let last = try #require(ticket(board, at: now))
        #expect(
            board.report(.failed(.providerFault, retryAfter: nil), of: last, for: one, at: now) == .opened)
    }
}

import Domain
import Routing
import Testing

/// What every breaker board must do, whatever keeps its state.
func checkBreakerBoard(_ make: () -> any BreakerBoard) throws {
    try tripAndRecover(make())
    holdAndRelease(make())
    neutralResultsLeaveNoTrace(make())
    plansTakeNoSlot(make())
    try firstContentCountsAtOnce(make())
    threeOwnersOpen(make())
}

private func granted(_ permission: Permission) -> Breaker.Ticket? {
    switch permission.permit {
    case .pass(let ticket), .probe(let ticket): ticket
    case .refuse: nil
    }
}

private func trip(_ target: Target, on board: any BreakerBoard, at now: Instant) -> Breaker.Change {
    var change = Breaker.Change.none
    for _ in 1...5 {
        guard let ticket = granted(board.permit(target, at: now)) else { return change }
        change = board.report(.failed(.transport, retryAfter: nil), of: ticket, for: target, at: now)
    }
    return change
}

private func tripAndRecover(_ board: any BreakerBoard) throws {
    let one = target("openai/a")
    let other = target("openai/b")
    #expect(trip(one, on: board, at: .seconds(0)) == .opened)
    #expect(granted(board.permit(one, at: .seconds(9))) == nil)
    #expect(granted(board.permit(other, at: .seconds(9))) != nil)
    #expect(board.advance(to: .seconds(9)).isEmpty)
    #expect(board.advance(to: .seconds(10)) == [BreakerShift(target: one, change: .halfOpened)])
    for expected in [Breaker.Change.none, .none, .closed] {
        let ticket = try #require(granted(board.permit(one, at: .seconds(10))))
        #expect(board.report(.answered, of: ticket, for: one, at: .seconds(10)) == expected)
    }
    let status = board.status(of: one, at: .seconds(12))
    #expect(status.position == .closed)
    #expect(status.since == .seconds(10))
    #expect(status.nextProbe == nil)
}

private func holdAndRelease(_ board: any BreakerBoard) {
    let one = target("openai/a")
    let order = hold(.open, from: 0, to: 60)
    #expect(board.hold(order, on: one, at: .seconds(0), wall: .seconds(0)) == .opened)
    #expect(granted(board.permit(one, at: .seconds(1))) == nil)
    #expect(board.states(at: .seconds(1)).map(\.hold) == [order])
    #expect(board.states(at: .seconds(60)).map(\.position) == [.halfOpen])
    #expect(board.release(one, at: .seconds(2)) == .halfOpened)
    #expect(board.status(of: one, at: .seconds(2)).hold == nil)
    #expect(board.release(target("openai/unknown"), at: .seconds(2)) == .none)
}

private func neutralResultsLeaveNoTrace(_ board: any BreakerBoard) {
    let one = target("openai/no-such-model")
    for result in [
        AttemptResult.abandoned, .failed(.badKey, retryAfter: nil), .failed(.callerFault, retryAfter: nil),
        .gaveUp(after: .seconds(9)),
    ] {
        guard let ticket = granted(board.permit(one, at: .seconds(0))) else { continue }
        #expect(board.report(result, of: ticket, for: one, at: .seconds(0)) == .none)
    }
    #expect(board.states(at: .seconds(1)).isEmpty)
    #expect(board.status(of: one, at: .seconds(1)).position == .closed)
}

private func plansTakeNoSlot(_ board: any BreakerBoard) {
    let one = target("openai/a")
    let candidates = [Candidate(target: one, keys: []), Candidate(target: target("openai/b"), keys: [])]
    _ = trip(one, on: board, at: .seconds(0))
    for _ in 1...3 { #expect(board.outlooks(of: candidates, at: .seconds(10)) == [.probes, .passes]) }
    if case .probe = board.permit(one, at: .seconds(10)).permit {} else { Issue.record("no probe") }
    #expect(
        board.outlooks(of: candidates, at: .seconds(10))
            == [.refuses(.init(cause: .probing, retryAt: nil)), .passes])
}

private func firstContentCountsAtOnce(_ board: any BreakerBoard) throws {
    let one = target("openai/a")
    _ = trip(one, on: board, at: .seconds(0))
    for expected in [Breaker.Change.none, .none, .closed] {
        let ticket = try #require(granted(board.permit(one, at: .seconds(10))))
        #expect(board.confirm(ticket, for: one, at: .seconds(11)) == expected)
        #expect(
            board.report(.answeredAfter(.seconds(1)), of: ticket, for: one, at: .seconds(11)) == .none)
    }
    #expect(board.confirm(.first, for: target("openai/unknown"), at: .seconds(11)) == .none)
    #expect(board.status(of: one, at: .seconds(12)).window.calls == 0)
}

private func threeOwnersOpen(_ board: any BreakerBoard) {
    let one = target("openai/a")
    let changes = [1, 1, 2, 2, 3].map { number in
        board.rateLimited(
            one, owner: TenantID(high: 0, low: number), retryAfter: .seconds(20), at: .seconds(1))
    }
    #expect(changes == [.none, .none, .none, .none, .opened])
    #expect(board.status(of: one, at: .seconds(1)).nextProbe == .seconds(21))
}

import Domain
import Routing
import Testing

/// What free calls to a provider do to the breakers of its targets, and when it is asked next.
@Suite struct ProviderProbeTests {
    private static let here = target("openai/a")
    private static let other = target("openai/b")
    private static let elsewhere = target("groq/a")
    private let board = MemoryBreakerBoard()

    private func ask(
        _ finding: ProbeFinding, _ targets: [Target] = [here], at second: Double
    ) throws -> [BreakerShift] {
        board.probed(try ProviderName("openai"), finding, targets: targets, at: .seconds(second))
    }

    private func position(_ target: Target, at second: Double) -> BreakerPosition {
        board.status(of: target, at: .seconds(second)).position
    }

    /// An attempt's ticket; nil when refused.
    private func ticket(_ target: Target = here, at second: Double) -> Breaker.Ticket? {
        switch board.permit(target, at: .seconds(second)).permit {
        case .pass(let ticket), .probe(let ticket): ticket
        case .refuse: nil
        }
    }

    private func attempt(
        _ result: AttemptResult, _ target: Target = here, at second: Double
    ) throws -> Breaker.Change {
        board.report(
            result, of: try #require(ticket(target, at: second)), for: target, at: .seconds(second))
    }

    private func fail(_ count: Int, _ kind: FailureClass = .transport, at second: Double) throws {
        for _ in 0..<count { _ = try attempt(.failed(kind, retryAfter: nil), at: second) }
    }

    // MARK: Breakers

    @Test func `five probes without an answer open every target of the provider, before any call`() throws {
        for second in 1...4 {
            #expect(
                try ask(.unreachable(.transport), [Self.here, Self.other], at: Double(second)).isEmpty)
        }
        let shifts = try ask(.unreachable(.transport), [Self.here, Self.other], at: 5)
        #expect(shifts.map(\.target) == [Self.here, Self.other])
        #expect(shifts.allSatisfy { $0.change == .opened } && ticket(at: 5) == nil)
        let status = board.status(of: Self.here, at: .seconds(5))
        #expect(
            status.why
                == "5 free probes in a row without an answer, last transport (trip at 5); probe in 10s; needs 3 ok"
        )
        #expect(status.window.calls == 0, "a probe is no call")
        #expect(position(Self.elsewhere, at: 5) == .closed)
    }

    @Test func `probes and attempts without an answer count together`() throws {
        try fail(3, at: 1)
        #expect(try ask(.unreachable(.timeoutBeforeFirstByte), at: 2).isEmpty)
        #expect(try ask(.unreachable(.transport), at: 3).map(\.change) == [.opened])
        #expect(
            board.status(of: Self.here, at: .seconds(3)).why.hasPrefix(
                "2 free probes and 3 attempts in a row without an answer"))
    }

    @Test func `an answered call or an answered probe begins the count anew`() throws {
        for second in 1...4 { _ = try ask(.unreachable(.transport), at: Double(second)) }
        #expect(try attempt(.answered, at: 5) == .none)
        for second in 6...9 { #expect(try ask(.unreachable(.transport), at: Double(second)).isEmpty) }
        #expect(try ask(.reachable, at: 10).isEmpty)
        for second in 11...14 { #expect(try ask(.unreachable(.transport), at: Double(second)).isEmpty) }
        #expect(position(Self.here, at: 14) == .closed)
    }

    @Test func `an answered probe takes back no failed calls`() throws {
        try fail(4, at: 1)
        #expect(try ask(.reachable, at: 2).isEmpty)
        #expect(try attempt(.failed(.transport, retryAfter: nil), at: 3) == .opened)
    }

    @Test func `an answer after connect failures lets the next call try at once, one at a time`() throws {
        try fail(5, at: 0)
        #expect(ticket(at: 2) == nil)
        #expect(try ask(.reachable, at: 2).map(\.change) == [.halfOpened])
        let first = try #require(ticket(at: 2))
        #expect(first.probe != 0 && ticket(at: 2) == nil, "two calls tried at once")
        _ = board.report(.answered, of: first, for: Self.here, at: .seconds(3))
        _ = try attempt(.answered, at: 3)
        #expect(try attempt(.answered, at: 3) == .closed)
    }

    @Test func `the call that tried in vain is believed more than probes`() throws {
        try fail(5, at: 0)
        #expect(try ask(.reachable, at: 1).map(\.change) == [.halfOpened])
        #expect(try attempt(.failed(.transport, retryAfter: nil), at: 1) == .opened)
        // The second opening is twice as long, and no probe shortens it.
        for second in 2...20 { #expect(try ask(.reachable, at: Double(second)).isEmpty) }
        #expect(position(Self.here, at: 20.9) == .open && position(Self.here, at: 21) == .halfOpen)
    }

    @Test(arguments: [FailureClass.providerFault, .overloaded, .timeoutBeforeFirstByte])
    func `an opening for another reason is not ended by a probe`(kind: FailureClass) throws {
        var count = 0
        while position(Self.here, at: 0) == .closed, count < 20 {
            try fail(1, kind, at: 0)
            count += 1
        }
        #expect(position(Self.here, at: 0) == .open)
        #expect(try ask(.reachable, at: 1).isEmpty && position(Self.here, at: 1) == .open)
    }

    @Test func `what the provider asked for is a floor for probes too`() throws {
        try fail(4, at: 0)
        #expect(
            try attempt(.failed(.transport, retryAfter: .seconds(60)), at: 0) == .opened)
        #expect(try ask(.reachable, at: 30).isEmpty && position(Self.here, at: 30) == .open)
    }

    @Test(arguments: [BreakerHold.Mode.open, .closed, .asIs])
    func `a held breaker is left alone`(mode: BreakerHold.Mode) throws {
        _ = try attempt(.answered, at: 0)
        _ = board.hold(hold(mode, from: 0, to: 60), on: Self.here, at: .seconds(0), wall: .seconds(0))
        let held = position(Self.here, at: 1)
        for second in 1...20 {
            #expect(try ask(.unreachable(.transport), at: Double(second)).isEmpty)
            #expect(try ask(.reachable, at: Double(second)).isEmpty)
        }
        #expect(position(Self.here, at: 20) == held)
    }

    @Test func `a half-open breaker is tried by calls alone`() throws {
        try fail(5, at: 0)
        #expect(position(Self.here, at: 10) == .halfOpen)
        for second in 10...20 {
            #expect(
                try ask(.unreachable(.transport), at: Double(second)).allSatisfy { $0.change == .halfOpened })
        }
        #expect(position(Self.here, at: 20) == .halfOpen && ticket(at: 20)?.probe != 0)
    }

    @Test func `a reachable provider leaves no breakers behind`() throws {
        #expect(try ask(.reachable, at: 1).isEmpty && board.states(at: .seconds(1)).isEmpty)
        _ = try ask(.unreachable(.transport), [Self.here, Self.elsewhere], at: 1)
        #expect(board.states(at: .seconds(1)).map(\.target) == [Self.here])
    }

    // MARK: Findings and times

    @Test(arguments: [200, 204, 301, 400, 401, 403, 404, 429, 499])
    func `any answer below 500 shows that somebody is there`(status: Int) {
        #expect(ProbeFinding(status: status) == .reachable)
    }

    @Test(arguments: [500, 502, 503, 529])
    func `an answer of 500 and above is a failure`(status: Int) {
        #expect(ProbeFinding(status: status) != .reachable)
    }

    @Test func `waits lie around the interval, and are shorter while there is no answer`() {
        var random = SplitMix(seed: 11)
        var schedule = ProbeSchedule(interval: .seconds(30))
        let firsts = (0..<1_000).map { _ in schedule.wait(random.next()) }
        #expect(firsts.allSatisfy { $0 >= .zero && $0 <= .seconds(30) })
        #expect((firsts.min() ?? .zero) < .seconds(3) && (firsts.max() ?? .zero) > .seconds(27))
        func waits() -> (least: Duration, most: Duration) {
            let all = (0..<1_000).map { _ in schedule.wait(random.next()) }
            return (all.min() ?? .zero, all.max() ?? .zero)
        }
        schedule.note(.reachable)
        let calm = waits()
        #expect(calm.least >= .seconds(24) && calm.most <= .seconds(36) && calm.most > calm.least)
        schedule.note(.unreachable(.transport))
        #expect(schedule.failures == 1)
        let hurried = waits()
        #expect(hurried.least >= .seconds(6) && hurried.most <= .seconds(9))
        schedule.note(.reachable)
        #expect(schedule.failures == 0 && waits().least >= .seconds(24))
    }

    @Test func `a short interval is never made shorter than a second`() {
        var schedule = ProbeSchedule(interval: .seconds(2))
        schedule.note(.unreachable(.transport))
        #expect(schedule.wait(0) == .milliseconds(800) && schedule.wait(.max) > .seconds(1))
    }
}

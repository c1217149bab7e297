import Access
import Cache
import Domain
import Engine
import Limits
import Locking
import Operations
import Routing
import Storage
import Testing

/// Whatever calls do, and in whatever order they end, what they hold comes back.
@Suite struct PermitPropertyTests {
    /// One call as the test knows it.
    private struct Running {
        let session: CallSession
        let token: Int
        var isTrying = false
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `after any sequence of starts, attempts, cuts and refusals nothing is held`(
        seed: UInt64
    ) async throws {
        var random = SplitMix(seed: seed)
        let targets = try ["openai/gpt-6-sol", "second/x"].map { Route.Choice(target: try Target($0)) }
        let route = Route(model: try ModelName("pair"), choices: targets, hedgeAfter: .milliseconds(300))
        let house = try await EngineFixture(
            limits: LimitSet(requestsPerMinute: 400, tokensPerMinute: 4_000, parallel: 6),
            journalCapacity: 160,
            routes: [route])
        _ = try await house.addKey("sk-test-first-0123456789")
        _ = try await house.addKey("sk-test-second-0123456789", label: "other")
        let tokens = [
            try await house.issue("wide"), try await house.issue("narrow", limits: LimitSet(parallel: 2)),
            try await house.issue("picky", models: ["pair"], limits: LimitSet(requestsPerMinute: 20)),
        ]
        let tenant = LimitScope.tenant(try await house.tenant().id)
        let models = ["pair", "pair", "pair", "openai/gpt-6-sol", "second/x", "nobody/x"]
        var running: [Running] = []
        var admitted = 0
        for step in 0..<150 {
            switch random.next() % 8 {
            case 0...2:
                let token = Int(random.next() % 3)
                let call = try house.inbound(
                    models[Int(random.next() % 6)], tokens: Int64(random.next() % 60))
                switch house.decide(tokens[token].text, call) {
                case .forward(let session):
                    running.append(Running(session: session, token: token))
                    admitted += 1
                case .refuse(let failure):
                    // A call without a target was let in first, and is in the ledger.
                    if [.modelNotFound, .noTarget, .noProviderKey].contains(failure.code) { admitted += 1 }
                case .answer: Issue.record("nothing was cached")
                }
            case 3, 4: Self.goOn(&running, house, &random)
            case 5, 6: Self.end(&running, house, &random)
            default: house.clock.advance(.milliseconds(Int64(random.next() % 20_000)))
            }
            #expect(house.parts.inFlight.current == running.count, "seed \(seed), step \(step)")
            #expect(
                (house.use(of: tenant)?.inFlight ?? 0) == running.count, "seed \(seed), step \(step)")
            let narrow = running.count { $0.token == 1 }
            #expect(
                (house.use(of: .virtualKey(tokens[1].id))?.inFlight ?? 0) == narrow,
                "seed \(seed), step \(step)")
            #expect(running.count <= 6 && narrow <= 2, "seed \(seed), step \(step)")
        }
        while !running.isEmpty { Self.end(&running, house, &random) }
        #expect((house.use(of: tenant)?.inFlight ?? 0) == 0, "seed \(seed)")
        let rows = try house.rows()
        #expect(rows.count == admitted && Set(rows.map(\.call)).count == admitted, "seed \(seed)")
        try house.expectNothingHeld()
        // No probe is out: once every rest and every hold is over, calls go through again.
        house.clock.advance(.seconds(4_000))
        for row in rows.prefix(20) { try house.journal.confirm([row.call]) }
        let last = try house.forward(tokens[0], "openai/gpt-6-sol", tokens: 1)
        #expect(throws: Never.self, "seed \(seed)") { try last.attempt(at: house.clock.now) }
        last.settle(.answered(), at: house.clock.now)
        try house.expectNothingHeld()
    }

    /// One call begins an attempt, or hears how its attempt went.
    private static func goOn(_ running: inout [Running], _ house: EngineFixture, _ random: inout SplitMix) {
        guard !running.isEmpty else { return }
        let place = Int(random.next() % UInt64(running.count))
        let session = running[place].session
        guard running[place].isTrying else {
            switch session.next(at: house.clock.now) {
            case .send: running[place].isTrying = true
            case .pause: break
            case .fail(let failure):
                session.settle(.failed(failure), at: house.clock.now)
                running.remove(at: place)
            }
            return
        }
        if session.hedge(at: house.clock.now) != nil { return }
        if let hedge = session.underWay.second, random.next() % 2 == 0 {
            // One of the two is given up, or fails: the other goes on.
            let ended = random.next() % 2 == 0 ? session.underWay.first ?? hedge : hedge
            if random.next() % 2 == 0 {
                session.attemptAbandoned(ended, estimate: Usage(input: 3), at: house.clock.now)
            } else {
                session.fail(ended, .overloaded, at: house.clock.now)
            }
            return
        }
        guard session.underWay.second == nil else { return }
        running[place].isTrying = false
        let failures = FailureClass.allCases
        let draw = Int(random.next() % UInt64(failures.count * 2))
        if draw < failures.count {
            session.fail(failures[draw], at: house.clock.now)
        } else {
            session.firstByte(at: house.clock.now)
            session.attemptAnswered(status: 200, at: house.clock.now)
            session.settle(.answered(), at: house.clock.now)
            running.remove(at: place)
        }
    }

    /// One call ends, in the middle of an attempt or between two; now and then it is told so twice.
    private static func end(_ running: inout [Running], _ house: EngineFixture, _ random: inout SplitMix) {
        guard !running.isEmpty else { return }
        let gone = running.remove(at: Int(random.next() % UInt64(running.count))).session
        let ends: [CallEnd] = [.answered, .refused, .failed, .cut, .cancelled]
        let end = ends[Int(random.next() % UInt64(ends.count))]
        let ending = CallSession.Ending(
            end: end, status: 200, failure: nil, usage: nil, estimate: Usage(input: Int64(random.next() % 50))
        )
        gone.settle(ending, at: house.clock.now)
        if random.next() % 2 == 0 { gone.settle(ending, at: house.clock.now) }
    }
}

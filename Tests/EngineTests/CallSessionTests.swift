import Access
import Cache
import Domain
import Engine
import Events
import Limits
import Locking
import Metering
import Operations
import Routing
import Storage
import Testing

/// Attempts, and the one ending.
@Suite struct CallSessionTests {
    private static let first = "sk-test-first-0123456789"
    private static let second = "sk-test-second-0123456789"

    private static func route(_ targets: String...) throws -> Route {
        Route(
            model: try ModelName("pair"),
            choices: try targets.map { Route.Choice(target: try Target($0)) })
    }

    private func finishes(_ house: EngineFixture, _ feed: EventFeed) -> [GatewayEvent.CallFinish] {
        house.engine.pump()
        return feed.take().events.compactMap {
            if case .callFinished(let finish) = $0.event { finish } else { nil }
        }
    }

    @Test func `a call settles once, however often it is told to`() async throws {
        let house = try await EngineFixture(limits: LimitSet(tokensPerMinute: 100, parallel: 2))
        _ = try await house.addKey(Self.first)
        let token = try await house.issue()
        let tenant = LimitScope.tenant(try await house.tenant().id)
        let feed = house.engine.feed(depth: 100)
        let other = try house.forward(token)
        let session = try house.forward(token, tokens: 50)
        _ = try session.attempt(at: house.clock.now)
        session.attemptAnswered(status: 200, at: house.clock.now)
        let cost = session.settle(.answered(Usage(input: 3, output: 2)), at: house.clock.now)
        #expect(cost == (try house.rows().first?.cost) && cost != nil)
        for _ in 0..<3 {
            #expect(session.settle(.answered(Usage(input: 90)), at: house.clock.now) == nil)
        }
        #expect(house.use(of: tenant)?.inFlight == 1, "the other call's place was given back too")
        #expect(house.use(of: tenant)?.tokensLeft == 100 - 10 - 5)
        #expect(house.parts.inFlight.current == 1)
        #expect(try house.rows().map(\.usage) == [Usage(input: 3, output: 2)])
        #expect(finishes(house, feed).count == 1)
        other.settle(.answered(), at: house.clock.now)
        try house.expectNothingHeld()
    }

    @Test func `an attempt that was under way when its call settled is abandoned, and frees its probe`()
        async throws
    {
        let house = try await EngineFixture()
        let key = try await house.addKey(Self.first)
        let token = try await house.issue()
        let target = try Target("openai/gpt-6-sol")
        // Five silent attempts open the breaker; ten seconds later it lets one probe through.
        for _ in 0..<5 {
            let session = try house.forward(token)
            _ = try session.attempt(at: house.clock.now)
            session.fail(.transport, at: house.clock.now)
            session.settle(.answered(), at: house.clock.now)
        }
        #expect(house.parts.breakers.status(of: target, at: house.clock.now).position == .open)
        house.clock.advance(.seconds(11))
        let probe = try house.forward(token)
        _ = try probe.attempt(at: house.clock.now)
        #expect(try house.refusal(token.text)?.code == .noTarget, "two probes at a time")
        probe.settle(
            .init(end: .cancelled, status: 499, failure: .cancelled, usage: nil, estimate: nil),
            at: house.clock.now)
        let next = try house.forward(token)
        #expect(try next.attempt(at: house.clock.now).key?.id == key)
        try house.rows().last.map { #expect($0.status == 499 && $0.attempts == 1) }
        next.settle(.answered(), at: house.clock.now)
        try house.expectNothingHeld()
    }

    @Test func `the newest active key comes first, another active one next, a draining one last`()
        async throws
    {
        let house = try await EngineFixture()
        let old = try await house.addKey(Self.first)
        house.clock.advance(.seconds(1))
        let other = try await house.addKey("sk-test-other-0123456789", label: "other")
        house.clock.advance(.seconds(1))
        try await house.give(.keyRotate(key: old, drainSeconds: 600, acceptUnverified: false), Self.second)
        let new = try #require(try await house.stored().first { $0.predecessor == old }).id
        let token = try await house.issue()
        let session = try house.forward(token)
        var tried: [ProviderKeyID?] = []
        for _ in 0..<3 {
            tried.append(try session.attempt(at: house.clock.now).key?.id)
            session.fail(.badKey, status: 401, at: house.clock.now)
        }
        #expect(tried == [new, other, old])
        #expect(throws: CallFailure.self) { try session.attempt(at: house.clock.now) }
        session.settle(.answered(), at: house.clock.now)
    }

    @Test func `a fault goes to the next target, a refused key to the next key, a bad request nowhere`()
        async throws
    {
        let route = try Self.route("openai/gpt-6-sol", "second/x")
        let house = try await EngineFixture(routes: [route])
        let older = try await house.addKey(Self.first)
        house.clock.advance(.seconds(1))
        let newer = try await house.addKey(Self.second, label: "newer")
        let token = try await house.issue()
        func tries(after failure: FailureClass) throws -> [String] {
            let session = try house.forward(token, "pair")
            defer { session.settle(.answered(), at: house.clock.now) }
            var seen: [String] = []
            while case .send(let attempt) = session.next(at: house.clock.now), seen.count < 10 {
                let key = attempt.key.map { $0.id == newer ? " newer" : $0.id == older ? " older" : " ?" }
                seen.append("\(attempt.target.provider)\(key ?? "")")
                session.fail(failure, at: house.clock.now)
            }
            house.clock.advance(.seconds(700))
            return seen
        }
        #expect(try tries(after: .overloaded) == ["openai newer", "second"])
        #expect(try tries(after: .badKey) == ["openai newer", "openai older", "second"])
        #expect(try tries(after: .callerFault) == ["openai newer"])
        #expect(try tries(after: .contextWindow) == ["openai newer"])
    }

    @Test func `a key that could not even be tried makes room for one that the plan had left out`()
        async throws
    {
        let route = try Self.route("openai/gpt-6-sol", "second/x", "second/y")
        let house = try await EngineFixture(options: PathOptions(attempts: 3), routes: [route])
        let older = try await house.addKey(Self.first)
        house.clock.advance(.seconds(1))
        let newer = try await house.addKey(Self.second, label: "newer")
        try await house.give(
            .limitSet(
                tenant: try TenantName("acme"), owner: .providerKey(newer), limits: LimitSet(parallel: 1)))
        let token = try await house.issue()
        let first = try house.forward(token, "pair")
        #expect(try first.attempt(at: house.clock.now).key?.id == newer)
        // The newer key is at its ceiling; with three targets and three attempts the plan has no place for the older.
        let session = try house.forward(token, "pair")
        var tried: [String] = []
        for _ in 0..<3 {
            let attempt = try session.attempt(at: house.clock.now)
            tried.append("\(attempt.target) \(attempt.key?.id == older)")
            session.fail(.providerFault, status: 500, at: house.clock.now)
        }
        #expect(tried == ["second/x false", "second/y false", "openai/gpt-6-sol true"])
        guard case .fail = session.next(at: house.clock.now) else {
            Issue.record("a fourth attempt")
            return
        }
        session.settle(.answered(), at: house.clock.now)
        first.settle(.answered(), at: house.clock.now)
        try house.expectNothingHeld()
    }

    @Test func `the last resort is tried once more after a pause, and then the failure is told`() async throws
    {
        let house = try await EngineFixture()
        _ = try await house.addKey(Self.first)
        let token = try await house.issue()
        let session = try house.forward(token)
        _ = try session.attempt(at: house.clock.now)
        session.fail(.providerFault, status: 500, at: house.clock.now)
        guard case .pause(let pause) = session.next(at: house.clock.now) else {
            Issue.record("no pause")
            return
        }
        #expect(pause <= .milliseconds(50))
        #expect(try session.attempt(at: house.clock.now).number == 2)
        session.fail(.providerFault, status: 500, at: house.clock.now)
        guard case .fail(let failure) = session.next(at: house.clock.now) else {
            Issue.record("a third attempt")
            return
        }
        session.settle(.failed(failure), at: house.clock.now)
        #expect(try house.rows().first?.attempts == 2)
    }

    @Test func `no attempt begins after the call's time, the gateway's or the caller's own`() async throws {
        let house = try await EngineFixture()
        _ = try await house.addKey(Self.first)
        let token = try await house.issue()
        for (timeout, seconds) in [(nil, 600), (Duration.seconds(5), 5), (.seconds(7_000), 600)] {
            let decision = house.decide(token.text, try house.inbound(timeout: timeout))
            guard case .forward(let session) = decision else {
                Issue.record("not forwarded: \(decision)")
                return
            }
            let attempt = try session.attempt(at: house.clock.now)
            #expect(attempt.timeouts.total == .seconds(seconds))
            #expect(attempt.timeouts.firstByte == .seconds(min(60, seconds)))
            house.clock.advance(.seconds(seconds))
            session.fail(.timeoutBeforeFirstByte, at: house.clock.now)
            guard case .fail(let failure) = session.next(at: house.clock.now) else {
                Issue.record("an attempt after the end")
                return
            }
            #expect(failure.code == .deadlineExceeded && failure.message.contains("\(seconds) s"))
            session.settle(.failed(failure), at: house.clock.now)
            house.clock.advance(.seconds(60))
        }
    }

    @Test func `what a call used is recorded as it was told: reported, estimated, or nothing`() async throws {
        let house = try await EngineFixture()
        _ = try await house.addKey(Self.first)
        let token = try await house.issue()
        for (usage, estimate) in [
            (Usage(input: 7), Usage(input: 1)), (nil, Usage(input: 9)), (nil, nil),
        ] as [(Usage?, Usage?)] {
            let session = try house.forward(token)
            _ = try session.attempt(at: house.clock.now)
            session.attemptAnswered(status: 200, at: house.clock.now)
            session.settle(
                .init(end: .answered, status: 200, failure: nil, usage: usage, estimate: estimate),
                at: house.clock.now)
        }
        let rows = try house.rows()
        #expect(rows.map(\.usageSource) == [.reported, .estimated, .none])
        #expect(rows.map(\.usage) == [Usage(input: 7), Usage(input: 9), Usage()])
        let prices = house.parts.directory.load().prices
        let price = try #require(
            prices.price(provider: house.provider.name, model: try ModelName("gpt-6-sol"), kind: .openai))
        #expect(rows[0].cost == prices.cost(of: Usage(input: 7), at: price) && rows[2].cost == .zero)
    }

    @Test func `a model without a price costs an unknown amount, not nothing`() async throws {
        let house = try await EngineFixture()
        let token = try await house.issue()
        try house.answer(try house.forward(token, "second/in-house"))
        let row = try #require(try house.rows().first)
        #expect(row.cost == nil && row.usage.total == 5)
    }
}

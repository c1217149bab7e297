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

/// A second attempt beside a slow one.
@Suite struct HedgeTests {
    private static let first = "sk-test-first-0123456789"
    private static let second = "sk-test-second-0123456789"
    private static let patience = Duration.milliseconds(300)

    private static func route(_ targets: [String], lastResort: String? = nil) throws -> Route {
        Route(
            model: try ModelName("pair"),
            choices: try targets.map { Route.Choice(target: try Target($0)) },
            lastResort: try lastResort.map { try Target($0) }, hedgeAfter: patience)
    }

    private static let both = ["openai/gpt-6-sol", "second/x"]

    private func house(
        _ targets: [String] = both, lastResort: String? = nil, options: PathOptions = PathOptions(),
        gates: ConcurrencyGates = ConcurrencyGates()
    ) async throws -> EngineFixture {
        let house = try await EngineFixture(
            options: options, routes: [try Self.route(targets, lastResort: lastResort)], gates: gates)
        _ = try await house.addKey(Self.first)
        return house
    }

    /// A call whose first attempt has run for as long as the route is patient.
    private func slow(_ house: EngineFixture, _ token: Token) throws -> (CallSession, CallSession.Attempt) {
        let session = try house.forward(token, "pair")
        let attempt = try session.attempt(at: house.clock.now)
        #expect(session.hedgeAfter == Self.patience)
        house.clock.advance(Self.patience)
        return (session, attempt)
    }

    private func finish(_ house: EngineFixture, _ feed: EventFeed) throws -> GatewayEvent.CallFinish {
        house.engine.pump()
        return try #require(
            feed.take().events.compactMap {
                if case .callFinished(let finish) = $0.event { finish } else { nil }
            }.last)
    }

    /// Nothing of an attempt is left: no place at a gate, no attempt on a gauge, no call in flight.
    private func expectIdle(_ house: EngineFixture) throws {
        try house.expectNothingHeld()
        #expect(house.parts.gates.load.running == 0 && house.parts.gauges.running == 0)
    }

    @Test func `without hedging on its route no call begins a second attempt`() async throws {
        let house = try await EngineFixture()
        _ = try await house.addKey(Self.first)
        _ = try await house.addKey(Self.second, label: "other")
        let session = try house.forward(try await house.issue())
        _ = try session.attempt(at: house.clock.now)
        house.clock.advance(.seconds(30))
        #expect(session.hedgeAfter == nil)
        #expect(session.hedge(at: house.clock.now) == nil)
        session.settle(.answered(), at: house.clock.now)
    }

    @Test func `the hedge goes to the next target, wins, and the slow attempt is nobody's fault`()
        async throws
    {
        let house = try await house()
        let feed = house.engine.feed(depth: 100)
        let (session, slow) = try slow(house, try await house.issue())
        let hedge = try #require(session.hedge(at: house.clock.now))
        #expect(hedge.target == (try Target("second/x")) && hedge.number == 2)
        #expect(house.parts.gates.load.running == 2 && house.parts.gauges.running == 2)
        #expect(session.hedgeAfter == nil && session.hedge(at: house.clock.now) == nil, "a third attempt")
        house.clock.advance(.milliseconds(50))
        session.attemptAbandoned(slow, estimate: Usage(input: 8), at: house.clock.now)
        session.firstByte(of: hedge, at: house.clock.now)
        #expect(house.parts.gates.load.running == 1 && house.parts.gauges.running == 1)
        session.attemptAnswered(hedge, status: 200, at: house.clock.now)
        session.settle(.answered(Usage(input: 3, output: 2)), at: house.clock.now)
        let finish = try finish(house, feed)
        #expect(finish.attempts.map(\.target.description) == Self.both)
        #expect(finish.attempts.map(\.failure) == [.cancelled, nil])
        #expect(finish.attempts.map(\.startMicroseconds) == [0, 300_000])
        #expect(finish.attempts.map(\.microseconds) == [350_000, 50_000])
        #expect(finish.row.target == hedge.target && finish.row.attempts == 2 && finish.row.status == 200)
        for target in [slow.target, hedge.target] {
            let status = house.parts.breakers.status(of: target, at: house.clock.now)
            #expect(status.window.failures == 0 && status.position == .closed)
        }
        try expectIdle(house)
    }

    @Test func `the loser's possible cost stands on the row as an estimate at its own price`() async throws {
        let house = try await house(["openai/gpt-6-sol", "openai/gpt-6-luna"])
        let (session, slow) = try slow(house, try await house.issue())
        let hedge = try #require(session.hedge(at: house.clock.now))
        session.attemptAbandoned(slow, estimate: Usage(input: 1_000), at: house.clock.now)
        session.attemptAnswered(hedge, status: 200, at: house.clock.now)
        let cost = session.settle(.answered(Usage(input: 30, output: 20)), at: house.clock.now)
        let row = try #require(try house.rows().first)
        #expect(row.usage == Usage(input: 1_030, output: 20) && row.usageSource == .estimated)
        let prices = house.parts.directory.load().prices
        func price(_ model: String, _ usage: Usage) throws -> Money {
            let entry = try #require(
                prices.price(provider: house.provider.name, model: try ModelName(model), kind: .openai))
            return prices.cost(of: usage, at: entry)
        }
        let want = try price("gpt-6-luna", Usage(input: 30, output: 20))
        #expect(row.cost == want + (try price("gpt-6-sol", Usage(input: 1_000))) && cost == row.cost)
    }

    @Test func `a loser that cost nothing leaves the reported figures as they are`() async throws {
        let house = try await house()
        let (session, slow) = try slow(house, try await house.issue())
        let hedge = try #require(session.hedge(at: house.clock.now))
        // Its request had not left.
        session.attemptAbandoned(hedge, estimate: nil, at: house.clock.now)
        session.attemptAnswered(slow, status: 200, at: house.clock.now)
        session.settle(.answered(Usage(input: 3, output: 2)), at: house.clock.now)
        let row = try #require(try house.rows().first)
        #expect(row.usage == Usage(input: 3, output: 2) && row.usageSource == .reported)
        #expect(row.target == slow.target && row.attempts == 2)
        try expectIdle(house)
    }

    @Test func `when one fails the other goes on and counts`() async throws {
        let house = try await house()
        let token = try await house.issue()
        for failsFirst in [true, false] {
            let (session, slow) = try slow(house, token)
            let hedge = try #require(session.hedge(at: house.clock.now))
            let (failed, left) = failsFirst ? (slow, hedge) : (hedge, slow)
            session.fail(failed, .overloaded, status: 529, at: house.clock.now)
            #expect(session.underWay.only?.number == left.number)
            session.firstByte(of: left, at: house.clock.now)
            session.attemptAnswered(left, status: 200, at: house.clock.now)
            session.settle(.answered(), at: house.clock.now)
            let row = try #require(try house.rows().last)
            #expect(row.target == left.target && row.attempts == 2 && row.usageSource == .reported)
            house.clock.advance(.seconds(60))
        }
        try expectIdle(house)
    }

    @Test func `when both fail the call goes on with what is left, and one hedge was all`() async throws {
        let house = try await house(["openai/gpt-6-sol", "second/x", "second/y"])
        let feed = house.engine.feed(depth: 100)
        let (session, slow) = try slow(house, try await house.issue())
        let hedge = try #require(session.hedge(at: house.clock.now))
        session.fail(hedge, .providerFault, status: 500, at: house.clock.now)
        session.fail(slow, .timeoutBeforeFirstByte, at: house.clock.now)
        let third = try session.attempt(at: house.clock.now)
        #expect(third.target == (try Target("second/y")) && third.number == 3)
        house.clock.advance(Self.patience)
        #expect(session.hedgeAfter == nil && session.hedge(at: house.clock.now) == nil)
        session.attemptAnswered(third, status: 200, at: house.clock.now)
        session.settle(.answered(), at: house.clock.now)
        let finish = try finish(house, feed)
        #expect(finish.attempts.map(\.failure) == [.timeoutBeforeFirstByte, .providerFault, nil])
        try expectIdle(house)
    }

    @Test func `a provider's word on the call itself stands when the attempt beside it breaks`() async throws
    {
        let house = try await house()
        let (session, slow) = try slow(house, try await house.issue())
        let hedge = try #require(session.hedge(at: house.clock.now))
        session.attemptFailed(
            hedge, .callerFault, status: 400, retryAfter: nil,
            face: CallFailure(.upstreamRefused, source: .caller, "too hot", status: 400),
            at: house.clock.now)
        session.fail(slow, .transport, at: house.clock.now)
        guard case .fail(let failure) = session.next(at: house.clock.now) else {
            Issue.record("tried again although the request was refused")
            return
        }
        #expect(failure.status == 400 && failure.message == "too hot")
        session.settle(.failed(failure), at: house.clock.now)
        try expectIdle(house)
    }

    @Test func `a hedge counts against the attempts of its call`() async throws {
        var options = PathOptions()
        options.attempts = 1
        let one = try await house(options: options)
        let (lonely, _) = try slow(one, try await one.issue())
        #expect(lonely.hedge(at: one.clock.now) == nil)
        lonely.settle(.answered(), at: one.clock.now)
        options.attempts = 2
        let two = try await house(["openai/gpt-6-sol", "second/x", "second/y"], options: options)
        let (session, slow) = try slow(two, try await two.issue())
        let hedge = try #require(session.hedge(at: two.clock.now))
        session.fail(slow, .overloaded, at: two.clock.now)
        session.fail(hedge, .overloaded, at: two.clock.now)
        guard case .fail(let failure) = session.next(at: two.clock.now) else {
            Issue.record("a third attempt of two")
            return
        }
        session.settle(.failed(failure), at: two.clock.now)
        try expectIdle(two)
    }

    @Test func `hedges are a share of the traffic, however slow a provider is`() async throws {
        let house = try await house()
        let token = try await house.issue()
        var hedges = 0
        for _ in 0..<200 {
            let (session, slow) = try slow(house, token)
            if let hedge = session.hedge(at: house.clock.now) {
                hedges += 1
                session.attemptAbandoned(hedge, estimate: nil, at: house.clock.now)
            }
            session.attemptAnswered(slow, status: 200, at: house.clock.now)
            session.settle(.answered(), at: house.clock.now)
            try house.journal.confirm(house.rows().map(\.call))
        }
        // 33 calls in any ten seconds, of which a fifth, or ten, may be made twice.
        #expect(hedges >= 60 && hedges <= 70, "\(hedges) of 200")
        try expectIdle(house)
    }

    @Test func `a route of one target hedges with another key there, never with the same`() async throws {
        let house = try await house(["openai/gpt-6-sol"])
        let token = try await house.issue()
        let (alone, _) = try slow(house, token)
        #expect(alone.hedge(at: house.clock.now) == nil, "the only key was used twice")
        alone.settle(.answered(), at: house.clock.now)
        _ = try await house.addKey(Self.second, label: "other")
        let (session, slow) = try slow(house, token)
        let hedge = try #require(session.hedge(at: house.clock.now))
        #expect(hedge.target == slow.target && hedge.key != nil && hedge.key?.id != slow.key?.id)
        session.attemptAbandoned(slow, estimate: nil, at: house.clock.now)
        session.attemptAnswered(hedge, status: 200, at: house.clock.now)
        session.settle(.answered(), at: house.clock.now)
        try expectIdle(house)
    }

    @Test func `where the route has several targets no other key of the slow one is used`() async throws {
        let house = try await house()
        _ = try await house.addKey(Self.second, label: "other")
        let (session, slow) = try slow(house, try await house.issue())
        let hedge = try #require(session.hedge(at: house.clock.now))
        #expect(hedge.target != slow.target)
        session.settle(.answered(), at: house.clock.now)
        // And none where that other target is out.
        try await house.give(.breakerTrip(target: try Target("second/x"), seconds: 60, reason: "test"))
        let (other, _) = try self.slow(house, try await house.issue("again"))
        #expect(other.hedge(at: house.clock.now) == nil)
        other.settle(.answered(), at: house.clock.now)
        try expectIdle(house)
    }

    @Test func `a hedge waits for no room, and leaves a crowded target to a later attempt`() async throws {
        var gate = ConcurrencyGate.Options()
        gate.first = 1
        let house = try await house(gates: ConcurrencyGates(options: gate))
        let token = try await house.issue()
        let blocker = try house.forward(token, "second/x")
        let running = try blocker.attempt(at: house.clock.now)
        let (session, slow) = try slow(house, token)
        #expect(session.hedge(at: house.clock.now) == nil)
        blocker.attemptAnswered(running, status: 200, at: house.clock.now)
        blocker.settle(.answered(), at: house.clock.now)
        session.fail(slow, .overloaded, at: house.clock.now)
        #expect(try session.attempt(at: house.clock.now).target == running.target)
        session.settle(.answered(), at: house.clock.now)
        try expectIdle(house)
    }

    @Test func `a call that settles with two attempts under way gives back both`() async throws {
        let house = try await house()
        let feed = house.engine.feed(depth: 100)
        let (session, slow) = try slow(house, try await house.issue())
        let hedge = try #require(session.hedge(at: house.clock.now))
        session.attemptAbandoned(hedge, estimate: Usage(input: 5), at: house.clock.now)
        session.settle(
            .init(
                end: .cancelled, status: 499, failure: .cancelled, usage: nil, estimate: Usage(input: 5)),
            at: house.clock.now)
        let finish = try finish(house, feed)
        #expect(finish.row.usage == Usage(input: 10) && finish.row.usageSource == .estimated)
        #expect(finish.row.target == slow.target)
        #expect(finish.attempts.map(\.failure) == [.cancelled, .cancelled])
        try expectIdle(house)
        // Dropped without a word of either, as by a fault of ours.
        let (other, _) = try self.slow(house, try await house.issue("again"))
        #expect(other.hedge(at: house.clock.now) != nil)
        other.settle(.answered(), at: house.clock.now)
        try expectIdle(house)
    }

    @Test func `the limits of both keys are charged, each with its own part`() async throws {
        let house = try await house(["openai/gpt-6-sol"])
        _ = try await house.addKey(Self.second, label: "other")
        let keys = try await house.stored().map(\.id)
        for key in keys {
            try await house.give(
                .limitSet(
                    tenant: try TenantName("acme"), owner: .providerKey(key),
                    limits: LimitSet(tokensPerMinute: 1_000, parallel: 4)))
        }
        let (session, slow) = try slow(house, try await house.issue())
        let hedge = try #require(session.hedge(at: house.clock.now))
        #expect(keys.allSatisfy { house.use(of: .providerKey($0))?.inFlight == 1 })
        session.attemptAbandoned(slow, estimate: Usage(input: 100), at: house.clock.now)
        session.attemptAnswered(hedge, status: 200, at: house.clock.now)
        session.settle(.answered(Usage(input: 30, output: 20)), at: house.clock.now)
        #expect(keys.allSatisfy { house.use(of: .providerKey($0))?.inFlight == 0 })
        let left = keys.map { house.use(of: .providerKey($0))?.tokensLeft ?? 0 }
        // A thousand a minute are five in the time for which the first one ran.
        #expect(Set(left) == [905, 950], "\(left)")
        try expectIdle(house)
    }

    @Test func `a drill meets the hedge too, and neither says anything of its provider`() async throws {
        var routing = RoutingSettings()
        routing.drillTenants = [try TenantName("acme")]
        let house = try await EngineFixture(routes: [try Self.route(Self.both)], routing: routing)
        _ = try await house.addKey(Self.first)
        try await house.give(
            .drillStart(
                tenant: try TenantName("acme"), fault: .stall, percent: 100, minutes: 5, reason: "test"))
        let feed = house.engine.feed(depth: 100)
        let (session, slow) = try slow(house, try await house.issue())
        let hedge = try #require(session.hedge(at: house.clock.now))
        #expect(slow.drill == .stall && hedge.drill == .stall)
        session.fail(hedge, .timeoutBeforeFirstByte, at: house.clock.now)
        session.attemptAbandoned(slow, estimate: nil, at: house.clock.now)
        session.settle(.answered(), at: house.clock.now)
        #expect(try finish(house, feed).drill)
        for target in [slow.target, hedge.target] {
            #expect(house.parts.breakers.status(of: target, at: house.clock.now).window.failures == 0)
        }
        try expectIdle(house)
    }

    @Test func `no hedge makes the platform pay for a call that went out at the tenant's own cost`()
        async throws
    {
        var routing = RoutingSettings()
        routing.platform = try TenantName("house")
        let targets = ["second/x", "openai/gpt-6-sol"]
        let house = try await EngineFixture(routes: [try Self.route(targets)], routing: routing)
        try await house.give(.tenantAdd(name: try TenantName("house"), limits: LimitSet()))
        try await house.give(
            .keyAdd(
                tenant: try TenantName("house"), provider: house.provider.name, label: try Label("main"),
                acceptUnverified: false), Self.first)
        try await house.give(
            .tenantPlatformKeys(name: try TenantName("acme"), used: true))
        let token = try await house.issue()
        let (session, slow) = try slow(house, token)
        #expect(session.payer(of: slow) == .tenant && session.hedge(at: house.clock.now) == nil)
        // As a later attempt the platform's key serves, which the tenant has agreed to.
        session.fail(slow, .overloaded, at: house.clock.now)
        let later = try session.attempt(at: house.clock.now)
        #expect(session.payer(of: later) == .platform)
        session.settle(.answered(), at: house.clock.now)
        try expectIdle(house)
    }
}

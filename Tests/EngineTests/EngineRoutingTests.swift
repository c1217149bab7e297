import Domain
import Engine
import Events
import Limits
import Locking
import Operations
import Routing
import Testing

/// Where calls go: constraints, reserves, whose key, and what is said of it.
@Suite struct EngineRoutingTests {
    private static let key = "sk-test-routing-0123456789"

    private static func route(
        _ targets: [String], _ strategy: RoutingStrategyName = .priority, weights: [Int] = [],
        constraints: RouteConstraints = .init(), lastResort: String? = nil, overflow: [String] = [],
        policy: [String] = []
    ) throws -> Route {
        Route(
            model: try ModelName("smart"), strategy: strategy,
            choices: try targets.enumerated().map {
                Route.Choice(target: try Target($1), weight: weights.isEmpty ? 1 : weights[$0])
            }, constraints: constraints, lastResort: try lastResort.map { try Target($0) },
            onContextOverflow: try overflow.map { try Target($0) },
            onContentPolicy: try policy.map { try Target($0) })
    }

    private func house(
        _ route: Route, routing: RoutingSettings = .init()
    ) async throws -> (EngineFixture, Token) {
        let house = try await EngineFixture(routes: [route], routing: routing)
        _ = try await house.addKey(Self.key)
        return (house, try await house.issue())
    }

    private func forward(
        _ house: EngineFixture, _ token: Token, _ wishes: CallWishes, tokens: Int64 = 1_000
    ) throws -> Decision {
        let call = InboundCall(
            id: .random(), dialect: .openAIChat, model: try ModelName("smart"), streamed: false,
            estimatedTokens: tokens, estimatedOutput: 100, wishes: wishes, bodyDigest: nil,
            cache: .init(), tags: "", timeout: nil, received: house.clock.now, at: house.clock.wall)
        return house.decide(token.text, call)
    }

    @Test func `a call's own constraints hold besides the route's, and nothing left is told as the caller's`()
        async throws
    {
        var constraints = RouteConstraints()
        constraints.deniedProviders = [try ProviderName("second")]
        let (house, token) = try await house(
            Self.route(["openai/gpt-6-sol", "second/gpt-6-sol"], constraints: constraints))
        let session = try house.forward(token, "smart")
        #expect(try session.attempt(at: house.clock.now).target.provider.text == "openai")
        session.settle(.answered(), at: house.clock.now)

        var wishes = CallWishes()
        try wishes.readRoute(header: "deny=openai")
        guard case .refuse(let failure) = try forward(house, token, wishes) else {
            Issue.record("not refused")
            return
        }
        #expect(failure.status == 400 && failure.message.contains("openai is denied"), "\(failure)")
        try house.expectNothingHeld()
    }

    @Test(arguments: [
        "deny", "deny=", "price=1", "allow=o penai", "max-usd=1,5", "regions", "requires=magic",
        "min-context=0",
    ])
    func `a bad routing header is refused by name`(header: String) {
        var wishes = CallWishes()
        #expect(throws: CallFailure.self) { try wishes.readRoute(header: header) }
    }

    @Test func `a model that cannot do what the call asks for is left out`() async throws {
        var routing = RoutingSettings()
        routing.traits = [ModelTraits(pattern: "second/*", lacks: .vision, context: 100)]
        let (house, token) = try await house(
            Self.route(["second/small", "openai/gpt-6-sol"]), routing: routing)
        var wishes = CallWishes()
        wishes.needs = .vision
        guard case .forward(let session) = try forward(house, token, wishes) else {
            Issue.record("not forwarded")
            return
        }
        #expect(try session.attempt(at: house.clock.now).target.provider.text == "openai")
        session.settle(.answered(), at: house.clock.now)
        // 1,900 tokens are far over 100, and need nothing else.
        guard case .forward(let long) = try forward(house, token, CallWishes(), tokens: 2_000) else {
            Issue.record("not forwarded")
            return
        }
        #expect(try long.attempt(at: house.clock.now).target.provider.text == "openai")
        long.settle(.answered(), at: house.clock.now)
    }

    @Test
    func
        `a call far too long for a model goes past it, unless files make it long`()
        async throws
    {
        let (house, token) = try await house(Self.route(["openai/gpt-4o", "openai/gpt-6-sol"]))
        func model(_ wishes: CallWishes, tokens: Int64) throws -> String {
            guard case .forward(let session) = try forward(house, token, wishes, tokens: tokens) else {
                return "not forwarded"
            }
            defer { session.settle(.answered(), at: house.clock.now) }
            return try session.attempt(at: house.clock.now).target.model.text
        }
        // gpt-4o reads 128,000 tokens, and the estimate may be twice too high.
        #expect(try model(CallWishes(), tokens: 250_000) == "gpt-4o")
        #expect(try model(CallWishes(), tokens: 260_000) == "gpt-6-sol")
        var wishes = CallWishes()
        wishes.inlinesData = true
        #expect(try model(wishes, tokens: 260_000) == "gpt-4o")
        wishes.constraints.contextLeast = 200_000
        #expect(try model(wishes, tokens: 1_000) == "gpt-6-sol")
        try house.expectNothingHeld()
    }

    @Test func `the plan that calls share gives way to a breaker, a key's health and a new key`()
        async throws
    {
        let (house, token) = try await house(Self.route(["openai/gpt-6-sol", "second/gpt-6-sol"]))
        let first = try Target("openai/gpt-6-sol")
        func attempt() throws -> CallSession.Attempt {
            let session = try house.forward(token, "smart")
            defer { session.settle(.answered(), at: house.clock.now) }
            return try session.attempt(at: house.clock.now)
        }
        let usual = try attempt()
        #expect(usual.target == first && usual.key != nil)

        let hold = BreakerHold(
            mode: .open, owner: "a test", reason: "held", since: house.clock.wall,
            ends: house.clock.wall + .seconds(60))
        _ = house.parts.breakers.hold(hold, on: first, at: house.clock.now, wall: house.clock.wall)
        #expect(try attempt().target.provider.text == "second")
        _ = house.parts.breakers.release(first, at: house.clock.now)
        #expect(try attempt().target == first)

        let key = try #require(usual.key?.id)
        _ = house.parts.credentials.note(
            .rejected, on: key, for: first.model, began: house.clock.now, at: house.clock.now, retryAfter: nil
        )
        #expect(try attempt().target.provider.text == "second")
        _ = house.parts.credentials.clear(key)
        #expect(try attempt().key?.id == key)

        house.clock.advance(.seconds(1))
        _ = try await house.addKey(Self.key + "-newer", label: "newer")
        let newer = try attempt()
        #expect(newer.target == first && newer.key?.id != key && newer.key != nil)
        try house.expectNothingHeld()
    }

    @Test func `a call that is too long for one model goes to the route's longer one`() async throws {
        let (house, token) = try await house(
            Self.route(["openai/gpt-6-sol"], overflow: ["second/long"], policy: ["second/loose"]))
        for (failure, model) in [(FailureClass.contextWindow, "long"), (.contentPolicy, "loose")] {
            let session = try house.forward(token, "smart")
            _ = try session.attempt(at: house.clock.now)
            session.fail(failure, status: 400, at: house.clock.now)
            #expect(try session.attempt(at: house.clock.now).target.model.text == model)
            session.fail(failure, status: 400, at: house.clock.now)
            guard case .fail = session.next(at: house.clock.now) else {
                Issue.record("the reserve is tried twice")
                return
            }
            session.settle(.answered(), at: house.clock.now)
        }
        try house.expectNothingHeld()
    }

    @Test func `the last resort is tried when everything else is out, and only then`() async throws {
        let (house, token) = try await house(
            Self.route(["openai/gpt-6-sol"], lastResort: "second/reserve"))
        let target = try Target("openai/gpt-6-sol")
        let session = try house.forward(token, "smart")
        #expect(try session.attempt(at: house.clock.now).target == target)
        session.fail(.keyQuota, status: 402, at: house.clock.now)
        #expect(try session.attempt(at: house.clock.now).target.provider.text == "second")
        session.attemptAnswered(status: 200, at: house.clock.now)
        session.settle(.answered(), at: house.clock.now)

        try await house.give(.breakerTrip(target: target, seconds: 60, reason: "test"))
        let next = try house.forward(token, "smart")
        #expect(try next.attempt(at: house.clock.now).target.provider.text == "second")
        next.attemptAnswered(status: 200, at: house.clock.now)
        next.settle(.answered(), at: house.clock.now)
        try house.expectNothingHeld()
    }

    @Test(arguments: [FailureClass.callerFault, .contextWindow, .unknownRefusal, .cancelled])
    func `a call that was refused itself goes to no last resort, and frees what it held`(
        refusal: FailureClass
    ) async throws {
        let (house, token) = try await house(
            Self.route(["openai/gpt-6-sol"], lastResort: "second/reserve"))
        let session = try house.forward(token, "smart")
        _ = try session.attempt(at: house.clock.now)
        session.fail(refusal, at: house.clock.now)
        guard case .fail(let failure) = session.next(at: house.clock.now) else {
            Issue.record("one more attempt")
            return
        }
        session.settle(.failed(failure), at: house.clock.now)
        #expect(house.parts.gauges.running == 0 && house.parts.gates.load == (0, 0))
        try house.expectNothingHeld()
    }

    @Test func `a call that was refused itself does not wait for room at a crowded target`() async throws {
        var gates = ConcurrencyGate.Options()
        gates.first = 1
        gates.least = 1
        let house = try await EngineFixture(
            routes: [try Self.route(["openai/gpt-6-sol", "second/gpt-6-sol"])],
            gates: ConcurrencyGates(options: gates))
        _ = try await house.addKey(Self.key)
        let token = try await house.issue()
        let first = try house.forward(token, "smart")
        _ = try first.attempt(at: house.clock.now)
        let other = try house.forward(token, "smart")
        #expect(try other.attempt(at: house.clock.now).target.provider.text == "second")
        other.fail(.callerFault, status: 400, at: house.clock.now)
        guard case .fail(let failure) = other.next(at: house.clock.now) else {
            Issue.record("it waits for the first target")
            return
        }
        other.settle(.failed(failure), at: house.clock.now)
        first.settle(.answered(), at: house.clock.now)
        #expect(house.parts.gates.load == (0, 0))
    }

    @Test func `platform keys serve a tenant that uses them, behind its own, and the row says who pays`()
        async throws
    {
        var routing = RoutingSettings()
        routing.platform = try TenantName("house")
        let (house, token) = try await house(Self.route(["openai/gpt-6-sol"]), routing: routing)
        try await house.give(.tenantAdd(name: try TenantName("house"), limits: LimitSet()))
        try await house.give(
            .keyAdd(
                tenant: try TenantName("house"), provider: house.provider.name, label: try Label("main"),
                acceptUnverified: false), "sk-test-platform-0123456789")
        let acme = try TenantName("acme")

        func payers() throws -> [Payer] {
            let session = try house.forward(token, "smart")
            var seen: [Payer] = []
            while case .send(let attempt) = session.next(at: house.clock.now) {
                seen.append(session.payer(of: attempt))
                session.fail(.keyQuota, status: 402, at: house.clock.now)
            }
            session.settle(.answered(), at: house.clock.now)
            house.clock.advance(.seconds(4_000))
            return seen
        }
        #expect(try payers() == [.tenant], "a tenant that did not ask for it got a platform key")
        try await house.give(.tenantPlatformKeys(name: acme, used: true))
        #expect(try payers() == [.tenant, .platform])
        #expect(try house.rows().map(\.payer) == [.tenant, .platform])
        #expect(
            try await house.refusal(of: .tenantPlatformKeys(name: acme, used: true)) == .conflict)
        try await house.give(.tenantPlatformKeys(name: acme, used: false))
        #expect(try payers() == [.tenant])
    }

    @Test func `keys share calls by weight, and serve the models they are for`() async throws {
        let (house, token) = try await house(Self.route(["openai/gpt-6-sol"]))
        let old = try #require(house.engine.snapshot().providerKeys.first?.id)
        house.clock.advance(.seconds(1))
        let new = try await house.addKey("sk-test-second-0123456789", label: "second")
        func share(of key: ProviderKeyID) throws -> Int {
            var count = 0
            for _ in 0..<400 {
                let session = try house.forward(token, "smart")
                if try session.attempt(at: house.clock.now).key?.id == key { count += 1 }
                session.attemptAnswered(status: 200, at: house.clock.now)
                session.settle(.answered(), at: house.clock.now)
            }
            return count
        }
        #expect(try share(of: new) == 400, "without weights the newest is preferred")
        try await house.give(.keySet(key: old, weight: 3, models: []))
        try await house.give(.keySet(key: new, weight: 1, models: []))
        // Six standard deviations of 400 draws at one in four are 52.
        #expect((48...152).contains(try share(of: new)))
        try await house.give(.keySet(key: old, weight: 3, models: [try ModelName("gpt-5*")]))
        #expect(try share(of: old) == 0)
        try await house.give(.keySet(key: old, weight: 3, models: [try ModelName("gpt-6*")]))
        #expect(try share(of: old) > 200)
        #expect(try await house.refusal(of: .keySet(key: old, weight: 10_001, models: [])) == .invalid)
    }

    @Test func `an explanation names every candidate in order, and what is left out with its reason`()
        async throws
    {
        let (house, _) = try await house(
            Self.route(["second/gpt-6-luna", "openai/gpt-6-sol", "openai/gpt-6-astra"], .cheapest))
        try await house.give(
            .breakerTrip(target: try Target("openai/gpt-6-sol"), seconds: 60, reason: "test"))
        let answer = try await house.engine.ask(
            .route(model: try ModelName("smart"), tenant: try TenantName("acme")))
        guard case .route(let said) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(said.strategy == "cheapest")
        #expect(said.candidates.map(\.place) == [1, 2, nil])
        #expect(
            said.candidates.map(\.target) == ["second/gpt-6-luna", "openai/gpt-6-astra", "openai/gpt-6-sol"])
        #expect(said.candidates[2].reason.contains("held open"), "\(said.candidates[2])")
        #expect(said.candidates[1].price?.hasPrefix("$0.0") == true && said.candidates[1].key != nil)
        await #expect(throws: CommandRefusal.self) {
            try await house.engine.ask(
                .route(model: try ModelName("smart"), tenant: try TenantName("nobody")))
        }
    }

    @Test func `a change's blast radius is what the last minute's calls would have met`() async throws {
        let (house, token) = try await house(Self.route(["openai/gpt-6-sol", "second/gpt-6-luna"]))
        for _ in 0..<30 {
            try house.answer(try house.forward(token, "smart"), usage: Usage(input: 1_000, output: 500))
            try house.answer(try house.forward(token, "openai/gpt-6-sol"))
        }
        house.engine.pump()
        let target = try Target("openai/gpt-6-sol")
        func radius(_ change: BlastChange) async throws -> BlastRadius {
            guard case .blastRadius(let radius) = try await house.engine.ask(.blastRadius(change)) else {
                throw Unexpected(description: "another answer")
            }
            return radius
        }
        let trip = try await radius(.breaker(target, .open))
        #expect(trip.calls == 60 && !trip.sampled)
        #expect(trip.targets.map(\.target) == ["openai/gpt-6-sol", "second/gpt-6-luna"])
        #expect(trip.targets[0].rateBefore == 1 && trip.targets[0].rateAfter == 0)
        #expect(trip.targets[1].rateBefore == 0 && trip.targets[1].rateAfter == 0.5)
        #expect(trip.failing.map(\.calls) == [30] && trip.failing[0].tenant.text == "acme")
        #expect(trip.costPerHourAfter < trip.costPerHourBefore)
        #expect(trip.note.contains("second/gpt-6-luna"))
        // Nothing was changed by looking.
        #expect(house.parts.breakers.status(of: target, at: house.clock.now).position == .closed)

        let key = try #require(house.engine.snapshot().providerKeys.first?.id)
        #expect(try await radius(.revokeKey(key)).failing.map(\.calls) == [30])
        #expect(try await radius(.drainKey(key)).failing.isEmpty)
        #expect(
            try await radius(.breaker(target, .asIs)).targets.allSatisfy { $0.rateBefore == $0.rateAfter })
        house.clock.advance(.seconds(61))
        #expect(try await radius(.breaker(target, .open)).calls == 0)
    }

    @Test func `a drill meets one tenant's calls, is marked, and says nothing of provider or key`()
        async throws
    {
        var routing = RoutingSettings()
        routing.drillTenants = [try TenantName("acme")]
        let (house, token) = try await house(
            Self.route(["openai/gpt-6-sol", "second/gpt-6-luna"]), routing: routing)
        let acme = try TenantName("acme")
        let feed = house.engine.feed(depth: 1_000)
        #expect(
            try await house.refusal(
                of: .drillStart(tenant: acme, fault: .overloaded, percent: 101, minutes: 5, reason: "x"))
                == .invalid)
        try await house.give(
            .drillStart(tenant: acme, fault: .badKey, percent: 100, minutes: 5, reason: "practice"))
        for _ in 0..<20 {
            let session = try house.forward(token, "smart")
            let attempt = try session.attempt(at: house.clock.now)
            #expect(attempt.drill == .badKey)
            session.fail(.badKey, status: 401, at: house.clock.now)
            session.settle(.answered(), at: house.clock.now)
        }
        house.engine.pump()
        let marked = feed.take().events.filter {
            if case .callFinished(let finish) = $0.event { finish.drill } else { false }
        }
        #expect(marked.count == 20)
        #expect(house.parts.credentials.states(at: house.clock.now).isEmpty, "a drill marked a key")
        let target = try Target("openai/gpt-6-sol")
        #expect(house.parts.breakers.status(of: target, at: house.clock.now).position == .closed)
        house.clock.advance(.seconds(301))
        let after = try house.forward(token, "smart")
        #expect(try after.attempt(at: house.clock.now).drill == nil, "a drill outlives its end")
        after.settle(.answered(), at: house.clock.now)
        #expect(try await house.refusal(of: .drillStop(tenant: acme, reason: "x")) == .notFound)
    }

    @Test func `a tenant that the configuration does not name is never drilled`() async throws {
        let (house, _) = try await house(Self.route(["openai/gpt-6-sol"]))
        #expect(
            try await house.refusal(
                of: .drillStart(
                    tenant: try TenantName("acme"), fault: .cut, percent: 10, minutes: 5, reason: "x"))
                == .invalid)
    }

    @Test func `calls that find no room at one target take another, wait, or are told to come back`()
        async throws
    {
        var gate = ConcurrencyGate.Options()
        gate.first = 1
        gate.queueMost = 1
        let house = try await EngineFixture(
            routes: [try Self.route(["openai/gpt-6-sol", "second/gpt-6-luna"])],
            gates: ConcurrencyGates(options: gate))
        _ = try await house.addKey(Self.key)
        let token = try await house.issue()
        let first = try house.forward(token, "smart")
        _ = try first.attempt(at: house.clock.now)
        let second = try house.forward(token, "smart")
        #expect(try second.attempt(at: house.clock.now).target.provider.text == "second")
        let third = try house.forward(token, "smart")
        guard case .pause = third.next(at: house.clock.now) else {
            Issue.record("it does not wait")
            return
        }
        let fourth = try house.forward(token, "smart")
        guard case .fail(let failure) = fourth.next(at: house.clock.now) else {
            Issue.record("it is let in")
            return
        }
        #expect(failure.status == 503 && failure.retryAfter != nil, "\(failure)")
        fourth.settle(.failed(failure), at: house.clock.now)
        first.attemptAnswered(status: 200, at: house.clock.now)
        first.settle(.answered(), at: house.clock.now)
        #expect(try third.attempt(at: house.clock.now).target.provider.text == "openai")
        // The caller leaves: the place is free again.
        third.settle(.answered(), at: house.clock.now)
        second.settle(.answered(), at: house.clock.now)
        #expect(house.parts.gates.load == (0, 0) && house.parts.gauges.running == 0)
        try house.expectNothingHeld()
    }

    @Test func `a pause that the provider asks for is waited for only if it fits into the call`() async throws
    {
        let (house, token) = try await house(Self.route(["openai/gpt-6-sol"]))
        func afterLimit(_ wait: Duration) throws -> CallSession.Step {
            let session = try house.forward(token, "smart")
            _ = try session.attempt(at: house.clock.now)
            session.attemptFailed(
                .providerFault, status: 503, retryAfter: wait,
                face: CallFailure(.upstreamFailed, source: .provider, "busy"), at: house.clock.now)
            let step = session.next(at: house.clock.now)
            session.settle(.answered(), at: house.clock.now)
            return step
        }
        guard case .pause(let pause) = try afterLimit(.seconds(3)) else {
            Issue.record("no pause")
            return
        }
        #expect(pause >= .seconds(3) && pause < .seconds(4))
        guard case .fail = try afterLimit(.seconds(30)) else {
            Issue.record("it waits for longer than the gateway's bound")
            return
        }
    }
}

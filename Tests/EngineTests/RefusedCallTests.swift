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

/// Calls that nothing can take, and what they are told and cost.
@Suite struct RefusedCallTests {
    private static let key = "sk-test-first-0123456789"

    private static func route(_ targets: [String], lastResort: String? = nil) throws -> Route {
        Route(
            model: try ModelName("smart"),
            choices: try targets.map { Route.Choice(target: try Target($0)) },
            lastResort: try lastResort.map { try Target($0) })
    }

    private func trip(_ house: EngineFixture, _ target: String, seconds: Int) async throws {
        try await house.give(.breakerTrip(target: try Target(target), seconds: seconds, reason: "test"))
    }

    @Test func `when every target is out the caller is told why of each, and when the first is back`()
        async throws
    {
        let house = try await EngineFixture(
            routes: [try Self.route(["openai/gpt-6-sol", "second/x"], lastResort: "second/reserve")])
        _ = try await house.addKey(Self.key)
        let token = try await house.issue()
        for (target, seconds) in [("openai/gpt-6-sol", 180), ("second/x", 120), ("second/reserve", 60)] {
            try await trip(house, target, seconds: seconds)
        }
        let failure = try #require(try house.refusal(token.text, "smart"))
        #expect(failure.status == 503 && failure.code == .noTarget)
        #expect(failure.retryAfter == .seconds(60), "the last resort is back first")
        for target in ["openai/gpt-6-sol", "second/x", "second/reserve"] {
            #expect(failure.message.contains("\(target): held open by an operator"), "\(failure.message)")
        }
        try house.expectNothingHeld()
    }

    @Test func `after a failed attempt the caller is told why the others were not tried`() async throws {
        let house = try await EngineFixture(
            routes: [try Self.route(["openai/gpt-6-sol", "second/x"])])
        _ = try await house.addKey(Self.key)
        let token = try await house.issue()
        try await trip(house, "second/x", seconds: 60)
        let session = try house.forward(token, "smart")
        var told: CallFailure?
        for _ in 0..<5 {
            switch session.next(at: house.clock.now) {
            case .send: session.fail(.providerFault, status: 500, at: house.clock.now)
            case .pause(let pause): house.clock.advance(pause)
            case .fail(let failure): told = failure
            }
            if told != nil { break }
        }
        let failure = try #require(told)
        #expect(failure.status == 502)
        #expect(failure.message.hasPrefix("failed in a test; besides: second/x: held open by an operator"))
        session.settle(.failed(failure), at: house.clock.now)
        try house.expectNothingHeld()
    }

    @Test func `a call that finds a target's queue full uses up no limit`() async throws {
        var gate = ConcurrencyGate.Options()
        gate.first = 1
        gate.queueMost = 0
        let house = try await EngineFixture(
            limits: LimitSet(requestsPerMinute: 5, tokensPerMinute: 1_000, parallel: 3),
            routes: [try Self.route(["second/x"])], gates: ConcurrencyGates(options: gate))
        let token = try await house.issue()
        let tenant = LimitScope.tenant(try await house.tenant().id)
        let running = try house.forward(token, "smart")
        _ = try running.attempt(at: house.clock.now)
        for _ in 0..<20 {
            let session = try house.forward(token, "smart")
            guard case .fail(let failure) = session.next(at: house.clock.now) else {
                Issue.record("it is let in")
                return
            }
            #expect(failure.status == 503 && failure.retryAfter != nil)
            session.settle(.failed(failure), at: house.clock.now)
        }
        #expect(
            house.use(of: tenant) == LimitUse(inFlight: 1, requestsLeft: 4, tokensLeft: 990))
        running.settle(.answered(), at: house.clock.now)
        try house.expectNothingHeld()
    }

    @Test func `a call that finds the provider key at its own limit uses up no other`() async throws {
        let house = try await EngineFixture(
            limits: LimitSet(requestsPerMinute: 5), routes: [try Self.route(["openai/gpt-6-sol"])])
        let key = try await house.addKey(Self.key)
        try await house.give(
            .limitSet(
                tenant: try TenantName("acme"), owner: .providerKey(key), limits: LimitSet(parallel: 1)))
        let token = try await house.issue()
        let tenant = LimitScope.tenant(try await house.tenant().id)
        let running = try house.forward(token, "smart")
        _ = try running.attempt(at: house.clock.now)
        for _ in 0..<20 {
            let session = try house.forward(token, "smart")
            guard case .fail(let failure) = session.next(at: house.clock.now) else {
                Issue.record("it is let in")
                return
            }
            #expect(failure.status == 429 && failure.retryAfter != nil)
            session.settle(.failed(failure), at: house.clock.now)
        }
        #expect(house.use(of: tenant)?.requestsLeft == 4)
        running.settle(.answered(), at: house.clock.now)
        // One that reached a provider is a request, whatever came of it.
        let failed = try house.forward(token, "smart")
        _ = try failed.attempt(at: house.clock.now)
        failed.fail(.callerFault, status: 400, at: house.clock.now)
        failed.settle(.failed(CallFailure(.upstreamRefused, source: .caller, "no")), at: house.clock.now)
        #expect(house.use(of: tenant)?.requestsLeft == 3)
        try house.expectNothingHeld()
    }

    @Test func `a stream that was cut counts against the limit of its provider key`() async throws {
        let house = try await EngineFixture(routes: [try Self.route(["openai/gpt-6-sol"])])
        let key = try await house.addKey(Self.key)
        try await house.give(
            .limitSet(
                tenant: try TenantName("acme"), owner: .providerKey(key),
                limits: LimitSet(tokensPerMinute: 1_000, parallel: 1)))
        let session = try house.forward(try await house.issue(), "smart")
        let attempt = try session.attempt(at: house.clock.now)
        session.firstByte(of: attempt, at: house.clock.now)
        session.fail(.brokeAfterContent, status: 200, at: house.clock.now)
        session.settle(
            .init(
                end: .cut, status: 200, failure: .upstreamCut, usage: nil,
                estimate: Usage(input: 100, output: 50)), at: house.clock.now)
        #expect(house.use(of: .providerKey(key))?.tokensLeft == 850)
        #expect(house.use(of: .providerKey(key))?.inFlight == 0)
        #expect(house.parts.gauges.running == 0)
        try house.expectNothingHeld()
    }
}

import Domain
import Operations
import Routing
import Testing

@testable import Engine

/// A machine's clock that is set, forwards and backwards: nothing sticks, and nothing is lost.
@Suite struct ClockJumpTests {
    private static let secret = "sk-test-CLOCKJUMPS-0123456789"
    private static let year = Duration.seconds(365 * 86_400)
    private static let jumps: [Duration] = [
        .zero - year * 10, .seconds(-86_400), .seconds(-1), .seconds(1), .seconds(86_400), year * 10,
    ]

    @Test(arguments: jumps)
    func `a trip lasts as long as it was to last, and calls go on after it`(jump: Duration) async throws {
        let house = try await EngineFixture()
        _ = try await house.addKey(Self.secret)
        let token = try await house.issue()
        let target = try Target("openai/gpt-6-sol")
        try await house.give(.breakerTrip(target: target, seconds: 60, reason: "burning"))
        house.clock.jump(by: jump)
        await house.engine.tick()
        #expect(try house.refusal(token.text)?.code == .noTarget)
        house.clock.advance(.seconds(61))
        await house.engine.tick()
        for _ in 0..<10 { try house.answer(house.forward(token)) }
        #expect(house.parts.breakers.status(of: target, at: house.clock.now).hold == nil)
        try house.expectNothingHeld()
    }

    @Test(arguments: jumps)
    func `a breaker that opened by itself recovers`(jump: Duration) async throws {
        let house = try await EngineFixture()
        _ = try await house.addKey(Self.secret)
        let token = try await house.issue()
        let target = try Target("openai/gpt-6-sol")
        var opened = false
        for _ in 0..<100 where !opened {
            guard case .forward(let session) = house.decide(token.text, try house.inbound()) else { break }
            _ = try session.attempt(at: house.clock.now)
            session.fail(.providerFault, status: 500, at: house.clock.now)
            session.settle(
                .failed(CallFailure(.upstreamFailed, source: .provider, "down")), at: house.clock.now)
            opened = house.parts.breakers.status(of: target, at: house.clock.now).position == .open
        }
        #expect(opened)
        house.clock.jump(by: jump)
        await house.engine.tick()
        // Longer than a breaker's longest wait.
        house.clock.advance(.seconds(3_600))
        for _ in 0..<20 {
            if case .forward(let session) = house.decide(token.text, try house.inbound()) {
                try house.answer(session)
            }
            house.clock.advance(.seconds(1))
        }
        #expect(house.parts.breakers.status(of: target, at: house.clock.now).position == .closed)
    }

    @Test(arguments: jumps)
    func `commands and their audit go on, and a virtual key ends by the clock as it stands`(
        jump: Duration
    ) async throws {
        let house = try await EngineFixture()
        let key = try await house.addKey(Self.secret)
        let token = try await house.issue(expires: 3_600)
        house.clock.jump(by: jump)
        for _ in 0..<3 { await house.engine.tick() }
        #expect((try house.refusal(token.text) == nil) == (jump < .seconds(3_600)))
        let fresh = try await house.issue("fresh")
        #expect(try house.refusal(fresh.text) == nil)
        try await house.give(.tokenRevoke(key: fresh.id, reason: "over"))
        #expect(try house.refusal(fresh.text) != nil)
        try await house.give(.keyRevoke(key: key, reason: "over"))
        guard case .auditIntact(let records, _) = try await house.engine.ask(.verifyAudit) else {
            Issue.record("the chain is broken")
            return
        }
        #expect(records > 4)
    }
}

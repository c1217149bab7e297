import Domain
import Engine
import Operations
import Routing
import Storage
import Testing

@Suite struct KeyTrialCommandTests {
    private let first = "sk-test-first-0123456789"
    private let second = "sk-test-second-0123456789"
    private let third = "sk-test-third-0123456789"

    /// A house with a key and a successor on trial.
    private func trial(
        percent: Int = 20, drain: Int = 600
    ) async throws -> (house: EngineFixture, token: Token, old: ProviderKeyID, new: ProviderKeyID) {
        let house = try await EngineFixture()
        let old = try await house.addKey(first)
        let token = try await house.issue()
        try await house.give(
            .keyRotate(
                key: old, canary: CanaryOrder(percent: percent, seconds: 120), drainSeconds: drain,
                acceptUnverified: false), second)
        let new = try #require(try await house.stored().first { $0.predecessor == old }).id
        return (house, token, old, new)
    }

    /// How many of some calls began with a key.
    private func shares(_ house: EngineFixture, _ token: Token, calls: Int) throws -> [ProviderKeyID: Int] {
        var counts: [ProviderKeyID: Int] = [:]
        for _ in 0..<calls {
            let session = try house.forward(token)
            let attempt = try session.attempt(at: house.clock.now)
            if let key = attempt.key { counts[key.id, default: 0] += 1 }
            session.attemptAnswered(status: 200, at: house.clock.now)
            session.settle(.answered(), at: house.clock.now)
        }
        return counts
    }

    private func refuse(_ key: ProviderKeyID, in house: EngineFixture) throws {
        let now = house.clock.now
        _ = house.parts.credentials.note(
            .rejected, on: key, for: try ModelName("m"), began: now, at: now, retryAfter: nil)
    }

    @Test func `the new key takes its share, then all, and the old one drains and is revoked`() async throws {
        let (house, token, old, new) = try await trial()
        #expect(try await house.state(of: old) == .active)
        #expect(try await house.state(of: new) == .canary)
        let during = try shares(house, token, calls: 1_000)
        // Five standard deviations of a binomial distribution of 1,000 with p = 0.2 are 63.
        #expect(
            abs((during[new] ?? 0) - 200) < 64 && during[old, default: 0] + during[new, default: 0] == 1_000)
        house.clock.advance(.seconds(119))
        await house.engine.tick()
        #expect(try await house.state(of: new) == .canary)
        house.clock.advance(.seconds(1))
        await house.engine.tick()
        #expect(try await house.state(of: new) == .active)
        #expect(try await house.state(of: old) == .draining)
        #expect(try shares(house, token, calls: 50) == [new: 50])
        house.clock.advance(.seconds(600))
        await house.engine.tick()
        #expect(try await house.state(of: old) == .revoked)
        #expect(
            try await house.audited().suffix(3) == ["key.rotate ok", "key.switch ok", "key.revoke ok"])
    }

    @Test func `a new key that is refused is withdrawn, no call is lost, and audit and screens say why`()
        async throws
    {
        let (house, token, old, new) = try await trial(percent: 99)
        // The call that meets the refusal goes on with the old key.
        var session = try house.forward(token)
        while try session.attempt(at: house.clock.now).key?.id != new {
            session.attemptAnswered(status: 200, at: house.clock.now)
            session.settle(.answered(), at: house.clock.now)
            session = try house.forward(token)
        }
        session.fail(.badKey, status: 401, at: house.clock.now)
        #expect(try session.attempt(at: house.clock.now).key?.id == old)
        session.attemptAnswered(status: 200, at: house.clock.now)
        session.settle(.answered(), at: house.clock.now)
        // The provider is asked, and confirms it.
        house.prober.answer(.refused)
        await house.engine.tick()
        for _ in 0..<10_000 {
            if house.parts.credentials.states(at: house.clock.now).contains(where: { $0.mark == .rejected }) {
                break
            }
            await Task.yield()
        }
        await house.engine.tick()
        #expect(try await house.state(of: old) == .active)
        #expect(try await house.state(of: new) == .draining)
        #expect(try shares(house, token, calls: 50) == [old: 50])
        let record = try #require(try await house.control.auditRecords(before: nil, limit: 1).first).draft
        #expect(record.action == "key.undo" && record.actor == "gateway")
        #expect(record.reason == "the provider says: rejected")
        house.engine.pump()
        #expect(
            house.engine.snapshot().alerts.contains {
                $0.text == "the new key was withdrawn, the provider says: rejected"
            })
        house.clock.advance(.seconds(600))
        await house.engine.tick()
        #expect(try await house.state(of: new) == .revoked)
        #expect(try await house.state(of: old) == .active)
    }

    @Test func `a new key that passes every check and no call is withdrawn`() async throws {
        let (house, token, old, new) = try await trial(percent: 99)
        for _ in 0..<2 {
            let now = house.clock.now
            _ = house.parts.credentials.note(
                .suspect, on: new, for: try ModelName("m"), began: now, at: now, retryAfter: nil)
            await house.engine.tick()
            // The check finds it well.
            for _ in 0..<10_000 where !house.parts.credentials.states(at: now).isEmpty { await Task.yield() }
            house.clock.advance(.seconds(1))
        }
        await house.engine.tick()
        #expect(try await house.state(of: old) == .active)
        #expect(try await house.state(of: new) == .draining)
        #expect(try shares(house, token, calls: 20) == [old: 20])
    }

    @Test(arguments: [true, false])
    func `undo ends a trial, named by the old key or the new one`(byOld: Bool) async throws {
        let (house, token, old, new) = try await trial()
        try await house.give(.keyUndo(key: byOld ? old : new))
        #expect(try await house.state(of: old) == .active)
        #expect(try await house.state(of: new) == .draining)
        #expect(try shares(house, token, calls: 50) == [old: 50])
        // And the undo can be undone, while the new key drains.
        try await house.give(.keyUndo(key: new))
        #expect(try await house.state(of: old) == .draining)
        #expect(try await house.state(of: new) == .active)
    }

    @Test func `undo after the switch puts the old key back`() async throws {
        let (house, token, old, new) = try await trial()
        _ = try shares(house, token, calls: 100)
        house.clock.advance(.seconds(120))
        await house.engine.tick()
        try await house.give(.keyUndo(key: old))
        #expect(try await house.state(of: old) == .active)
        #expect(try await house.state(of: new) == .draining)
    }

    @Test func `undo of an older rotation ends the trial with it`() async throws {
        let house = try await EngineFixture()
        let one = try await house.addKey(first)
        try await house.give(.keyRotate(key: one, drainSeconds: 600, acceptUnverified: false), second)
        let two = try #require(try await house.stored().first { $0.predecessor == one }).id
        try await house.give(
            .keyRotate(key: two, canary: .usual, drainSeconds: 600, acceptUnverified: false), third)
        let three = try #require(try await house.stored().first { $0.predecessor == two }).id
        try await house.give(.keyUndo(key: one))
        await house.engine.tick()
        #expect(try await house.state(of: one) == .active)
        #expect(try await house.state(of: two) == .draining)
        #expect(try await house.state(of: three) == .draining)
    }

    @Test func `a second rotation waits for the end of a trial, and bad orders are refused`() async throws {
        let (house, _, old, new) = try await trial()
        let rotate = { (key: ProviderKeyID, canary: CanaryOrder?) in
            EngineCommand.keyRotate(key: key, canary: canary, drainSeconds: 60, acceptUnverified: false)
        }
        #expect(try await house.refusal(of: rotate(old, nil), third) == .conflict)
        #expect(try await house.refusal(of: rotate(new, nil), third) == .conflict)
        try await house.give(.keyUndo(key: old))
        for bad in [(0, 120), (100, 120), (5, 0), (5, 604_801)] {
            let order = CanaryOrder(percent: bad.0, seconds: bad.1)
            #expect(try await house.refusal(of: rotate(old, order), third) == .invalid)
        }
        #expect(try await house.stored().count == 2)
    }

    @Test func `a trial goes on after a restart, and at its end the provider is asked once more`()
        async throws
    {
        for (verdict, expected) in [(KeyVerdict.verified, ProviderKeyState.active), (.refused, .draining)] {
            let (house, _, old, new) = try await trial()
            let engine = try await house.restarted()
            #expect(engine.snapshot().providerKeys.first { $0.id == new }?.canary?.percent == 20)
            house.clock.advance(.seconds(120))
            house.prober.answer(verdict)
            await engine.tick()
            for _ in 0..<10_000 {
                if try await house.stored().first(where: { $0.id == new })?.state == expected { break }
                await Task.yield()
            }
            let states = try await house.stored().map { ($0.id, $0.state) }
            #expect(states.first { $0.0 == new }?.1 == expected)
            #expect(states.first { $0.0 == old }?.1 == (expected == .active ? .draining : .active))
        }
    }

    @Test func `without its predecessor a key on trial takes every call`() async throws {
        let (house, token, old, new) = try await trial()
        try await house.give(.keyRevoke(key: old, reason: "leaked"))
        #expect(try shares(house, token, calls: 20) == [new: 20])
        await house.engine.tick()
        #expect(try await house.state(of: new) == .active)
    }

    @Test func `a switch that cannot be written is made later`() async throws {
        let (house, token, old, new) = try await trial()
        _ = try shares(house, token, calls: 50)
        house.clock.advance(.seconds(120))
        house.tenants.fail(true)
        await house.engine.tick()
        #expect(try await house.state(of: new) == .canary)
        house.tenants.fail(false)
        await house.engine.tick()
        #expect(try await house.state(of: new) == .active)
        #expect(try await house.state(of: old) == .draining)
    }
}

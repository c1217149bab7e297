import Domain
import Engine
import Operations
import Routing
import Storage
import Testing

@Suite struct KeyCommandTests {
    private let first = "sk-test-first-0123456789"
    private let second = "sk-test-second-0123456789"
    private let third = "sk-test-third-0123456789"

    @Test func `a rotation switches, drains, and revokes when the drain is over`() async throws {
        let house = try await EngineFixture()
        let old = try await house.addKey(first)
        try await house.give(.keyRotate(key: old, drainSeconds: 60, acceptUnverified: false), second)
        let new = try #require(try await house.stored().first { $0.predecessor == old })
        #expect(try await house.state(of: old) == .draining)
        #expect(new.state == .active)
        house.clock.advance(.seconds(61))
        await house.engine.tick()
        let gone = try #require(try await house.stored().first { $0.id == old })
        #expect(gone.state == .revoked && gone.sealed.isEmpty)
        #expect(
            try await house.audited() == [
                "vault.create ok", "tenant.add ok", "key.add ok", "key.rotate ok", "key.revoke ok",
            ])
    }

    @Test func `a key that is revoked while its provider is asked stays revoked`() async throws {
        let house = try await EngineFixture()
        let key = try await house.addKey(first)
        house.prober.hold()
        async let verified = house.refusal(of: .keyVerify(key: key))
        await house.prober.waits(for: 1)
        try await house.give(.keyRevoke(key: key, reason: "leaked"))
        house.prober.release()
        #expect(try await verified == .conflict)
        let kept = try #require(try await house.stored().first)
        #expect(kept.state == .revoked && kept.sealed.isEmpty)
    }

    private static let lastWords: [(KeyVerdict, CredentialMark?)] = [
        (.refused, .rejected), (.verified, nil), (.unknown, .suspect),
    ]

    @Test(arguments: lastWords)
    func `a key that was refused once is checked with its provider, which has the last word`(
        verdict: KeyVerdict, expected: CredentialMark?
    ) async throws {
        let house = try await EngineFixture()
        let key = try await house.addKey(first)
        let model = try ModelName("m")
        let board = house.parts.credentials
        _ = board.note(
            .suspect, on: key, for: model, began: house.clock.now, at: house.clock.now, retryAfter: nil)
        house.prober.answer(verdict)
        house.prober.hold()
        await house.engine.tick()
        await house.prober.waits(for: 1)
        // A second tick does not ask a second time.
        await house.engine.tick()
        house.prober.release()
        for _ in 0..<10_000 where board.states(at: house.clock.now).first?.mark != expected {
            await Task.yield()
        }
        #expect(board.states(at: house.clock.now).first?.mark == expected)
    }

    @Test func `of two rotations at once one is refused, and one successor is active`() async throws {
        let house = try await EngineFixture()
        let old = try await house.addKey(first)
        house.prober.hold()
        let rotate = EngineCommand.keyRotate(key: old, drainSeconds: 60, acceptUnverified: false)
        async let one = house.refusal(of: rotate, second)
        async let other = house.refusal(of: rotate, third)
        await house.prober.waits(for: 2)
        house.prober.release()
        let refusals = [try await one, try await other]
        #expect(refusals.contains(nil) && refusals.contains(.conflict))
        #expect(try await house.stored().filter { $0.state == .active }.count == 1)
        #expect(try await house.stored().filter { $0.state == .draining }.count == 1)
    }

    @Test func `of two keys with one label added at once one is refused`() async throws {
        let house = try await EngineFixture()
        let add = EngineCommand.keyAdd(
            tenant: try TenantName("acme"), provider: house.provider.name, label: try Label("main"),
            acceptUnverified: false)
        house.prober.hold()
        async let one = house.refusal(of: add, first)
        async let other = house.refusal(of: add, second)
        await house.prober.waits(for: 2)
        house.prober.release()
        let refusals = [try await one, try await other]
        #expect(refusals.contains(nil) && refusals.contains(.conflict))
        #expect(try await house.stored().count == 1)
    }

    @Test func `undo leaves one active key, however long the line of successors is`() async throws {
        let house = try await EngineFixture()
        let one = try await house.addKey(first)
        try await house.give(.keyRotate(key: one, drainSeconds: 600, acceptUnverified: false), second)
        let two = try #require(try await house.stored().first { $0.predecessor == one }).id
        try await house.give(.keyRotate(key: two, drainSeconds: 600, acceptUnverified: false), third)
        let three = try #require(try await house.stored().first { $0.predecessor == two }).id
        try await house.give(.keyUndo(key: one))
        #expect(try await house.state(of: one) == .active)
        #expect(try await house.state(of: two) == .draining)
        #expect(try await house.state(of: three) == .draining)
        try await house.give(.keyUndo(key: three))
        #expect(try await house.state(of: one) == .draining)
        #expect(try await house.state(of: three) == .active)
    }

    @Test func `undo of a plain drain drains nothing else`() async throws {
        let house = try await EngineFixture()
        let key = try await house.addKey(first)
        let other = try await house.addKey(second, label: "other")
        try await house.give(.keyDrain(key: key, seconds: 600, reason: "test"))
        let receipt = try await house.give(.keyUndo(key: key)).receipt
        #expect(receipt.message.contains("takes traffic again") && !receipt.message.contains("drains"))
        #expect(try await house.state(of: key) == .active)
        #expect(try await house.state(of: other) == .active)
    }

    @Test func `a key the provider refuses is not added, and one it cannot be asked about only on demand`()
        async throws
    {
        let house = try await EngineFixture()
        let add = EngineCommand.keyAdd(
            tenant: try TenantName("acme"), provider: house.provider.name, label: try Label("main"),
            acceptUnverified: false)
        house.prober.answer(.refused)
        #expect(try await house.refusal(of: add, first) == .keyRefused)
        house.prober.answer(.unknown)
        #expect(try await house.refusal(of: add, first) == .keyUnverified)
        #expect(try await house.stored().isEmpty)
        try await house.give(
            .keyAdd(
                tenant: try TenantName("acme"), provider: house.provider.name, label: try Label("main"),
                acceptUnverified: true), first)
        #expect(try await house.stored().first?.verdict == .unknown)
    }

    @Test func `no secret stands in receipts, refusals or the audit`() async throws {
        let house = try await EngineFixture()
        let key = try await house.addKey(first)
        let receipt = try await house.give(
            .keyRotate(key: key, drainSeconds: 60, acceptUnverified: false), second
        ).receipt
        let texts =
            [receipt.message] + receipt.details
            + (try await house.control.auditRecords(before: nil, limit: 100)).map { "\($0)" }
        for text in texts {
            #expect(!text.contains("sk-test-first") && !text.contains("sk-test-second"))
        }
    }
}

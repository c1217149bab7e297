import Cipher
import Domain
import Locking
import Operations
import Routing
import Storage
import Testing
import Vault

@testable import Engine

/// What protects acts also while nothing can be written; and what the audit says of things that are no commands.
@Suite struct SecurityEventTests {
    private static let secret = "sk-test-SECURITYEVENTS-0123456789"

    private func audited(_ house: EngineFixture, _ action: String) async throws -> [AuditRecord] {
        try await house.control.auditRecords(before: nil, limit: 100).filter { $0.draft.action == action }
    }

    @Test func `revoking and tripping act while storage is full, say so, and are written once it is not`()
        async throws
    {
        let house = try await EngineFixture()
        let key = try await house.addKey(Self.secret)
        let token = try await house.issue()
        let target = try Target("openai/gpt-6-sol")
        house.control.fail(true)
        house.tenants.fail(true)
        for command in [
            .tokenRevoke(key: token.id, reason: "leaked"), .keyRevoke(key: key, reason: "leaked"),
            .breakerTrip(target: target, seconds: 60, reason: "burning"),
        ] as [EngineCommand] {
            let receipt = try await house.give(command).receipt
            #expect(receipt.isBad, "\(command)")
            #expect(receipt.details.contains { $0.contains("NOT YET DURABLE") }, "\(command)")
        }
        #expect(try house.refusal(token.text) != nil)
        #expect(house.engine.snapshot().providerKeys.first { $0.id == key }?.state == .revoked)
        #expect(house.parts.breakers.status(of: target, at: house.clock.now).hold?.mode == .open)
        await house.engine.tick()
        #expect(try await house.control.load().virtualKeys.first { $0.id == token.id }?.revoked == nil)
        house.control.fail(false)
        house.tenants.fail(false)
        await house.engine.tick()
        await house.engine.tick()
        #expect(try await house.control.load().virtualKeys.first { $0.id == token.id }?.revoked != nil)
        #expect(try await house.control.load().holds[target]?.mode == .open)
        for action in ["token.revoke", "key.revoke", "breaker.trip"] {
            #expect(try await audited(house, action).count == 1, "\(action)")
        }
    }

    /// Kept back space whose giving up makes storage work again, so often.
    private final class Room: SpareRoom {
        private let house: EngineFixture
        private let left: Locked<Int>
        let renewals = Locked(0)

        init(_ house: EngineFixture, slices: Int) {
            self.house = house
            left = Locked(slices)
        }

        func giveUp() async -> Bool {
            let isGiven = left.withLock { left in
                guard left > 0 else { return false }
                left -= 1
                return true
            }
            if isGiven { house.control.fail(false) }
            return isGiven
        }

        func renew() async { renewals.withLock { $0 += 1 } }
    }

    @Test func `on a full disk what protects is written in the space that is kept back for it`() async throws
    {
        let house = try await EngineFixture()
        let room = Room(house, slices: 1)
        await house.engine.keepRoom(room)
        let (first, second) = (try await house.issue(), try await house.issue("second"))
        house.control.fail(true)
        let done = try await house.give(.tokenRevoke(key: first.id, reason: "leaked")).receipt
        #expect(!done.isBad && !done.details.contains { $0.contains("NOT YET DURABLE") })
        #expect(try await house.control.load().virtualKeys.first { $0.id == first.id }?.revoked != nil)
        house.control.fail(true)
        let owed = try await house.give(.tokenRevoke(key: second.id, reason: "leaked")).receipt
        #expect(owed.details.contains { $0.contains("NOT YET DURABLE") })
        let before = room.renewals.withLock { $0 }
        await house.engine.tick()
        #expect(room.renewals.withLock { $0 } == before, "not while something is owed")
        house.control.fail(false)
        await house.engine.tick()
        await house.engine.tick()
        #expect(room.renewals.withLock { $0 } > before)
    }

    @Test func `a hold that was released before it could be written is not written afterwards`() async throws
    {
        let house = try await EngineFixture()
        let target = try Target("openai/gpt-6-sol")
        house.control.fail(true)
        try await house.give(.breakerTrip(target: target, seconds: 60, reason: "burning"))
        house.control.fail(false)
        try await house.give(.breakerRelease(target: target, reason: "better"))
        await house.engine.tick()
        #expect(try await house.control.load().holds[target] == nil)
        #expect(house.parts.breakers.status(of: target, at: house.clock.now).hold == nil)
    }

    @Test func `where an operator came from stands in the record`() async throws {
        let house = try await EngineFixture()
        let origin = OperatorOrigin(session: "0a0b0c0d", tty: "pts/4", uid: "1000", from: "10.2.0.9")
        let who = OperatorID(name: "mira", via: "console", origin: origin)
        await house.engine.note("session.open", "console", by: who, after: "full")
        let record = try #require(try await audited(house, "session.open").first)
        #expect(record.draft.origin == origin && record.draft.actor == "mira")
        #expect(record.draft.origin.words == "pts/4 uid 1000 from 10.2.0.9")
    }

    @Test func `what could not be said when it happened is said later`() async throws {
        let house = try await EngineFixture()
        house.control.fail(true)
        await house.engine.note("session.open", "console", by: EngineFixture.who)
        #expect(try await audited(house, "session.open").isEmpty)
        house.control.fail(false)
        await house.engine.tick()
        #expect(try await audited(house, "session.open").count == 1)
    }

    @Test func `the use of a provider key is counted per key, and written once an hour and at the end`()
        async throws
    {
        let house = try await EngineFixture()
        let id = try await house.addKey(Self.secret)
        let state = try await house.keyRecord(id)
        func lend(_ times: Int) throws {
            for _ in 0..<times {
                try house.parts.secrets.withSecret(of: state, for: house.provider.origin, at: house.clock.now)
                {
                    _ in
                }
            }
        }
        await house.engine.tick()
        try lend(3)
        await house.engine.tick()
        #expect(try await audited(house, "key.use").isEmpty)
        house.clock.advance(.seconds(3_601))
        await house.engine.tick()
        let first = try #require(try await audited(house, "key.use").first)
        #expect(first.draft.after == "openai/main \(state.fingerprint) 3", "\(first.draft.after)")
        #expect(first.draft.tenant == state.tenant && first.draft.target == "acme")
        try lend(2)
        await house.engine.noteKeyUses()
        let last = try #require(try await audited(house, "key.use").first)
        #expect(last.draft.after.hasSuffix(" 2"))
        await house.engine.noteKeyUses()
        #expect(try await audited(house, "key.use").count == 2)
    }
}

extension EngineFixture {
    fileprivate func keyRecord(_ id: ProviderKeyID) async throws -> ProviderKeyRecord {
        let acme = try await tenant()
        let keys = try await tenants.store(for: acme.id).providerKeys()
        return try #require(keys.first { $0.id == id })
    }
}

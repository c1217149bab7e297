import Cipher
import Domain
import Locking
import Operations
import Storage
import Testing
import Vault

@testable import Engine

/// Checkpoints of the audit: when they are signed, what they say, and where they go.
@Suite struct AuditSigningTests {
    private func checkpoints(_ house: EngineFixture) async throws -> [StoredCheckpoint] {
        try await house.control.checkpoints(after: 0, limit: 100)
    }

    private func verified(_ note: String, _ house: EngineFixture) async throws -> AuditCheckpoint {
        let record = try #require(try await house.control.load().vault)
        return try AuditCheckpoint(
            verifying: try #require(AuditNote.all(in: note.utf8).notes.first),
            key: try #require(record.auditLogKey), hashing: { SHA256.digest($0) },
            verifying: { Ed25519.verify($0, of: $1, publicKey: $2) })
    }

    @Test func `what an operator did is signed with the next tick, once`() async throws {
        let house = try await EngineFixture()
        try await house.give(
            .breakerTrip(target: try Target("openai/gpt-6-sol"), seconds: 60, reason: "test"))
        await house.engine.tick()
        let found = try await checkpoints(house)
        let head = try await house.control.auditHead()
        let last = try #require(found.last)
        #expect(last.size == head.size)
        let checkpoint = try await verified(last.note, house)
        #expect(checkpoint.root == head.root && checkpoint.size == head.size)
        #expect(checkpoint.time == house.clock.wall.milliseconds / 1_000)
        await house.engine.tick()
        await house.engine.signAudit()
        #expect(try await checkpoints(house).count == found.count)
    }

    @Test func `nothing is signed while the vault is sealed, and everything after it is unlocked`()
        async throws
    {
        let house = try await EngineFixture()
        await house.engine.signAudit()
        let before = try await checkpoints(house).count
        try await house.give(.vaultLock(reason: "test"))
        try await house.give(
            .breakerTrip(target: try Target("openai/gpt-6-sol"), seconds: 60, reason: "test"))
        await house.engine.tick()
        await house.engine.signAudit()
        #expect(try await checkpoints(house).count == before)
        try await house.give(.vaultUnlock, "0123456789abcdef0123456789abcdef")
        await house.engine.tick()
        let head = try await house.control.auditHead()
        #expect(try await checkpoints(house).last?.size == head.size)
    }

    @Test func `a checkpoint that could not be kept outside is kept there later, and the console says why`()
        async throws
    {
        let house = try await EngineFixture()
        let kept = Locked<[String]>([])
        let isFull = Locked(true)
        await house.engine.onCheckpoint { note in
            guard !isFull.withLock({ $0 }) else { throw StorageFailure.unavailable("the share is gone") }
            kept.withLock { $0.append(note) }
        }
        await house.engine.tick()
        house.engine.pump()
        #expect(kept.withLock(\.isEmpty))
        house.clock.advance(.seconds(2))
        house.engine.pump()
        let alert = house.engine.snapshot().alerts.first { $0.title == "audit" }
        #expect(alert?.text.contains("the share is gone") == true && alert?.level == .critical)
        isFull.withLock { $0 = false }
        await house.engine.tick()
        let last = try #require(try await checkpoints(house).last)
        #expect(kept.withLock { $0 } == [last.note])
        house.clock.advance(.seconds(2))
        house.engine.pump()
        #expect(!house.engine.snapshot().alerts.contains { $0.title == "audit" })
    }

    @Test func `a new log has a new key, names the old one, and begins where that ended`() async throws {
        let house = try await EngineFixture()
        await house.engine.signAudit()
        let old = try #require(try await house.control.load().vault?.auditLogKey)
        let head = try await house.control.auditHead()
        try await house.give(.auditNewLog(reason: "restored"))
        let new = try #require(try await house.control.load().vault?.auditLogKey)
        #expect(new.origin != old.origin && new.publicKey != old.publicKey)
        let record = try #require(try await house.control.auditRecords(before: nil, limit: 1).first)
        #expect(record.sequence == head.size + 1 && record.draft.action == "audit.new_log")
        #expect(
            record.draft.before
                == "\(old.origin) size \(head.size) root \(hexadecimalText(of: head.root.bytes))")
        #expect(record.draft.after == new.origin && record.draft.reason == "restored")
        let last = try #require(try await checkpoints(house).last)
        #expect(try await verified(last.note, house).size == record.sequence)
    }

    @Test func `a new root takes the key over, and it signs as before`() async throws {
        let house = try await EngineFixture()
        let old = try #require(try await house.control.load().vault?.auditSigner)
        let file = Array("0123456789abcdef0123456789abcdef".utf8).withUnsafeBytes { SecretDraft(copying: $0) }
        let bundle = SecretBundle.pack([file])
        _ = try await house.engine.perform(
            .vaultRotateRoot(kinds: [.keyFile], dropOthers: false), secret: bundle, by: EngineFixture.who)
        await house.engine.signAudit()
        let new = try #require(try await house.control.load().vault?.auditSigner)
        #expect(new.log == old.log && new.publicKey == old.publicKey && new.sealed != old.sealed)
        let last = try #require(try await checkpoints(house).last)
        #expect(try await verified(last.note, house).size == last.size)
        try house.parts.vault.verify(new)
    }

    @Test func `the gateway's own records wait for a thousand of them, or for a minute`() {
        var policy = CheckpointPolicy()
        let start = Instant(nanoseconds: 0)
        #expect(!policy.isDue(records: 0, at: start))
        #expect(policy.isDue(records: 1, at: start))
        policy.didSign(1, at: start)
        policy.note(byOperator: false)
        #expect(!policy.isDue(records: 2, at: start + .seconds(59)))
        #expect(policy.isDue(records: 2, at: start + .seconds(60)))
        #expect(!policy.isDue(records: 1_000, at: start))
        #expect(policy.isDue(records: 1_001, at: start))
        policy.note(byOperator: true)
        #expect(policy.isDue(records: 2, at: start))
        policy.didSign(2, at: start)
        #expect(!policy.isDue(records: 2, at: start + .seconds(600)))
    }
}

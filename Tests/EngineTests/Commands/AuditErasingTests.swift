import Cipher
import Domain
import Operations
import Storage
import Testing

@testable import Engine

@Suite struct AuditErasingTests {
    private func erase(
        _ name: String, confirm: String? = nil, reason: String = "request 4711"
    ) -> EngineCommand {
        .auditErase(operatorName: name, confirm: confirm ?? name, reason: reason)
    }

    private func records(_ house: EngineFixture) async throws -> [AuditRecord] {
        try await house.control.auditRecords(from: 1, limit: 1_000)
    }

    private func act(_ house: EngineFixture, as name: String) async throws {
        let origin = OperatorOrigin(session: "0a1b2c3d", tty: "pts/4", uid: "1000", from: "10.2.0.9")
        _ = try await house.engine.perform(
            .breakerTrip(target: try Target("openai/gpt-6-sol"), seconds: 60, reason: "test"), secret: nil,
            by: OperatorID(name: name, via: "command", origin: origin))
    }

    @Test func `an erased operator is in no record, and every proof stays as it was`() async throws {
        let house = try await EngineFixture()
        for name in ["alice", "bob", "alice"] { try await act(house, as: name) }
        await house.engine.signAudit()
        let before = try await records(house)
        let checkpoint = try await house.control.lastCheckpoint()
        let receipt = try await house.give(erase("alice")).receipt
        #expect(receipt.message == "erased in 2 records who the operator was" && !receipt.isBad)
        let after = try await records(house)
        #expect(after.count == before.count + 1)
        #expect(after.dropLast().map(\.hash) == before.map(\.hash))
        #expect(!after.contains { $0.draft.actor == "alice" })
        let erased = after.filter { $0.blinding.isEmpty }
        #expect(erased.count == 2 && erased.allSatisfy { $0.draft.origin == .unknown })
        #expect(erased.allSatisfy { $0.draft.action == "breaker.trip" && $0.draft.reason == "test" })
        #expect(after.contains { $0.draft.actor == "bob" && $0.draft.origin.from == "10.2.0.9" })
        // The record of it says what, not whom.
        let last = try #require(after.last).draft
        #expect(last.action == "audit.erase" && last.before == "an operator in 2 records")
        #expect(last.actor == EngineFixture.who.name && last.reason == "request 4711")
        #expect(![last.target, last.before, last.after].contains { $0.contains("alice") })
        guard case .intact = try await house.control.verifyAudit() else {
            Issue.record("the chain is broken")
            return
        }
        #expect(try await house.control.lastCheckpoint() == checkpoint)
        #expect(!house.engine.snapshot().audit.contains { $0.draft.actor == "alice" })
        await house.engine.signAudit()
        #expect(try await house.control.lastCheckpoint()?.size == Int64(after.count))
    }

    @Test func `without the name once more, or for the gateway itself, nothing is erased`() async throws {
        let house = try await EngineFixture()
        try await act(house, as: "alice")
        let before = try await records(house)
        for command in [
            erase("alice", confirm: "Alice"), erase("gateway"), erase(""), erase("alice", reason: ""),
        ] {
            await #expect(throws: CommandRefusal.self) { try await house.give(command) }
        }
        #expect(try await records(house) == before)
    }

    @Test func `whoever erases himself is named by the record of it alone`() async throws {
        let house = try await EngineFixture()
        try await house.give(erase(EngineFixture.who.name))
        let named = try await records(house).filter { $0.draft.actor == EngineFixture.who.name }
        #expect(named.map(\.draft.action) == ["audit.erase"])
    }
}

import Domain
import Locking
import Operations
import Storage
import Testing

@testable import Engine

/// Who sees what, how refusals are bounded, and how roles change.
@Suite struct RoleGateTests {
    private func configure(_ house: EngineFixture, _ roles: [String: OperatorRole]) async throws {
        try await house.engine.configure(
            providers: [house.provider.name: house.provider], routes: [:], roster: OperatorRoster(roles),
            options: house.engine.parts.options.load(), note: "in force", by: EngineFixture.who)
    }

    private func person(
        _ account: String, foreign: Bool = false, ceiling: OperatorRole? = nil, called name: String? = nil
    ) -> OperatorID {
        OperatorID(
            name: name ?? account, via: "command", account: account, isForeign: foreign, ceiling: ceiling)
    }

    private func audited(_ house: EngineFixture) async throws -> [AuditDraft] {
        try await house.control.auditRecords(before: nil, limit: 1_000).map(\.draft)
    }

    @Test func `whoever has no role sees an empty picture, others see it with their role`() async throws {
        let house = try await EngineFixture()
        try await configure(house, ["ada": .admin, "vera": .viewer])
        let nobody = house.engine.snapshot(for: person("nemo"))
        #expect(nobody.role == nil && nobody.tenants.isEmpty && nobody.audit.isEmpty)
        #expect(nobody.providerKeys.isEmpty && nobody.virtualKeys.isEmpty && nobody.vault == .init())
        let viewer = house.engine.snapshot(for: person("vera"))
        #expect(viewer.role == .viewer && viewer.tenants.map(\.name.text) == ["acme"])
        #expect(house.engine.snapshot(for: person("ada", ceiling: .operator)).role == .operator)
    }

    @Test func `while nobody is named the engine's account does everything and others nothing`() async throws
    {
        let house = try await EngineFixture()
        #expect(house.engine.snapshot(for: person("root")).role == .admin)
        #expect(house.engine.snapshot(for: person("vera", foreign: true)).role == nil)
        await #expect(throws: CommandRefusal.self) {
            try await house.engine.admit(.status, on: "", by: person("vera", foreign: true))
        }
    }

    @Test func `a role can be lowered for a session and never raised`() async throws {
        let house = try await EngineFixture()
        try await configure(house, ["ada": .admin, "vera": .viewer])
        let lowered = await #expect(throws: CommandRefusal.self) {
            try await house.engine.admit(.tenantAdd, on: "x", by: person("ada", ceiling: .viewer))
        }
        #expect(
            lowered?.message.contains("begin one without --role") == true, "\(String(describing: lowered))")
        let raised = await #expect(throws: CommandRefusal.self) {
            try await house.engine.admit(.tenantAdd, on: "x", by: person("vera", ceiling: .admin))
        }
        #expect(raised?.message.contains("vera has viewer") == true)
    }

    @Test func `the audit names the account and not what a program calls itself`() async throws {
        let house = try await EngineFixture()
        try await configure(house, ["ada": .admin, "oscar": .operator])
        let liar = person("oscar", called: "ada")
        await #expect(throws: CommandRefusal.self) {
            try await house.engine.perform(.vaultLock(reason: "x"), secret: nil, by: liar)
        }
        _ = try await house.engine.perform(.cachePurge(tenant: nil), secret: nil, by: liar)
        let newest = try await audited(house).prefix(2)
        #expect(newest.map(\.actor) == ["oscar", "oscar"] && newest.map(\.result) == ["ok", "DENIED"])
    }

    @Test func `a change of roles is audited for each account, with before and after`() async throws {
        let house = try await EngineFixture()
        try await configure(house, ["ada": .admin, "vera": .viewer])
        try await configure(house, ["ada": .admin, "vera": .operator, "oscar": .viewer])
        try await configure(house, ["ada": .admin, "vera": .operator, "oscar": .viewer])
        let changes = try await audited(house).filter { $0.action == "role.change" }.reversed()
        #expect(
            changes.map { "\($0.target): \($0.before) -> \($0.after)" } == [
                "the engine's account: admin while nobody is named -> as named",
                "ada: no role -> admin", "vera: no role -> viewer",
                "oscar: no role -> viewer", "vera: viewer -> operator",
            ])
        #expect(changes.allSatisfy { $0.actor == "ops" && $0.result == "ok" })
    }

    @Test func `a change of roles that cannot be audited does not happen`() async throws {
        let house = try await EngineFixture()
        try await configure(house, ["ada": .admin])
        house.control.fail(true)
        await #expect(throws: CommandRefusal.self) {
            try await configure(house, ["ada": .admin, "vera": .admin])
        }
        house.control.fail(false)
        #expect(house.engine.snapshot(for: person("vera")).role == nil)
    }

    @Test func `a refusal is a refusal also when it cannot be written, and is written later`() async throws {
        let house = try await EngineFixture()
        try await configure(house, ["ada": .admin])
        house.control.fail(true)
        await #expect(throws: CommandRefusal.self) {
            try await house.engine.admit(.status, on: "", by: person("nemo"))
        }
        #expect(try await audited(house).allSatisfy { $0.result != "DENIED" })
        house.control.fail(false)
        await house.engine.tick()
        #expect(try await audited(house).count { $0.result == "DENIED" } == 1)
    }

    @Test func `who asks again and again does not fill the audit, and the count is said`() async throws {
        let house = try await EngineFixture()
        try await configure(house, ["ada": .admin])
        func knock(_ times: Int, _ account: String) async {
            for _ in 0..<times {
                await #expect(throws: CommandRefusal.self) {
                    try await house.engine.admit(.status, on: "", by: person(account))
                }
            }
        }
        await knock(DenialTally.recordsMost + 30, "nemo")
        await knock(1, "otto")
        let denied = try await audited(house).filter { $0.result == "DENIED" }
        #expect(denied.count { $0.actor == "nemo" } == DenialTally.recordsMost)
        #expect(denied.count { $0.actor == "otto" } == 1, "one does not hide another")
        house.clock.advance(DenialTally.window)
        await knock(1, "nemo")
        #expect(try await audited(house).first?.reason == "no role (and 30 times more since the last record)")
    }

    @Test func `no number of accounts makes the tally grow`() {
        var tally = DenialTally()
        for number in 0..<10_000 {
            #expect(tally.note("account\(number)", at: Instant(nanoseconds: Int64(number))) == 0)
        }
        #expect(tally.count <= 256)
    }
}

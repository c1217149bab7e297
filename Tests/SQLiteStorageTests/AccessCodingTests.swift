import Domain
import GRDB
import Storage
import TestKit
import Testing

@testable import SQLiteStorage

/// What somebody who can write the control database, and has no key, can do to the rows that decide access.
@Suite struct AccessCodingTests {
    private let folder = StorageFolder()

    /// A keyed sum in the place of HMAC, which is not this suite's business.
    private static let coding: RowCoding = { testCode([0xc0, 0xde] + $0) }

    private static func testCode(_ bytes: [UInt8]) -> Digest256 { bytes.withUnsafeBytes { testHash($0) } }

    private func open() throws -> SQLiteControlStore {
        try SQLiteControlStore(in: folder.data(), hashing: testHash, coding: Self.coding)
    }

    private static var vault: VaultRecord {
        var vault = Samples.vault()
        vault.rowsCoded = true
        return vault
    }

    /// Two tenants with a virtual key each and some ceilings; the store is closed.
    private func house() async throws -> (file: String, ant: VirtualKeyRecord, bee: VirtualKeyRecord) {
        let store = try open()
        try await store.createVault(Self.vault, audit: Samples.draft())
        let (ant, antKey) = try Samples.tenant("ant", id: .init(high: 1, low: 1))
        let (bee, beeKey) = try Samples.tenant("bee", id: .init(high: 2, low: 2))
        try await store.insertTenant(ant, key: antKey, audit: Samples.draft())
        try await store.insertTenant(bee, key: beeKey, audit: Samples.draft())
        let first = try Samples.virtualKey("first", of: ant.id, hash: 1)
        let second = try Samples.virtualKey("second", of: bee.id, hash: 2)
        try await store.insertVirtualKey(first, audit: Samples.draft())
        try await store.insertVirtualKey(second, audit: Samples.draft())
        try await store.setLimits(
            LimitRecord(
                tenant: ant.id, owner: .team(try Label("red")), limits: LimitSet(requestsPerMinute: 5)),
            audit: Samples.draft())
        let file = store.file.path
        #expect(try await store.checkRows().isClean)
        try store.close()
        return (file, first, second)
    }

    private func findings(after sql: String) async throws -> (AccessFindings, VirtualKeyRecord) {
        let (file, ant, _) = try await house()
        try folder.tamper(file, sql)
        let store = try open()
        let found = try await store.checkRows()
        try store.close()
        return (found, ant)
    }

    @Test(arguments: [
        "tenant = (SELECT id FROM tenants WHERE name = 'bee')", "models = ''", "models = 'gpt-5'",
        "requests_per_minute = 1000000", "tokens_per_minute = NULL", "parallel = 9", "user_name = 'root'",
        "team = 'blue'", "expires = 9999999999999", "revoked = 1", "class = 'batch'", "name = 'other'",
        "hash = zeroblob(32)", "created = 1", "successor = zeroblob(16)", "code = zeroblob(32)",
    ])
    func `a virtual key's row that was edited is named, and it alone is not used`(edit: String) async throws {
        let (found, key) = try await findings(
            after: "UPDATE virtual_keys SET \(edit) WHERE name = 'first'")
        #expect(found.virtualKeys == [key.id] && found.tenants.isEmpty && !found.isWhole)
        #expect(found.sentences.count == 1 && found.sentences[0].contains("virtual key"))
    }

    @Test(arguments: [
        "status = 'suspended'", "requests_per_minute = NULL", "tokens_per_minute = 1", "parallel = NULL",
        "cache_enabled = 0", "platform_keys = 1", "name = 'cow'", "created = 9",
    ])
    func `a tenant's row that was edited shuts that tenant`(edit: String) async throws {
        let (found, _) = try await findings(after: "UPDATE tenants SET \(edit) WHERE name = 'bee'")
        #expect(found.tenants == [.init(high: 2, low: 2)] && !found.isWhole)
    }

    @Test(arguments: ["requests_per_minute = 50", "requests_per_minute = NULL, parallel = 1"])
    func `a ceiling that was edited shuts its tenant`(edit: String) async throws {
        let (found, _) = try await findings(after: "UPDATE limits SET \(edit)")
        #expect(found.tenants == [.init(high: 1, low: 1)] && !found.isWhole)
    }

    @Test(arguments: [
        "UPDATE virtual_keys SET counter = counter + 1 WHERE name = 'first'",
        "UPDATE limits SET owner = 'blue'",
    ])
    func `a row under another name or number is no row of ours`(sql: String) async throws {
        let (found, _) = try await findings(after: sql)
        #expect(found.isWhole || !found.tenants.isEmpty)
    }

    @Test func `a row of somebody's own is named and not used; nobody else is harmed`() async throws {
        let (found, key) = try await findings(
            after: """
                INSERT INTO virtual_keys SELECT zeroblob(16), tenant, 'mine', x'\(String(repeating: "ab", count: 32))',
                    user_name, team, models, requests_per_minute, tokens_per_minute, parallel, created, expires,
                    revoked, successor, class, counter, code FROM virtual_keys WHERE name = 'first'
                """)
        #expect(found.virtualKeys == [.init(high: 0, low: 0)] && !found.isWhole && found.tenants.isEmpty)
        #expect(!found.virtualKeys.contains(key.id))
    }

    @Test(arguments: ["virtual_keys WHERE name = 'first'", "limits"])
    func `a row that was taken away is found`(what: String) async throws {
        let (found, _) = try await findings(after: "DELETE FROM \(what)")
        #expect(found.isWhole && found.sentences[0].contains("put back"))
    }

    @Test(arguments: [
        "DELETE FROM access_seal", "UPDATE access_seal SET sum = zeroblob(32)",
        "UPDATE access_seal SET counter = 1", "UPDATE access_seal SET code = zeroblob(32)",
    ])
    func `without its seal nothing is trusted`(sql: String) async throws {
        let (found, _) = try await findings(after: sql)
        #expect(found.isWhole && found.sentences.last?.contains("seal") == true)
    }

    @Test func `an old row put back, with the code it had, does not bring a revoked key back`() async throws {
        var (file, ant, _) = try await house()
        func row() throws -> [DatabaseValue] {
            try DatabaseQueue(path: file).read { database in
                let row = try Row.fetchOne(
                    database, sql: "SELECT revoked, counter, code FROM virtual_keys WHERE name = 'first'")
                return Array(try #require(row).databaseValues)
            }
        }
        let old = try row()
        var store = try open()
        ant.revoked = .init(milliseconds: 77)
        try await store.updateVirtualKey(ant, audit: Samples.draft())
        #expect(try await store.checkRows().isClean)
        try store.close()
        try await DatabaseQueue(path: file).write { database in
            try database.execute(
                sql: "UPDATE virtual_keys SET revoked = ?, counter = ?, code = ? WHERE name = 'first'",
                arguments: StatementArguments(old))
        }
        store = try open()
        let found = try await store.checkRows()
        #expect(found.isWhole && found.virtualKeys.isEmpty)
        try store.close()
        // Nor together with the seal of that time's number.
        try folder.tamper(file, "UPDATE access_seal SET counter = counter - 1")
        store = try open()
        #expect(try await store.checkRows().isWhole)
        try store.close()
    }

    @Test func `a row that something else changed is not overwritten, and so taken for ours`() async throws {
        let (file, ant, bee) = try await house()
        try folder.tamper(file, "UPDATE virtual_keys SET models = '' WHERE name = 'first'")
        let store = try open()
        let why = await refusal { try await store.updateVirtualKey(ant, audit: Samples.draft()) }
        #expect(why?.description.contains("changed by something else") == true)
        // Others go on.
        try await store.updateVirtualKey(bee, audit: Samples.draft())
        #expect(try await store.checkRows().virtualKeys == [ant.id])
    }

    @Test func `rows cannot be written without the vault, and are not lost`() async throws {
        let (_, ant, _) = try await house()
        let store = try SQLiteControlStore(in: folder.data(), hashing: testHash)
        #expect(await refusal { try await store.updateVirtualKey(ant, audit: Samples.draft()) } != nil)
        #expect(try await store.load().virtualKeys.count == 2)
        try store.close()
        #expect(try await open().checkRows().isClean)
    }

    @Test func `rows from before there were codes get theirs, and other hashes, once`() async throws {
        let old = try folder.controlStore()
        try await old.createVault(Samples.vault(), audit: Samples.draft())
        let (ant, key) = try Samples.tenant("ant")
        try await old.insertTenant(ant, key: key, audit: Samples.draft())
        try await old.insertVirtualKey(
            try Samples.virtualKey("k", of: ant.id, hash: 1), audit: Samples.draft())
        try old.close()
        let store = try open()
        #expect(try await store.checkRows().isClean)
        var vault = try #require(try await store.load().vault)
        vault.rowsCoded = true
        vault.epoch += 1
        try await store.codeRows(vault, hashing: { $0.map { $0 &+ 1 } }, audit: Samples.draft())
        #expect(try await store.load().virtualKeys.map(\.hash) == [[UInt8](repeating: 2, count: 32)])
        #expect(try await store.checkRows().rows == 2)
        // An operator who takes rows as they stand does not change hashes again.
        vault.epoch += 1
        try await store.codeRows(vault, hashing: { $0.map { $0 &+ 1 } }, audit: Samples.draft())
        #expect(try await store.load().virtualKeys.map(\.hash) == [[UInt8](repeating: 2, count: 32)])
        #expect(try await store.checkRows().isClean)
    }

    @Test func `any history of changes leaves rows that fit their seal`() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("access coding seed \(seed)")
        var generator = SplitMix(seed: seed)
        let store = try open()
        try await store.createVault(Self.vault, audit: Samples.draft())
        var keys: [VirtualKeyRecord] = []
        let (ant, antKey) = try Samples.tenant("ant")
        try await store.insertTenant(ant, key: antKey, audit: Samples.draft())
        for step in 0..<120 {
            switch Int.random(in: 0..<4, using: &generator) {
            case 0:
                let key = try Samples.virtualKey("k\(step)", of: ant.id, hash: UInt8(step + 1))
                try await store.insertVirtualKey(key, audit: Samples.draft())
                keys.append(key)
            case 1 where !keys.isEmpty:
                let index = Int.random(in: 0..<keys.count, using: &generator)
                keys[index].revoked = .init(milliseconds: Int64(step))
                try await store.updateVirtualKey(keys[index], audit: Samples.draft())
            case 2:
                let limits = LimitSet(parallel: Bool.random(using: &generator) ? step : nil)
                let team = try Label("t\(Int.random(in: 0..<3, using: &generator))")
                try await store.setLimits(
                    LimitRecord(tenant: ant.id, owner: .team(team), limits: limits), audit: Samples.draft())
            default:
                var changed = ant
                changed.limits.parallel = step
                try await store.updateTenant(changed, audit: Samples.draft())
            }
        }
        #expect(try await store.checkRows().isClean)
        #expect(try await store.checkRows().rows > 1)
    }
}

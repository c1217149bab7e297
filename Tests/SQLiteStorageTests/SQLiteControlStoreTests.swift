import Domain
import Foundation
import GRDB
import Storage
import TestKit
import Testing

@testable import SQLiteStorage

@Suite struct SQLiteControlStoreTests {
    private let folder = StorageFolder()

    /// A closed control file with a chain of so many records.
    private func chain(_ count: Int) async throws -> String {
        let store = try folder.controlStore()
        for index in 0..<count { try await store.appendAudit(Samples.draft("test.\(index)")) }
        try store.close()
        return try folder.data().controlFile
    }

    private func verdict(after sql: String) async throws -> AuditVerification {
        try folder.tamper(try await chain(6), sql)
        return try await folder.controlStore().verifyAudit()
    }

    @Test func `what was written is there after closing and opening`() async throws {
        let (ant, key) = try Samples.tenant("ant")
        let token = try Samples.virtualKey("k", of: ant.id, hash: 1)
        let store = try folder.controlStore()
        try await store.createVault(Samples.vault(), audit: Samples.draft())
        try await store.insertTenant(ant, key: key, audit: Samples.draft())
        try await store.insertVirtualKey(token, audit: Samples.draft())
        let before = try await store.load()
        try store.close()
        let again = try folder.controlStore()
        #expect(try await again.load() == before)
        let records = try await again.auditRecords(before: nil, limit: 9)
        #expect(try await again.verifyAudit() == .intact(records: 3, head: records[0].hash))
    }

    @Test func `an audit record changed in the file is found`() async throws {
        let found = try await verdict(after: "UPDATE audit SET target = 'bob' WHERE sequence = 3")
        #expect(found == .broken(at: 3, what: "the record was changed"))
        try folder.tamper(
            try folder.data().controlFile, "UPDATE audit SET target = 'x', peer = '::1' WHERE sequence = 3")
        let moved = try await folder.controlStore().verifyAudit()
        #expect(moved == .broken(at: 3, what: "who did it was changed"))
    }

    @Test func `an audit record's number or hash changed in the file is found`() async throws {
        let found = try await verdict(after: "UPDATE audit SET hash = zeroblob(32) WHERE sequence = 6")
        #expect(found == .broken(at: 6, what: "the record was changed"))
    }

    @Test func `an audit record deleted from the file is found`() async throws {
        let found = try await verdict(after: "DELETE FROM audit WHERE sequence IN (1, 2)")
        #expect(found == .broken(at: 1, what: "records up to 2 are missing"))
    }

    @Test func `audit records that changed places in the file are found`() async throws {
        let found = try await verdict(
            after: """
                UPDATE audit SET sequence = 99 WHERE sequence = 2;
                UPDATE audit SET sequence = 2 WHERE sequence = 3;
                UPDATE audit SET sequence = 3 WHERE sequence = 99;
                """)
        #expect(found == .broken(at: 2, what: "the record was changed"))
    }

    @Test func `an audit record that cannot be read is a finding, not an end`() async throws {
        let found = try await verdict(
            after: "PRAGMA ignore_check_constraints = ON; UPDATE audit SET id = x'01' WHERE sequence = 4")
        #expect(found == .broken(at: 4, what: "the record cannot be read"))
    }

    @Test func `a chain cut at its end is found by the stored tree, unless that was cut too`() async throws {
        let found = try await verdict(after: "DELETE FROM audit WHERE sequence > 4")
        #expect(found == .broken(at: 5, what: "records up to 6 are missing at the end"))
        try folder.tamper(try folder.data().controlFile, "DELETE FROM audit_tree")
        guard case .intact(records: 4, _) = try await folder.controlStore().verifyAudit() else {
            Issue.record("not intact")
            return
        }
    }

    @Test func `a changed tree is found`() async throws {
        let tree = try await verdict(after: "UPDATE audit_tree SET peaks = zeroblob(64)")
        #expect(tree == .broken(at: 7, what: "the stored tree does not fit the records"))
    }

    @Test func `the tree grows with the records and is read after closing and opening`() async throws {
        var leaves: [Digest256] = []
        for round in 0..<4 {
            let store = try folder.controlStore()
            for index in 0..<3 {
                let record = try await store.appendAudit(Samples.draft("test.\(round).\(index)"))
                leaves.append(try #require(Digest256(bytes: record.hash)))
            }
            let tree = MerkleTree(leaves, hashing: testHash)
            let head = try await store.auditHead()
            #expect(head.size == Int64(leaves.count) && head.root == tree.root(size: leaves.count))
            #expect(try await store.auditLeaves(size: head.size) == leaves)
            #expect(try await store.walkAudit().root == head.root)
            try store.close()
        }
    }

    @Test func `records from before there was a tree go on as they are, and get leaves`() async throws {
        let store = try folder.controlStore()
        try await store.file.write { database in
            var previous = AuditChain.origin
            for sequence in Int64(1)...5 {
                let draft = Samples.draft("old.\(sequence)")
                let hash = AuditChain.canonicalForm(of: draft, sequence: sequence, previous: previous)
                    .withUnsafeBytes { testHash($0).bytes }
                try AuditRecord(sequence: sequence, draft: draft, previous: previous, hash: hash)
                    .insert(into: database)
                previous = hash
            }
        }
        #expect(try await store.auditHead().size == 5)
        let next = try await store.appendAudit(Samples.draft("new"))
        #expect(next.form == .json)
        let walk = try await store.walkAudit()
        #expect(walk.verdict == .intact(records: 6, head: next.hash))
        #expect(try await store.auditHead() == AuditHead(size: 6, head: next.hash, root: walk.root))
    }

    @Test func `an operator's facts can be erased, and not replaced`() async throws {
        let erased = try await verdict(
            after: "UPDATE audit SET actor = '', blinding = x'' WHERE sequence = 3")
        guard case .intact(records: 6, _) = erased else {
            Issue.record("\(erased)")
            return
        }
        try folder.tamper(try folder.data().controlFile, "UPDATE audit SET actor = 'bob' WHERE sequence = 3")
        let found = try await folder.controlStore().verifyAudit()
        #expect(found == .broken(at: 3, what: "who did it was changed"))
    }

    @Test func `a chain longer than one batch is walked to its end`() async throws {
        let store = try folder.controlStore()
        try await store.file.write { database in
            var last: AuditRecord?
            for index in 0..<2_500 {
                let record = AuditChain.record(
                    of: Samples.draft("n.\(index)"), after: last, hashing: testHash)
                try record.insert(into: database)
                last = record
            }
        }
        guard case .intact(records: 2_500, _) = try await store.verifyAudit() else {
            Issue.record("not intact")
            return
        }
    }

    @Test func `a change whose audit record cannot be written does not happen`() async throws {
        let file = try await chain(1)
        try folder.tamper(
            file, "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        let store = try folder.controlStore()
        let (ant, key) = try Samples.tenant("ant")
        let found = await refusal { try await store.insertTenant(ant, key: key, audit: Samples.draft()) }
        #expect(found?.description.contains("disk full") == true)
        #expect(try await store.load().tenants.isEmpty)
    }

    @Test func `the schema is made from an empty file and left alone afterwards`() async throws {
        let file = try await chain(0)
        let before = try schema(of: file)
        #expect(before.count == 14)
        try folder.controlStore().close()
        #expect(try schema(of: file) == before)
        #expect(Schema.control.steps.map(\.number) == Array(1...Int64(Schema.control.steps.count)))
        #expect(Schema.tenant.steps.map(\.number) == Array(1...Int64(Schema.tenant.steps.count)))
    }

    @Test func `a file of the first schema gets the second, and its virtual keys are interactive`()
        async throws
    {
        let store = try folder.controlStore()
        let (ant, tenantKey) = try Samples.tenant("ant")
        try await store.insertTenant(ant, key: tenantKey, audit: Samples.draft())
        let key = try Samples.virtualKey("k", of: ant.id, hash: 1)
        try await store.insertVirtualKey(key, audit: Samples.draft())
        let path = store.file.path
        try store.close()
        // Back to what the first version wrote.
        try folder.tamper(
            path,
            "DROP TABLE limits; ALTER TABLE virtual_keys DROP COLUMN class; "
                + "ALTER TABLE tenants DROP COLUMN platform_keys; ALTER TABLE vault DROP COLUMN epoch; "
                + "ALTER TABLE vault DROP COLUMN ring; ALTER TABLE vault DROP COLUMN previous_root; "
                + "ALTER TABLE tenant_keys DROP COLUMN sealings; "
                + "ALTER TABLE vault_slots DROP COLUMN outside_name; "
                + "ALTER TABLE vault_slots DROP COLUMN outside_sealed; "
                + "ALTER TABLE vault DROP COLUMN rows_coded; "
                + "ALTER TABLE tenants DROP COLUMN counter; ALTER TABLE tenants DROP COLUMN code; "
                + "ALTER TABLE virtual_keys DROP COLUMN counter; ALTER TABLE virtual_keys DROP COLUMN code; "
                + "DROP TABLE access_seal; DROP TABLE shredded; "
                + "DROP TABLE audit_tree; "
                + "DROP TABLE audit_checkpoints; ALTER TABLE vault DROP COLUMN audit_log; "
                + "ALTER TABLE vault DROP COLUMN audit_public; ALTER TABLE vault DROP COLUMN audit_secret; "
                + ["form", "commitment", "blinding", "session", "tty", "uid", "peer"]
                .map { "ALTER TABLE audit DROP COLUMN \($0); " }.joined() + "PRAGMA user_version = 1")
        let contents = try await folder.controlStore().load()
        #expect(contents.virtualKeys == [key] && key.callClass == .interactive)
        #expect(contents.limits.isEmpty && contents.tenants == [ant] && !ant.usesPlatformKeys)
    }

    @Test func `a newer schema, another program's file and a file that is no database are refused`()
        async throws
    {
        let file = try await chain(0)
        try folder.tamper(file, "PRAGMA user_version = 99")
        let newest = Schema.control.steps.count
        let newer = await refusal { _ = try folder.controlStore() }
        #expect(
            newer?.description.contains(
                "written by a newer gatehouse (schema 99, this one knows up to \(newest))")
                == true)
        try folder.tamper(file, "PRAGMA user_version = 1; PRAGMA application_id = 7")
        let foreign = await refusal { _ = try folder.controlStore() }
        #expect(foreign == .corrupt("\(file) is not a control database of gatehouse"))
        for companion in ["", "-wal", "-shm"] { unlink(file + companion) }
        #expect(
            FileManager.default.createFile(
                atPath: file, contents: Data(repeating: 65, count: 8_192),
                attributes: [.posixPermissions: 0o600]))
        guard case .corrupt = await refusal({ _ = try folder.controlStore() }) else {
            Issue.record("a text file was opened as a database")
            return
        }
    }

    @Test func `a damaged row is a refusal that names the column`() async throws {
        let store = try folder.controlStore()
        let (ant, key) = try Samples.tenant("ant")
        try await store.insertTenant(ant, key: key, audit: Samples.draft())
        try store.close()
        try folder.tamper(try folder.data().controlFile, "UPDATE tenants SET status = 'odd'")
        let again = try folder.controlStore()
        let found = await refusal { _ = try await again.load() }
        #expect(found == .corrupt("the column status of a stored record cannot be read"))
    }

    @Test func `what a change of the vault removes is in none of the files any more`() async throws {
        let store = try folder.controlStore()
        var vault = Samples.vault()
        let mark = Array("REMOVED-WRAP-OF-A-SLOT".utf8)
        vault.slots[0] = VaultSlot(
            id: .random(), kind: .keyFile, scryptN: 0, salt: [], rootVersion: 1, sealedRoot: mark,
            created: vault.created)
        try await store.createVault(vault, audit: Samples.draft())
        let (ant, key) = try Samples.tenant("ant")
        var marked = key
        marked.wrapped = Array("DESTROYED-WRAP-OF-A-TENANT".utf8)
        try await store.insertTenant(ant, key: marked, audit: Samples.draft())
        func holds(_ text: [UInt8]) throws -> Bool {
            try ["", "-wal"].contains { companion in
                let bytes = try Data(
                    contentsOf: URL(fileURLWithPath: try folder.data().controlFile + companion))
                return bytes.range(of: Data(text)) != nil
            }
        }
        #expect(try holds(mark) && holds(marked.wrapped))
        var next = vault
        next.epoch = 1
        next.slots.removeFirst()
        let kept = marked.wrapped
        marked.state = .destroyed
        marked.wrapped = []
        try await store.changeVault(next, keys: [marked], audit: nil)
        #expect(try !holds(mark))
        #expect(try !holds(kept))
    }

    private func schema(of file: String) throws -> [String] {
        try DatabaseQueue(path: file).read {
            try String.fetchAll($0, sql: "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
        }
    }
}

import CSQLite
import Domain
import Foundation
import GRDB
import Storage
import TestKit
import Testing

@testable import SQLiteStorage

@Suite struct ConnectionRulesTests {
    private let folder = StorageFolder()

    /// Everything the rules promise, read from the connection itself and not from the rules' own list.
    private static func settings(_ database: Database) throws -> [String] {
        let handle = try #require(database.sqliteConnection)
        func pragma(_ name: String) throws -> String {
            "\(name)=\(try Row.fetchOne(database, sql: "PRAGMA \(name)")?[0] as DatabaseValue? ?? .null)"
        }
        return [
            try pragma("journal_mode"), try pragma("synchronous"), try pragma("foreign_keys"),
            try pragma("secure_delete"), try pragma("temp_store"), try pragma("trusted_schema"),
            try pragma("busy_timeout"),
            "defensive=\(gatehouse_sqlite_get(handle, SQLITE_DBCONFIG_DEFENSIVE))",
            "fts3=\(gatehouse_sqlite_get(handle, SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER))",
            "extensions=\(gatehouse_sqlite_get(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION))",
            "dqs=\(gatehouse_sqlite_get(handle, SQLITE_DBCONFIG_DQS_DML))",
            "dqs_schema=\(gatehouse_sqlite_get(handle, SQLITE_DBCONFIG_DQS_DDL))",
            "attached=\(sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, -1))",
        ]
    }

    private static let wanted = [
        "journal_mode=\"wal\"", "synchronous=2", "foreign_keys=1", "secure_delete=1", "temp_store=2",
        "trusted_schema=0", "busy_timeout=5000", "defensive=1", "fts3=0", "extensions=0", "dqs=0",
        "dqs_schema=0", "attached=0",
    ]

    @Test func `every rule holds on the control store's writer and on its readers`() async throws {
        let file = try folder.controlStore().file
        #expect(try await file.writeOutsideTransaction { try Self.settings($0) } == Self.wanted)
        // Two reads that overlap run on two connections.
        async let first = file.read { try Self.settings($0) }
        async let second = file.read { try Self.settings($0) }
        #expect(try await first == Self.wanted)
        #expect(try await second == Self.wanted)
        try await file.read { database in
            #expect(database.configuration.readonly)
        }
    }

    @Test func `every rule holds on a tenant's connection`() async throws {
        let tenant = TenantID(high: 1, low: 1)
        let stores = try folder.tenantStores()
        try await stores.create(tenant, vault: Samples.vaultID)
        let file = try await stores.file(of: tenant)
        #expect(try await file.writeOutsideTransaction { try Self.settings($0) } == Self.wanted)
        #expect(try await file.read { try Self.settings($0) } == Self.wanted)
    }

    @Test
    func `a tenant's connection attaches nothing, hands out no tokenizer and reads no double-quoted text`()
        async throws
    {
        let (mine, other) = (TenantID(high: 1, low: 1), TenantID(high: 1, low: 2))
        let stores = try folder.tenantStores()
        for tenant in [mine, other] { try await stores.create(tenant, vault: Samples.vaultID) }
        let file = try await stores.file(of: mine)
        let path = folder.tenantFile(other)
        let refused: [(sql: String, arguments: StatementArguments, says: String)] = [
            ("ATTACH DATABASE ? AS other", [path], "too many attached"),
            ("ATTACH DATABASE ':memory:' AS other", [], "too many attached"),
            ("VACUUM", [], "too many attached"),
            ("SELECT fts3_tokenizer('simple', x'0000000000000000')", [], "fts3tokenize disabled"),
            ("SELECT load_extension('x')", [], "not authorized"),
            ("SELECT \"nosuchcolumn\" FROM header", [], "no such column"),
            ("UPDATE sqlite_schema SET sql = '' WHERE name = 'usage'", [], "may not be modified"),
        ]
        for (sql, arguments, says) in refused {
            let found = await refusal {
                try await file.writeOutsideTransaction { try $0.execute(sql: sql, arguments: arguments) }
            }
            #expect(found?.description.contains(says) == true, "\(sql): \(found?.description ?? "accepted")")
        }
    }

    @Test func `whatever a statement tries, a tenant's connection reaches no file but its own`() async throws
    {
        let (mine, other) = (TenantID(high: 1, low: 1), TenantID(high: 1, low: 2))
        let stores = try folder.tenantStores()
        for tenant in [mine, other] { try await stores.create(tenant, vault: Samples.vaultID) }
        let file = try await stores.file(of: mine)
        let path = folder.tenantFile(other)
        let refused = [
            "ATTACH DATABASE 'file:\(path)?mode=ro' AS other", "ATTACH '' AS other",
            "VACUUM INTO '\(folder.path)/copy'", "SELECT * FROM other.usage", "SELECT * FROM control.tenants",
            "PRAGMA other.table_info(usage)", "SELECT readfile('\(path)')",
            "SELECT writefile('\(folder.path)/copy', x'00')", "SELECT edit('x')",
            "CREATE VIRTUAL TABLE temp.t USING csv(filename='\(path)')",
            "CREATE VIRTUAL TABLE temp.z USING zipfile('\(path)')",
            "CREATE TEMP TRIGGER t AFTER INSERT ON usage BEGIN INSERT INTO other.usage VALUES (1); END",
            "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema",
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 1",
        ]
        for sql in refused {
            let found = await refusal { try await file.writeOutsideTransaction { try $0.execute(sql: sql) } }
            #expect(found != nil, "taken: \(sql)")
        }
        // These are taken in silence, and change nothing.
        for sql in [
            "PRAGMA temp_store_directory = '\(folder.path)'", "PRAGMA journal_mode = OFF",
            "PRAGMA mmap_size = 1000000",
        ] {
            _ = await refusal { try await file.writeOutsideTransaction { try $0.execute(sql: sql) } }
        }
        let mode = try await file.writeOutsideTransaction {
            try String.fetchOne($0, sql: "PRAGMA journal_mode")
        }
        #expect(mode == "wal")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/copy"))
        let tables = try await file.read {
            try String.fetchAll($0, sql: "SELECT name FROM sqlite_schema WHERE type = 'table'")
        }
        #expect(tables.contains("usage") && tables.contains("header"))
    }

    @Test func `the tokenizer function gives no pointer away`() async throws {
        let file = try folder.controlStore().file
        let pointer = try await file.read {
            try String.fetchOne($0, sql: "SELECT hex(fts3_tokenizer('simple'))")
        }
        #expect(pointer == "")
    }

    @Test func `a connection that lost a rule is refused`() async throws {
        let file = try folder.controlStore().file
        let lost = await refusal {
            try await file.writeOutsideTransaction { database in
                try database.execute(sql: "PRAGMA synchronous = NORMAL")
                try ConnectionRules.verify(database)
            }
        }
        #expect(lost == .unavailable("a database connection does not read 2 for: PRAGMA synchronous"))
    }
}

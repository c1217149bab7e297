import Domain
import GRDB
import Storage
import TestKit
import Testing

@testable import SQLiteStorage

@Suite struct ColumnRegistryTests {
    private let folder = StorageFolder()

    /// Every table with its columns, as SQLite has them; what SQLite keeps for itself is left out.
    private func columns(of file: String) throws -> [String: Set<String>] {
        try DatabaseQueue(path: file).read { database in
            let tables = try String.fetchAll(
                database,
                sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            return try Dictionary(
                uniqueKeysWithValues: tables.map { table in
                    (table, Set(try database.columns(in: table).map(\.name)))
                })
        }
    }

    private func expectWhole(
        _ registry: [String: [ColumnClass: [String]]], _ stored: [String: Set<String>],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(Set(registry.keys) == Set(stored.keys), sourceLocation: sourceLocation)
        for (table, columns) in stored {
            let named = registry[table]?.values.flatMap { $0 } ?? []
            #expect(
                Set(named) == columns, "\(table): \(columns.symmetricDifference(named))",
                sourceLocation: sourceLocation)
            #expect(
                Set(named).count == named.count, "\(table) has a column twice",
                sourceLocation: sourceLocation)
        }
    }

    @Test
    func `every column of the control database has a class, and no class is of a column that is not there`()
        async throws
    {
        let store = try folder.controlStore()
        let path = store.file.path
        try store.close()
        expectWhole(ColumnRegistry.control, try columns(of: path))
    }

    @Test
    func `every column of a tenant's database has a class, and no class is of a column that is not there`()
        async throws
    {
        let stores = try folder.tenantStores()
        let tenant = TenantID.random()
        try await stores.create(tenant, vault: Samples.vaultID)
        try await stores.close()
        expectWhole(ColumnRegistry.tenant, try columns(of: folder.tenantFile(tenant)))
    }

    @Test
    func
        `every column of the parked rows' database has a class, and no class is of a column that is not there`()
        async throws
    {
        let stores = try folder.tenantStores(limit: 1)
        for tenant in [TenantID.random(), .random()] {
            try await stores.create(tenant, vault: Samples.vaultID)
            try await stores.store(for: tenant).appendUsage([])
        }
        let other = TenantID.random()
        try await stores.appendUsage(Samples.rows(1, of: other, seed: 1), of: other)
        #expect(stores.parkedRows == 1)
        try await stores.close()
        expectWhole(ColumnRegistry.parked, try columns(of: folder.path + "/parked.sqlite"))
    }

    @Test func `sealed columns are the ones that the vault knows`() {
        // The vault's list, `SealedColumns.all`, has a test with the same ids: neither can change alone.
        #expect(
            ColumnRegistry.sealedIDs == [
                "provider_keys.secret", "tenant_keys.wrapped", "vaults.key_check", "vault_slots.sealed_root",
                "vaults.ring", "vaults.previous_root", "vaults.audit_secret",
            ])
    }
}

import Domain
import Foundation
import GRDB
import Storage
import TestKit
import Testing

@testable import SQLiteStorage

@Suite struct SQLiteTenantStoresTests {
    private let folder = StorageFolder()

    private func tenants(_ count: UInt64) -> [TenantID] { (1...count).map { TenantID(high: 9, low: $0) } }

    @Test func `a file copied over another tenant's is refused`() async throws {
        let (mine, other) = (tenants(2)[0], tenants(2)[1])
        let stores = try folder.tenantStores()
        for tenant in [mine, other] { try await stores.create(tenant, vault: Samples.vaultID) }
        try await stores.close()
        unlink(folder.tenantFile(mine))
        try FileManager.default.copyItem(atPath: folder.tenantFile(other), toPath: folder.tenantFile(mine))
        let found = await refusal { _ = try await stores.store(for: mine) }
        let path = try folder.data().tenantFile(mine)
        #expect(found == .corrupt("\(path) is the file of tenant \(other), not of \(mine)"))
    }

    @Test func `a tenant's file of another vault is refused`() async throws {
        let tenant = tenants(1)[0]
        try await folder.tenantStores().create(tenant, vault: Samples.vaultID)
        let other = VaultID(high: 66, low: 6)
        let stores = try SQLiteTenantStores(in: folder.data(), vault: other)
        let found = await refusal { _ = try await stores.store(for: tenant) }
        let path = try folder.data().tenantFile(tenant)
        #expect(found == .corrupt("\(path) belongs to vault \(Samples.vaultID), not to \(other)"))
    }

    @Test func `no more files stay open than allowed, and every store goes on working`() async throws {
        let stores = try folder.tenantStores(limit: 3)
        let ids = tenants(8)
        var kept: [any TenantStore] = []
        for tenant in ids {
            try await stores.create(tenant, vault: Samples.vaultID)
            kept.append(try await stores.store(for: tenant))
            #expect(stores.openFiles <= 3)
        }
        for round in 0..<3 {
            for store in kept {
                var generator = SplitMix(seed: UInt64(round) + store.tenant.low * 100)
                try await store.appendUsage([Samples.row(of: store.tenant, at: 5, using: &generator)])
                #expect(stores.openFiles <= 3)
            }
        }
        for store in kept {
            let rows = try await store.usage(
                since: .init(milliseconds: 0), until: .init(milliseconds: 9), limit: 9)
            #expect(rows.count == 3)
        }
    }

    @Test func `a file in use is not closed under its user, and the next user shares it`() async throws {
        let stores = try folder.tenantStores(limit: 1)
        let ids = tenants(2)
        for tenant in ids { try await stores.create(tenant, vault: Samples.vaultID) }
        let held = try await stores.file(of: ids[0])
        let other = try await stores.file(of: ids[1])
        #expect(stores.openFiles == 2)
        #expect(try await stores.file(of: ids[0]) === held)
        #expect(try await held.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM header") } == 1)
        #expect(held !== other)
    }

    @Test func `many verbs at once on many tenants with few open files lose nothing`() async throws {
        let stores = try folder.tenantStores(limit: 2)
        let ids = tenants(6)
        for tenant in ids { try await stores.create(tenant, vault: Samples.vaultID) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<60 {
                group.addTask {
                    let tenant = ids[index % 6]
                    var generator = SplitMix(seed: UInt64(index))
                    let row = try Samples.row(of: tenant, at: 1, using: &generator)
                    try await stores.store(for: tenant).appendUsage([row])
                }
            }
            try await group.waitForAll()
        }
        for tenant in ids {
            let sums = try await stores.store(for: tenant).usageReport(
                since: .init(milliseconds: 0), until: .init(milliseconds: 2), by: [])
            #expect(sums.map(\.calls) == [10])
        }
    }

    @Test func `the sealed record of a revoked key is in no file of the tenant any more`() async throws {
        let tenant = tenants(1)[0]
        let stores = try folder.tenantStores()
        try await stores.create(tenant, vault: Samples.vaultID)
        let store = try await stores.store(for: tenant)
        var key = try Samples.providerKey("k", of: tenant)
        let marker = Array("SEALED-RECORD-MARKER-0123456789".utf8)
        key.sealed = marker
        try await store.insertProviderKey(key, audit: Samples.draft())
        #expect(try files(of: tenant).contains { $0.contains(marker) })
        key.state = .revoked
        key.sealed = []
        key.counter = 2
        try await store.replaceProviderKeys([.init(row: key, ifCounter: 1)], audit: Samples.draft())
        #expect(try !files(of: tenant).contains { $0.contains(marker) })
    }

    @Test func `text that looks like SQL stays text`() async throws {
        let tenant = tenants(1)[0]
        let stores = try folder.tenantStores()
        try await stores.create(tenant, vault: Samples.vaultID)
        let store = try await stores.store(for: tenant)
        let evil = "'); DROP TABLE usage; --"
        var generator = SplitMix(seed: 1)
        let plain = try Samples.row(of: tenant, at: 1, using: &generator)
        let row = LedgerRow(
            call: plain.call, tenant: tenant, virtualKey: plain.virtualKey, at: plain.at,
            dialect: plain.dialect,
            model: evil, target: nil, providerKey: nil, user: evil, team: evil, tags: "a=\(evil)",
            status: 200,
            end: .answered, failure: nil, cache: .miss, attempts: 0, usage: plain.usage, usageSource: .none,
            cost: nil, saved: nil, priceVersion: evil, latencyMicroseconds: 1, firstByteMicroseconds: 1)
        try await store.appendUsage([row])
        let (since, until) = (WallTime(milliseconds: 0), WallTime(milliseconds: 9))
        #expect(try await store.usage(since: since, until: until, limit: 9) == [row])
        let report = try await store.usageReport(since: since, until: until, by: [.tag, .user])
        #expect(report.map(\.keys) == [["a=\(evil)", evil]])
    }

    /// The bytes of all files of a tenant: database, log and the log's index.
    private func files(of tenant: TenantID) throws -> [[UInt8]] {
        let folder = folder.path + "/tenants/\(tenant)"
        return try FileManager.default.contentsOfDirectory(atPath: folder).map { name in
            Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
        }
    }
}

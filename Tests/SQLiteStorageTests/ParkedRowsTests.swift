import Domain
import Foundation
import Storage
import TestKit
import Testing

@testable import SQLiteStorage

@Suite struct ParkedRowsTests {
    private let folder = StorageFolder()
    private let tenants = (1...5).map { TenantID(high: 9, low: UInt64($0)) }

    private func stores() async throws -> SQLiteTenantStores {
        let stores = try folder.tenantStores(limit: 2)
        for tenant in tenants { try await stores.create(tenant, vault: Samples.vaultID) }
        return stores
    }

    private func ledger(_ stores: SQLiteTenantStores, _ tenant: TenantID) async throws -> Set<CallID> {
        let rows = try await stores.store(for: tenant).usage(
            since: .init(milliseconds: 0), until: .init(milliseconds: .max), limit: 100_000)
        #expect(Set(rows.map(\.call)).count == rows.count)
        return Set(rows.map(\.call))
    }

    @Test func `rows of tenants whose files are not open open none, and every reader finds them`()
        async throws
    {
        let stores = try await stores()
        var appended: [TenantID: [LedgerRow]] = [:]
        for round in 0..<4 {
            for tenant in tenants {
                let rows = try Samples.rows(2, of: tenant, seed: UInt64(round) * 100 + tenant.low)
                try await stores.appendUsage(rows, of: tenant)
                appended[tenant, default: []] += rows
            }
        }
        // The last two that were made are open.
        #expect(stores.parkedRows == 24 && stores.openFiles == 2)
        for tenant in tenants {
            let sums = try await stores.store(for: tenant).usageReport(
                since: .init(milliseconds: 0), until: .init(milliseconds: .max), by: [])
            #expect(sums.map(\.calls) == [8])
            let rows = try await stores.store(for: tenant).usage(
                since: .init(milliseconds: 0), until: .init(milliseconds: .max), limit: 100)
            #expect(
                rows.sorted { $0.call < $1.call } == appended[tenant]?.sorted { $0.call < $1.call })
        }
        #expect(stores.parkedRows == 0)
    }

    @Test func `a tenant with many parked rows gets them into its own file`() async throws {
        let stores = try await stores()
        for seed in 0..<UInt64(ParkedRows.mostOfOne) {
            try await stores.appendUsage(Samples.rows(1, of: tenants[0], seed: seed), of: tenants[0])
        }
        #expect(stores.parkedRows == ParkedRows.mostOfOne)
        try await stores.appendUsage(Samples.rows(1, of: tenants[0], seed: 900), of: tenants[0])
        #expect(stores.parkedRows == 0)
        #expect(try await ledger(stores, tenants[0]).count == ParkedRows.mostOfOne + 1)
    }

    @Test func `a row that comes twice is counted once, parked or not`() async throws {
        let stores = try await stores()
        let rows = try Samples.rows(3, of: tenants[0], seed: 7)
        for _ in 0..<2 { try await stores.appendUsage(rows, of: tenants[0]) }
        try await stores.store(for: tenants[0]).appendUsage(rows)
        #expect(try await ledger(stores, tenants[0]) == Set(rows.map(\.call)))
        // In its file, and then closed: the same rows once more.
        for tenant in tenants[1...2] { _ = try await stores.store(for: tenant).providerKeys() }
        try await stores.appendUsage(rows, of: tenants[0])
        #expect(stores.parkedRows == 3)
        #expect(try await ledger(stores, tenants[0]) == Set(rows.map(\.call)))
        #expect(stores.parkedRows == 0)
    }

    @Test func `parked rows are there after a start, and in a backup's copy`() async throws {
        let rows = try Samples.rows(5, of: tenants[0], seed: 1)
        let others = try Samples.rows(5, of: tenants[1], seed: 2)
        let before = try await stores()
        try await before.appendUsage(rows, of: tenants[0])
        try await before.appendUsage(others, of: tenants[1])
        try await before.close()
        let stores = try folder.tenantStores(limit: 2)
        #expect(try await ledger(stores, tenants[0]) == Set(rows.map(\.call)))
        let copy = StorageFolder()
        _ = try await stores.copy(tenants[1], to: copy.data())
        #expect(try await ledger(copy.tenantStores(), tenants[1]) == Set(others.map(\.call)))
    }

    @Test func `a deleted tenant's rows are forgotten, and no others are taken`() async throws {
        let stores = try await stores()
        let rows = try Samples.rows(4, of: tenants[1], seed: 3)
        try await stores.appendUsage(Samples.rows(5, of: tenants[0], seed: 1), of: tenants[0])
        try await stores.appendUsage(rows, of: tenants[1])
        try await stores.remove(tenants[0])
        #expect(stores.parkedRows == 4)
        let found = await refusal {
            try await stores.appendUsage(Samples.rows(1, of: tenants[0], seed: 2), of: tenants[0])
        }
        #expect(found == .shredded(tenants[0]))
        #expect(try await ledger(stores, tenants[1]) == Set(rows.map(\.call)))
    }

    @Test func `a row with a text that a parked row would cut goes into its tenant's file whole`()
        async throws
    {
        let stores = try await stores()
        var generator = SplitMix(seed: 1)
        let plain = try Samples.row(of: tenants[0], at: 1, using: &generator)
        let long = LedgerRow(
            call: plain.call, tenant: tenants[0], virtualKey: plain.virtualKey, at: plain.at,
            dialect: plain.dialect, model: String(repeating: "m", count: 900), target: nil, providerKey: nil,
            user: "", team: "", tags: "", status: 200, end: .answered, failure: nil, cache: .miss,
            attempts: 0, usage: plain.usage, usageSource: .none, cost: nil, saved: nil, priceVersion: "",
            latencyMicroseconds: 1, firstByteMicroseconds: 1)
        try await stores.appendUsage([long], of: tenants[0])
        #expect(stores.parkedRows == 0)
        let rows = try await stores.store(for: tenants[0]).usage(
            since: .init(milliseconds: 0), until: .init(milliseconds: .max), limit: 9)
        #expect(rows == [long])
    }

    @Test func `many tenants' rows at once, read at the same time, are all there once`() async throws {
        let stores = try await stores()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<300 {
                group.addTask { [tenants] in
                    let tenant = tenants[index % 5]
                    try await stores.appendUsage(
                        Samples.rows(1, of: tenant, seed: UInt64(index)), of: tenant)
                    if index % 7 == 0 {
                        _ = try await stores.store(for: tenant).usageReport(
                            since: .init(milliseconds: 0), until: .init(milliseconds: 9), by: [])
                    }
                }
            }
            try await group.waitForAll()
        }
        for tenant in tenants { #expect(try await ledger(stores, tenant).count == 60) }
        #expect(stores.parkedRows == 0)
    }

    @Test func `a file of parked rows that cannot be written costs the openings again, and no row`()
        async throws
    {
        let stores = try await stores()
        try Data("no database".utf8).write(to: URL(fileURLWithPath: folder.path + "/parked.sqlite"))
        let rows = try Samples.rows(5, of: tenants[0], seed: 1)
        // Neither written there nor taken for empty: what it held would be missing from the ledger.
        let found = await refusal { try await stores.appendUsage(rows, of: tenants[0]) }
        guard case .unavailable? = found else {
            Issue.record("it was \(String(describing: found))")
            return
        }
        unlink(folder.path + "/parked.sqlite")
        try await stores.appendUsage(rows, of: tenants[0])
        #expect(try await ledger(stores, tenants[0]) == Set(rows.map(\.call)))
    }
}

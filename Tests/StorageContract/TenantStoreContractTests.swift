import Domain
import Storage
import TestKit
import Testing

@Suite struct TenantStoreContractTests {
    private let folder = TemporaryFolder()
    private let tenant = TenantID(high: 100, low: 1)
    private let all = (since: WallTime(milliseconds: 0), until: WallTime(milliseconds: 1_000_000))

    private func store(_ backend: Backend) async throws -> any TenantStore {
        let stores = try backend.tenantStores(in: folder)
        try await stores.create(tenant, vault: Samples.vaultID)
        return try await stores.store(for: tenant)
    }

    @Test(arguments: Backend.allCases)
    func `a tenant without storage is not found; making it twice is harmless, for another vault refused`(
        backend: Backend
    ) async throws {
        let stores = try backend.tenantStores(in: folder)
        await #expect(throws: StorageFailure.notFound("the storage of tenant \(tenant)")) {
            _ = try await stores.store(for: tenant)
        }
        try await stores.create(tenant, vault: Samples.vaultID)
        let key = try Samples.providerKey("k", of: tenant)
        try await stores.store(for: tenant).insertProviderKey(key, audit: Samples.draft())
        try await stores.create(tenant, vault: Samples.vaultID)
        #expect(try await stores.store(for: tenant).providerKeys() == [key])
        #expect(try await stores.store(for: tenant).tenant == tenant)
        await #expect(throws: StorageFailure.otherVault(tenant)) {
            try await stores.create(tenant, vault: .random())
        }
    }

    @Test(arguments: Backend.allCases)
    func `provider keys are read in pages by their ids, each once`(backend: Backend) async throws {
        let store = try await store(backend)
        for number in 0..<7 {
            let key = try Samples.providerKey("k\(number)", of: tenant)
            try await store.insertProviderKey(key, audit: Samples.draft())
        }
        var read: [ProviderKeyRecord] = []
        for count in [3, 3, 1, 0] {
            let page = try await store.providerKeys(after: read.last?.id, limit: 3)
            #expect(page.count == count)
            read += page
        }
        #expect(try await store.providerKeys().sorted { $0.id < $1.id } == read)
        #expect(try await store.providerKeys(after: nil, limit: 0).isEmpty)
    }

    @Test(arguments: Backend.allCases)
    func `provider keys are inserted with their draft and replaced by counter, all or none`(
        backend: Backend
    ) async throws {
        let store = try await store(backend)
        var first = try Samples.providerKey("first", of: tenant, at: 1)
        var second = try Samples.providerKey("second", of: tenant, at: 2)
        let (one, two) = (Samples.draft("key.add"), Samples.draft("key.add"))
        try await store.insertProviderKey(first, audit: one)
        try await store.insertProviderKey(second, audit: two)
        #expect(try await store.providerKeys() == [first, second])
        #expect(try await store.auditOutbox() == [one, two])

        first.state = .draining
        first.drainEnds = .init(milliseconds: 77)
        first.counter = 2
        second.predecessor = first.id
        second.state = .canary
        second.canary = KeyCanary(percent: 5, ends: .init(milliseconds: 79), drainSeconds: 600)
        second.verdict = .verified
        second.verdictAt = .init(milliseconds: 78)
        second.counter = 2
        let rotate = Samples.draft("key.rotate")
        try await store.replaceProviderKeys(
            [.init(row: first, ifCounter: 1), .init(row: second, ifCounter: 1)], audit: rotate)
        #expect(try await store.providerKeys() == [first, second])

        var (third, stale) = (first, second)
        third.counter = 3
        stale.counter = 3
        await #expect(throws: StorageFailure.stale("provider key second")) {
            try await store.replaceProviderKeys(
                [.init(row: third, ifCounter: 2), .init(row: stale, ifCounter: 1)], audit: Samples.draft())
        }
        #expect(try await store.providerKeys() == [first, second])
        #expect(try await store.auditOutbox() == [one, two, rotate])
    }

    @Test(arguments: Backend.allCases)
    func `a revoked key is stored without its sealed record`(backend: Backend) async throws {
        let store = try await store(backend)
        var key = try Samples.providerKey("k", of: tenant)
        try await store.insertProviderKey(key, audit: Samples.draft())
        key.state = .revoked
        key.sealed = []
        key.counter = 2
        try await store.replaceProviderKeys([.init(row: key, ifCounter: 1)], audit: nil)
        #expect(try await store.providerKeys() == [key])
        #expect(try await store.auditOutbox().count == 1)
    }

    @Test(arguments: Backend.allCases)
    func `a doubled, unknown or foreign provider key is refused and leaves no trace`(
        backend: Backend
    ) async throws {
        let store = try await store(backend)
        let key = try Samples.providerKey("k", of: tenant)
        let first = Samples.draft()
        try await store.insertProviderKey(key, audit: first)
        await #expect(throws: StorageFailure.alreadyThere("provider key k")) {
            try await store.insertProviderKey(key, audit: Samples.draft())
        }
        let other = try Samples.providerKey("k2", of: .random())
        await #expect(throws: StorageFailure.otherTenant("provider key k2", tenant)) {
            try await store.insertProviderKey(other, audit: Samples.draft())
        }
        await #expect(throws: StorageFailure.otherTenant("provider key k2", tenant)) {
            try await store.replaceProviderKeys([.init(row: other, ifCounter: 1)], audit: nil)
        }
        let unknown = try Samples.providerKey("k3", of: tenant)
        await #expect(throws: StorageFailure.notFound("provider key k3")) {
            try await store.replaceProviderKeys([.init(row: unknown, ifCounter: 1)], audit: Samples.draft())
        }
        let third = try Samples.providerKey("k4", of: tenant)
        await #expect(throws: StorageFailure.chained(first)) {
            try await store.insertProviderKey(third, audit: first)
        }
        #expect(try await store.providerKeys() == [key])
        #expect(try await store.auditOutbox() == [first])
    }

    @Test(arguments: Backend.allCases)
    func `clearing the outbox removes what it names, twice without harm`(backend: Backend) async throws {
        let store = try await store(backend)
        let drafts = (0..<3).map { Samples.draft("key.add.\($0)") }
        for (index, draft) in drafts.enumerated() {
            try await store.insertProviderKey(try Samples.providerKey("k\(index)", of: tenant), audit: draft)
        }
        try await store.clearAuditOutbox([drafts[1].id, .random()])
        try await store.clearAuditOutbox([drafts[1].id])
        #expect(try await store.auditOutbox() == [drafts[0], drafts[2]])
    }

    @Test(arguments: Backend.allCases)
    func `a call that is appended twice counts once`(backend: Backend) async throws {
        let store = try await store(backend)
        let rows = try Samples.rows(10, of: tenant, seed: 5)
        try await store.appendUsage(rows)
        try await store.appendUsage(rows.reversed() + [rows[0]])
        try await store.appendUsage([])
        #expect(try await Set(store.usage(since: all.since, until: all.until, limit: 100)) == Set(rows))
        let sums = try await store.usageReport(since: all.since, until: all.until, by: [])
        #expect(sums.map(\.calls) == [10])
    }

    @Test(arguments: Backend.allCases)
    func `usage comes newest first within its bounds, the end excluded`(backend: Backend) async throws {
        let store = try await store(backend)
        let rows = try Samples.rows(200, of: tenant, seed: 6)
        try await store.appendUsage(rows)
        let cut = rows[17].at
        let newest = rows.sorted { ($0.at, $0.call) > ($1.at, $1.call) }
        #expect(
            try await store.usage(since: all.since, until: all.until, limit: 7) == Array(newest.prefix(7)))
        #expect(
            try await store.usage(since: cut, until: all.until, limit: 500) == newest.filter { $0.at >= cut })
        #expect(
            try await store.usage(since: all.since, until: cut, limit: 500) == newest.filter { $0.at < cut })
        #expect(try await store.usage(since: all.since, until: all.until, limit: 0).isEmpty)
    }

    @Test(arguments: Backend.allCases)
    func `a report's sums equal a plain count for every kind of key`(backend: Backend) async throws {
        let store = try await store(backend)
        let seed: UInt64 = 20_261_123
        let rows = try Samples.rows(600, of: tenant, seed: seed)
        try await store.appendUsage(rows)
        let (since, until) = (WallTime(milliseconds: 1_000), WallTime(milliseconds: 9_000))
        let wanted: [[UsageDimension]] =
            [[]] + UsageDimension.allCases.map { [$0] } + [
                [.team, .model], [.provider, .key, .virtualKey], [.tag, .user], [.user, .user],
            ]
        for dimensions in wanted {
            let report = try await store.usageReport(since: since, until: until, by: dimensions)
            let plain = PlainReport(rows.filter { $0.at >= since && $0.at < until }, by: dimensions)
            #expect(report.count == plain.lines.count, "\(dimensions), seed \(seed)")
            for line in report {
                #expect(plain.lines[line.keys] == line, "\(dimensions) \(line.keys), seed \(seed)")
            }
            let order = report.map { $0.keys.map { Array($0.utf8) } }
            #expect(order == order.sorted(by: Self.precedes), "\(dimensions)")
        }
        #expect(try await store.usageReport(since: until, until: since, by: []).isEmpty)
    }

    @Test(arguments: Backend.allCases)
    func `two tenants never see each other's keys, drafts or rows`(backend: Backend) async throws {
        let stores = try backend.tenantStores(in: folder)
        let other = TenantID(high: 100, low: 2)
        for id in [tenant, other] { try await stores.create(id, vault: Samples.vaultID) }
        let (mine, theirs) = (try await stores.store(for: tenant), try await stores.store(for: other))
        let rows = try Samples.rows(20, of: tenant, seed: 8)
        try await mine.appendUsage(rows)
        try await mine.insertProviderKey(try Samples.providerKey("k", of: tenant), audit: Samples.draft())
        await #expect(throws: StorageFailure.self) { try await theirs.appendUsage(rows) }
        #expect(try await theirs.usage(since: all.since, until: all.until, limit: 100).isEmpty)
        #expect(try await theirs.usageReport(since: all.since, until: all.until, by: [.user]).isEmpty)
        #expect(try await theirs.providerKeys().isEmpty)
        #expect(try await theirs.auditOutbox().isEmpty)
        // The same call id in both is two calls.
        let twin = try Samples.rows(20, of: other, seed: 8)
        #expect(twin.map(\.call) == rows.map(\.call))
        try await theirs.appendUsage(twin)
        #expect(try await theirs.usageReport(since: all.since, until: all.until, by: []).map(\.calls) == [20])
        #expect(
            try await mine.usage(since: all.since, until: all.until, limit: 100).allSatisfy {
                $0.tenant == tenant
            })
    }

    private static func precedes(_ left: [[UInt8]], _ right: [[UInt8]]) -> Bool {
        for (a, b) in zip(left, right) where a != b { return a.lexicographicallyPrecedes(b) }
        return false
    }
}

/// The sums written out plainly, with nothing of the code under test.
private struct PlainReport {
    var lines: [[String]: UsageSum] = [:]

    init(_ rows: [LedgerRow], by dimensions: [UsageDimension]) {
        for row in rows {
            var tags = Set(row.tags.split(separator: ",").map { $0.filter { $0 != " " } })
            if tags.isEmpty || !dimensions.contains(.tag) { tags = [""] }
            for tag in tags {
                let keys = dimensions.map { dimension in
                    switch dimension {
                    case .user: row.user
                    case .team: row.team
                    case .model: row.model
                    case .provider: row.target.map { "\($0.provider)" } ?? ""
                    case .key: row.providerKey.map { "\($0)" } ?? ""
                    case .virtualKey: "\(row.virtualKey)"
                    case .tag: tag
                    }
                }
                var line =
                    lines[keys]
                    ?? UsageSum(
                        keys: keys, calls: 0, failed: 0, usage: .init(), cost: .zero, unpriced: 0,
                        saved: .zero)
                line.calls += 1
                if row.end == .failed || row.end == .cut { line.failed += 1 }
                line.usage.input += row.usage.input
                line.usage.cacheRead += row.usage.cacheRead
                line.usage.cacheWrite += row.usage.cacheWrite
                line.usage.cacheWriteHour += row.usage.cacheWriteHour
                line.usage.output += row.usage.output
                line.usage.reasoning += row.usage.reasoning
                if let cost = row.cost { line.cost.nanoUSD += cost.nanoUSD } else { line.unpriced += 1 }
                if let saved = row.saved { line.saved.nanoUSD += saved.nanoUSD }
                lines[keys] = line
            }
        }
    }
}

import Domain
import GRDB
import Storage
import TestKit
import Testing

@testable import SQLiteStorage

/// The ledger's insert, which binds only what differs from the row before.
@Suite struct UsageRowsTests {
    private let folder = StorageFolder()
    private let tenant = TenantID(high: 3, low: 4)

    private func store() async throws -> any TenantStore {
        let stores = try folder.tenantStores()
        try await stores.create(tenant, vault: Samples.vaultID)
        return try await stores.store(for: tenant)
    }

    private func stored(_ store: any TenantStore) async throws -> [LedgerRow] {
        try await store.usage(
            since: .init(milliseconds: 0), until: .init(milliseconds: .max), limit: 10_000)
    }

    private func row(
        _ number: UInt64, model: String = "m", target: Target? = nil, user: String = "", team: String = "",
        tags: String = "", failure: CallFailure.Code? = nil, end: CallEnd = .answered, cost: Money? = nil
    ) -> LedgerRow {
        LedgerRow(
            call: CallID(high: 9, low: number), tenant: tenant, virtualKey: .init(high: 1, low: number / 2),
            at: .init(milliseconds: Int64(number)),
            dialect: number % 3 == 0 ? .openAIChat : .openAIEmbeddings,
            model: model, target: target,
            providerKey: target == nil ? nil : .init(high: 2, low: number / 3), user: user, team: team,
            tags: tags, status: 200 + Int(number / 4), end: end, failure: failure,
            cache: number % 2 == 0 ? .miss : .bypass, attempts: Int(number / 2),
            usage: Usage(
                input: Int64(number / 2), cacheRead: 1, cacheWrite: Int64(number / 3), cacheWriteHour: 2,
                output: Int64(number), reasoning: 0),
            usageSource: number % 4 < 2 ? .reported : .estimated, cost: cost, saved: cost,
            priceVersion: "p\(number / 5)", latencyMicroseconds: Int64(number / 2), firstByteMicroseconds: 3,
            payer: number % 5 < 2 ? .tenant : .platform)
    }

    /// Texts of all lengths that a place may hold, and two that only look the same.
    private static let texts = [
        "", "a", "a", "caf\u{e9}", "cafe\u{301}", "caf\u{e9}", String(repeating: "x", count: 64), "",
        String(repeating: "y", count: 65), String(repeating: "x", count: 64),
        String(repeating: "z", count: 900),
        "b", "",
    ]

    @Test func `every row is stored as it is, whatever the row before was`() async throws {
        let near = Target(provider: try ProviderName("near"), model: try ModelName("m1"))
        let far = Target(
            provider: try ProviderName(String(repeating: "f", count: 48)),
            model: try ModelName(String(repeating: "g", count: 200)))
        let targets: [Target?] = [nil, near, near, far, nil, far, near]
        var rows: [LedgerRow] = []
        for (number, text) in Self.texts.enumerated() {
            for field in 0..<3 {
                let number = UInt64(rows.count + number)
                rows.append(
                    row(
                        UInt64(rows.count), model: field == 0 ? text : "m", target: targets[Int(number % 7)],
                        user: field == 1 ? text : "u", team: field == 2 ? text : "",
                        tags: ["", "t=1", "t=1,u=2"][Int(number % 3)],
                        failure: number % 5 == 0 ? .upstreamFailed : nil,
                        end: number % 5 == 0 ? .failed : .answered,
                        cost: number % 3 == 0 ? nil : Money(nanoUSD: Int64(number / 4))))
            }
        }
        let store = try await store()
        // In one go, and then through a statement that was used before.
        try await store.appendUsage(Array(rows[..<20]))
        for place in 20..<25 { try await store.appendUsage([rows[place]]) }
        try await store.appendUsage(Array(rows[25...]))
        let found = try await stored(store).sorted { $0.at < $1.at }
        #expect(found == rows)
        let texts = { (row: LedgerRow) in [row.model, row.user, row.team].map { Array($0.utf8) } }
        #expect(found.map(texts) == rows.map(texts))
        let sums = try await store.usageReport(
            since: .init(milliseconds: 0), until: .init(milliseconds: .max), by: [.tag])
        let tagged = { (tag: String) in rows.filter { $0.tagList.contains(tag) }.count }
        #expect(sums.first { $0.keys == ["t=1"] }.map { Int($0.calls) } == tagged("t=1"))
        #expect(sums.first { $0.keys == ["u=2"] }.map { Int($0.calls) } == tagged("u=2"))
    }

    @Test func `a row that is refused takes its batch with it, and the next ones are stored whole`()
        async throws
    {
        let store = try await store()
        try await store.appendUsage([row(0, user: "ana")])
        try folder.tamper(
            folder.tenantFile(tenant),
            """
            CREATE TRIGGER refuse BEFORE INSERT ON usage WHEN NEW.user_name = 'nobody'
            BEGIN SELECT RAISE(ABORT, 'not this one'); END
            """)
        for _ in 0..<2 {
            let refused = await refusal {
                try await store.appendUsage([
                    row(1, model: "lost", user: "ana"), row(2, user: "nobody", tags: "a=1"), row(3),
                ])
            }
            #expect(refused?.description.contains("not this one") == true)
            #expect(try await stored(store) == [row(0, user: "ana")])
        }
        let rows = [row(4, user: "bob", tags: "a=1"), row(5, user: "bob"), row(6)]
        try await store.appendUsage(rows)
        #expect(try await stored(store).sorted { $0.at < $1.at } == [row(0, user: "ana")] + rows)
    }

    @Test func `nothing stays bound when the binding is gone`() throws {
        let database = try DatabaseQueue()
        try database.write { database in
            try database.execute(sql: "CREATE TABLE texts (text TEXT, id BLOB, number INTEGER)")
            let statement = try database.cachedStatement(sql: "INSERT INTO texts VALUES (?, ?, ?)")
            do {
                var binding = Binding(statement)
                for text in ["", "abc"] {
                    binding.bind(text)
                    binding.bind(CallID(high: 1, low: 2))
                    binding.bind(7)
                    try binding.step(in: database)
                }
                // What is the same is left out.
                binding.bind("abc", unless: true)
                binding.bind(CallID(high: 1, low: 2), unless: true)
                binding.bind(nil as Int64?)
                try binding.step(in: database)
            }
            let lines = try String.fetchAll(
                database, sql: "SELECT text || ' ' || length(id) || ' ' || coalesce(number, '-') FROM texts")
            #expect(lines == [" 16 7", "abc 16 7", "abc 16 -"])
            var again = Binding(statement)
            try again.step(in: database)
            #expect(
                try Int.fetchOne(
                    database,
                    sql: "SELECT COUNT(*) FROM texts WHERE text IS NULL AND id IS NULL AND number IS NULL")
                    == 1)
        }
    }
}

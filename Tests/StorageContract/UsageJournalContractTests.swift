import Domain
import Storage
import TestKit
import Testing

@Suite struct UsageJournalContractTests {
    private let folder = TemporaryFolder()
    private let tenant = TenantID(high: 1, low: 2)

    @Test(arguments: Backend.allCases)
    func `places are reserved up to the capacity and given back`(backend: Backend) throws {
        let journal = try backend.journal(in: folder, capacity: 3)
        #expect(journal.load == (0, 3))
        #expect((0..<4).map { _ in journal.reserve() } == [true, true, true, false])
        journal.release()
        #expect(journal.reserve())
        #expect(journal.load == (3, 3))
        journal.append(try Samples.rows(1, of: tenant, seed: 1)[0])
        // The row keeps its place until it is confirmed.
        #expect(!journal.reserve())
        #expect(journal.load == (3, 3))
    }

    @Test(arguments: Backend.allCases)
    func `rows come oldest first, stay until confirmed, and free their places`(backend: Backend) throws {
        let journal = try backend.journal(in: folder, capacity: 8)
        let rows = try Samples.rows(8, of: tenant, seed: 2)
        for row in rows {
            #expect(journal.reserve())
            journal.append(row)
        }
        #expect(try journal.pending(limit: 3) == Array(rows[..<3]))
        #expect(try journal.pending(limit: 100) == rows)
        try journal.confirm([rows[1].call, rows[6].call, .random()])
        try journal.confirm([rows[1].call])
        #expect(journal.load == (6, 8))
        let left = [rows[0], rows[2], rows[3], rows[4], rows[5], rows[7]]
        #expect(try journal.pending(limit: 100) == left)
        let more = try Samples.rows(2, of: tenant, seed: 3)
        for row in more {
            #expect(journal.reserve())
            journal.append(row)
        }
        #expect(!journal.reserve())
        #expect(try journal.pending(limit: 100) == left + more)
        try journal.confirm((left + more).map(\.call))
        #expect(try journal.pending(limit: 100).isEmpty)
        #expect(journal.load == (0, 8))
    }

    @Test(arguments: Backend.allCases)
    func `many writers and a drain lose and double nothing`(backend: Backend) async throws {
        let journal = try backend.journal(in: folder, capacity: 64)
        let rows = try Samples.rows(2_000, of: tenant, seed: 4)
        let seen = try await withThrowingTaskGroup(of: [CallID].self) { group in
            for writer in 0..<4 {
                group.addTask {
                    for row in rows[(writer * 500)..<(writer * 500 + 500)] {
                        while !journal.reserve() { await Task.yield() }
                        journal.append(row)
                    }
                    return []
                }
            }
            group.addTask {
                var seen: [CallID] = []
                while seen.count < rows.count {
                    let calls = try journal.pending(limit: 40).map(\.call)
                    try journal.confirm(calls)
                    seen += calls
                    await Task.yield()
                }
                return seen
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(seen.count == 2_000)
        #expect(Set(seen) == Set(rows.map(\.call)))
        #expect(journal.load == (0, 64))
    }
}

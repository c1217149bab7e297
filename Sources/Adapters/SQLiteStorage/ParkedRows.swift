import Dispatch
import Domain
import Foundation
import GRDB
import Locking
import Storage

/// Ledger rows of tenants whose files are not open, together in one database of the data folder.
///
/// A row that was parked is on the disk as one in a tenant's ledger is: `synchronous=FULL`, one transaction. Rows that come
/// at the same time share one, whosever they are. A row is taken away only after the tenant's own file has it, which
/// skips a call that it has already; so whatever dies when, it is counted once.
///
/// Bounded: what does not fit goes into the tenant's file at once, at the price of opening it.
final class ParkedRows: Sendable {
    /// Rows of one tenant: opening its file, some 2 ms, is shared by so many calls.
    static let mostOfOne = 64
    /// Rows in all, each of at most 1 KB and mostly a third of that: 64 of each of 4,096 tenants, 26 of 10,000.
    static let most = 262_144

    private let path: String
    private let state = Locked(State())
    /// Opening, reading and writing block; it is done here.
    private let queue = DispatchQueue(label: "gatehouse.storage.parked")

    private struct Arrival {
        let rows: [(row: LedgerRow, bytes: Data)]
        let tenant: TenantID
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var file: DatabaseFile?
        /// By tenant, as of the last transaction; nil until they were counted.
        var counts: [TenantID: Int]?
        var total = 0
        /// Rows for the next transaction.
        var arrivals: [Arrival] = []
    }

    init(at path: String) { self.path = path }

    var total: Int { state.withLock { $0.total } }

    /// Puts rows here; false when they have to go into the tenant's own file: it has many here already, this file is full or
    /// cannot be written, or a text of a row is longer than a parked row keeps.
    func park(_ rows: [LedgerRow], of tenant: TenantID) async -> Bool {
        let coded = rows.compactMap { row in LedgerRowCoding.exactBytes(of: row).map { (row, $0) } }
        guard coded.count == rows.count, rows.allSatisfy({ $0.tenant == tenant }) else { return false }
        return await withCheckedContinuation { continuation in
            let isFirst = state.withLock { state in
                state.arrivals.append(Arrival(rows: coded, tenant: tenant, continuation: continuation))
                return state.arrivals.count == 1
            }
            // Whoever comes before that runs is in the same transaction.
            if isFirst { queue.async { self.admit() } }
        }
    }

    /// A tenant's parked rows.
    func rows(of tenant: TenantID) async throws -> [LedgerRow] {
        // No wait where it is known that there are none.
        if let counts = state.withLock(\.counts), counts[tenant] == nil { return [] }
        return try await queue.run { [self] in
            guard let file = try open(making: false) else { return [] }
            return try file.blockingWrite { database in
                try Data.fetchAll(
                    database, sql: "SELECT row FROM parked WHERE tenant = ?", arguments: [tenant.blob])
            }.map { bytes in
                guard let row = bytes.withUnsafeBytes(LedgerRowCoding.decode), row.tenant == tenant else {
                    throw StorageFailure.corrupt("\(path) holds a row of tenant \(tenant) that is none")
                }
                return row
            }
        }
    }

    /// Takes rows away that are in their tenant's file.
    func remove(_ rows: [LedgerRow]) async throws {
        try await change { database in
            for row in rows {
                try database.execute(
                    sql: "DELETE FROM parked WHERE tenant = ? AND call = ?",
                    arguments: [row.tenant.blob, row.call.blob])
            }
        } counting: {
            Set(rows.map(\.tenant))
        }
    }

    /// Forgets the rows of a tenant that is deleted.
    func drop(_ tenant: TenantID) async throws {
        try await change { database in
            try database.execute(sql: "DELETE FROM parked WHERE tenant = ?", arguments: [tenant.blob])
        } counting: {
            [tenant]
        }
    }

    func close() async throws {
        try await queue.run { [self] in
            let file = state.withLock { state in
                defer { (state.file, state.counts, state.total) = (nil, nil, 0) }
                return state.file
            }
            try file?.close()
        }
    }

    // MARK: On the queue

    private func admit() {
        let arrivals = state.withLock { state in
            defer { state.arrivals = [] }
            return state.arrivals
        }
        let admitted = (try? write(arrivals)) ?? []
        for (place, arrival) in arrivals.enumerated() {
            arrival.continuation.resume(returning: admitted.contains(place))
        }
    }

    /// Writes what fits, in one transaction; gives the places of what was written.
    private func write(_ arrivals: [Arrival]) throws -> Set<Int> {
        guard let file = try open(making: true) else { return [] }
        let (known, total) = state.withLock { ($0.counts ?? [:], $0.total) }
        var added: [TenantID: Int] = [:]
        var admitted: Set<Int> = []
        for (place, arrival) in arrivals.enumerated() {
            let count = arrival.rows.count
            let own = known[arrival.tenant, default: 0] + added[arrival.tenant, default: 0]
            guard own + count <= Self.mostOfOne, total + added.values.reduce(count, +) <= Self.most else {
                continue
            }
            added[arrival.tenant, default: 0] += count
            admitted.insert(place)
        }
        guard !admitted.isEmpty else { return [] }
        try file.blockingWrite { database in
            let insert = try database.cachedStatement(
                sql: """
                    INSERT INTO parked (tenant, call, row) VALUES (?, ?, ?) ON CONFLICT (tenant, call) DO NOTHING
                    """)
            for place in admitted.sorted() {
                for (row, bytes) in arrivals[place].rows {
                    try insert.execute(arguments: [row.tenant.blob, row.call.blob, bytes])
                }
            }
        }
        // A row that came twice is counted twice until its tenant's are next counted: that only opens a file too early.
        state.withLock { state in
            state.counts?.merge(added, uniquingKeysWith: +)
            state.total += added.values.reduce(0, +)
        }
        return admitted
    }

    private func change(
        _ body: @escaping @Sendable (Database) throws -> Void,
        counting tenants: @escaping @Sendable () -> Set<TenantID>
    ) async throws {
        try await queue.run { [self] in
            guard let file = try open(making: false) else { return }
            let counts = try file.blockingWrite { database in
                try body(database)
                return try tenants().map { tenant in
                    let count = try Int.fetchOne(
                        database, sql: "SELECT COUNT(*) FROM parked WHERE tenant = ?",
                        arguments: [tenant.blob])
                    return (tenant, count ?? 0)
                }
            }
            state.withLock { state in
                for (tenant, count) in counts {
                    state.total += count - (state.counts?[tenant] ?? 0)
                    state.counts?[tenant] = count == 0 ? nil : count
                }
            }
        }
    }

    /// The open file, its rows counted; nil where there is none and none is to be made.
    private func open(making: Bool) throws -> DatabaseFile? {
        if let file = state.withLock(\.file) { return file }
        guard try making || PrivateFile.identity(of: path) != nil else {
            state.withLock { $0.counts = [:] }
            return nil
        }
        let file = try DatabaseFile(at: path, schema: .parked, readers: 0)
        let counts = try file.blockingWrite { database in
            try Row.fetchAll(database, sql: "SELECT tenant, COUNT(*) AS rows FROM parked GROUP BY tenant")
                .map { (try $0.id("tenant") as TenantID, try $0.value("rows") as Int) }
        }
        state.withLock { state in
            state.file = file
            state.counts = Dictionary(counts, uniquingKeysWith: +)
            state.total = counts.reduce(0) { $0 + $1.1 }
        }
        return file
    }
}

extension LedgerRowCoding {
    /// A row as bytes from which exactly it can be read; nil where a text is too long for that.
    fileprivate static func exactBytes(of row: LedgerRow) -> Data? {
        var bytes = Data(count: JournalFile.rowSize)
        let count = bytes.withUnsafeMutableBytes { encode(row, into: $0) }
        bytes.removeLast(bytes.count - count)
        return bytes.withUnsafeBytes(decode) == row ? bytes : nil
    }
}

extension Schema {
    /// The rows as `LedgerRowCoding` writes them, beside the two ids that they are found by.
    static let parked = Schema(
        name: "database of parked rows", applicationID: 0x4757_5031,
        steps: [
            Step(
                number: 1,
                sql: """
                    CREATE TABLE parked (
                        position INTEGER PRIMARY KEY,
                        tenant BLOB NOT NULL CHECK (length(tenant) = 16),
                        call BLOB NOT NULL CHECK (length(call) = 16),
                        row BLOB NOT NULL,
                        UNIQUE (tenant, call)
                    ) STRICT;

                    PRAGMA application_id = 0x47575031;
                    PRAGMA user_version = 1;
                    """)
        ])
}

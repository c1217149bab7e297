import Domain
import Foundation
import GRDB
import Storage

// Audit drafts as columns: the same ones in the control database's chain and in a tenant's outbox.
extension AuditDraft {
    static let columns =
        "id, at, actor, via, action, target, tenant, text_before, text_after, reason, result, session, tty, uid, peer"

    var columnValues: [(any DatabaseValueConvertible)?] {
        [
            id.blob, at.milliseconds, actor, via, action, target, tenant?.blob, before, after, reason, result,
            origin.session, origin.tty, origin.uid, origin.from,
        ]
    }

    init(_ row: Row) throws {
        self.init(
            id: try row.id("id"), at: try row.time("at"), actor: try row.value("actor"),
            via: try row.value("via"), action: try row.value("action"), target: try row.value("target"),
            tenant: try row.optionalID("tenant"), before: try row.value("text_before"),
            after: try row.value("text_after"), reason: try row.value("reason"),
            result: try row.value("result"),
            origin: OperatorOrigin(
                session: try row.value("session"), tty: try row.value("tty"), uid: try row.value("uid"),
                from: try row.value("peer")))
    }
}

extension AuditRecord {
    /// Records read at once by a walk over the chain: some hundred kilobytes.
    private static let batchSize = 1_000

    init(_ row: Row) throws {
        guard let form = AuditForm(rawValue: try row.value("form")) else {
            throw StorageFailure.corrupt("an audit record has a form that this version does not know")
        }
        self.init(
            sequence: try row.value("sequence"), draft: try AuditDraft(row),
            previous: try row.bytes("previous"), hash: try row.bytes("hash"), form: form,
            commitment: try row.bytes("commitment"), blinding: try row.bytes("blinding"))
    }

    static func stored(_ id: AuditID, in database: Database) throws -> AuditRecord? {
        try Row.fetchOne(database, sql: "SELECT * FROM audit WHERE id = ?", arguments: [id.blob])
            .map(AuditRecord.init)
    }

    @discardableResult
    static func chain(_ draft: AuditDraft, in database: Database, hashing: Hashing) throws -> AuditRecord {
        let last = try last(in: database)
        let record = AuditChain.record(of: draft, after: last, hashing: hashing)
        try record.insert(into: database)
        var tree = try MerkleFrontier.stored(upTo: last?.sequence ?? 0, in: database, hashing: hashing)
        if let leaf = Digest256(bytes: record.hash) { tree.append(leaf, hashing: hashing) }
        try tree.store(in: database)
        return record
    }

    static func last(in database: Database) throws -> AuditRecord? {
        try Row.fetchOne(database, sql: "SELECT * FROM audit ORDER BY sequence DESC LIMIT 1")
            .map(AuditRecord.init)
    }

    func insert(into database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO audit (sequence, \(AuditDraft.columns), previous, hash, form, commitment, blinding)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: StatementArguments(
                [sequence] + draft.columnValues + [
                    Data(previous), Data(hash), form.rawValue, Data(commitment), Data(blinding),
                ]))
    }

    /// A record that cannot be read is nil: that, too, is a finding.
    static func batch(
        after sequence: Int64, in database: Database
    ) throws -> [(sequence: Int64, record: AuditRecord?)] {
        try Row.fetchAll(
            database, sql: "SELECT * FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?",
            arguments: [sequence, batchSize]
        ).map { row in (try row.value("sequence"), try? AuditRecord(row)) }
    }

    /// The hashes of the records `range`, as they stand.
    static func leaves(_ range: Range<Int64>, in database: Database) throws -> [Digest256] {
        try Row.fetchAll(
            database, sql: "SELECT hash FROM audit WHERE sequence >= ? AND sequence < ? ORDER BY sequence",
            arguments: [range.lowerBound, range.upperBound]
        ).map { row in
            guard let leaf = Digest256(bytes: try row.bytes("hash")) else {
                throw StorageFailure.corrupt("the hash of an audit record cannot be read")
            }
            return leaf
        }
    }
}

extension AuditErasure {
    /// Erases the operator, and counts.
    init(of name: String, in database: Database) throws {
        try database.execute(
            sql: """
                UPDATE audit SET actor = '', session = '', tty = '', uid = '', peer = '', blinding = x''
                WHERE actor = ? AND form = ?
                """,
            arguments: [name, AuditForm.json.rawValue])
        let erased = Int64(database.changesCount)
        let kept = try Int64.fetchOne(
            database, sql: "SELECT COUNT(*) FROM audit WHERE actor = ?", arguments: [name])
        self.init(erased: erased, kept: kept ?? 0)
    }
}

extension MerkleFrontier {
    /// The tree over the first `count` records. One that was stored for fewer (a folder from before there was a tree)
    /// is grown from the records' hashes; one that was stored for more is not believed.
    static func stored(upTo count: Int64, in database: Database, hashing: Hashing) throws -> Self {
        var tree = try asStored(in: database) ?? Self()
        if tree.size > count { tree = Self() }
        while tree.size < count {
            let next = tree.size + 1
            let leaves = try AuditRecord.leaves(next..<min(next + 10_000, count + 1), in: database)
            guard !leaves.isEmpty else { throw StorageFailure.corrupt("records are missing in the audit") }
            for leaf in leaves { tree.append(leaf, hashing: hashing) }
        }
        return tree
    }

    /// nil when nothing was stored, or nothing that can be a tree.
    static func asStored(in database: Database) throws -> Self? {
        guard let row = try Row.fetchOne(database, sql: "SELECT size, peaks FROM audit_tree") else {
            return nil
        }
        let bytes = try row.bytes("peaks")
        let peaks = stride(from: 0, to: bytes.count, by: 32).compactMap {
            Digest256(bytes: bytes[$0..<min($0 + 32, bytes.count)])
        }
        return Self(size: try row.value("size"), peaks: peaks)
    }

    func store(in database: Database) throws {
        try database.execute(
            sql: "INSERT OR REPLACE INTO audit_tree (one, size, peaks) VALUES (1, ?, ?)",
            arguments: [size, Data(peaks.flatMap(\.bytes))])
    }
}

extension StoredCheckpoint {
    init(_ row: Row) throws {
        self.init(
            position: try row.value("position"), origin: try row.value("origin"), size: try row.value("size"),
            at: try row.time("at"), note: try row.value("note"))
    }
}

public import Domain
import Foundation
import GRDB
public import Storage

/// The control store in one SQLite file, `control.sqlite` of the data folder.
///
/// A pool of connections: the console's and the commands' reads do not wait behind a write and its flush. Each
/// verb is one transaction that is on the disk (`synchronous=FULL`) when the verb returns.
public final class SQLiteControlStore: ControlStore {
    let file: DatabaseFile
    private let hashing: Hashing
    private let coding: RowCoding?

    /// Opens the file, makes or migrates its schema. Blocks for some milliseconds: once, at start.
    ///
    /// - Parameter coding: of the rows that decide access; without it they can be read only.
    public init(
        in folder: DataFolder, hashing: @escaping Hashing, coding: RowCoding? = nil
    ) throws {
        self.coding = coding
        file = try DatabaseFile(at: folder.controlFile, schema: .control, readers: 2)
        self.hashing = hashing
    }

    /// Ends all connections; for shutdown. Blocks until running statements have ended.
    public func close() throws { try file.close() }

    /// Copies everything into another data folder, as of one moment.
    public func copy(to other: DataFolder) async throws { try await file.copy(to: other.controlFile) }

    public func load() async throws -> ControlContents {
        try await file.read { database in
            ControlContents(
                vault: try VaultRecord.stored(in: database),
                tenants: try Row.fetchAll(database, sql: "SELECT * FROM tenants ORDER BY name")
                    .map(TenantRecord.init),
                tenantKeys: try Row.fetchAll(
                    database, sql: "SELECT * FROM tenant_keys ORDER BY tenant, version"
                ).map(WrappedTenantKey.init),
                virtualKeys: try Row.fetchAll(
                    database, sql: "SELECT * FROM virtual_keys ORDER BY created, id"
                ).map(VirtualKeyRecord.init),
                holds: Dictionary(
                    uniqueKeysWithValues: try Row.fetchAll(database, sql: "SELECT * FROM holds")
                        .map(BreakerHold.withTarget)),
                limits: try Row.fetchAll(database, sql: "SELECT * FROM limits").map(LimitRecord.init),
                shredded: try Row.fetchAll(database, sql: "SELECT tenant FROM shredded")
                    .map { try $0.id("tenant") })
        }
    }

    public func createVault(_ vault: VaultRecord, audit: AuditDraft) async throws {
        try await change(audit) { database in
            guard try VaultRecord.stored(in: database) == nil else { throw StorageFailure.vaultExists }
            try vault.insert(into: database)
            guard vault.rowsCoded, let coding else { return }
            try AccessCoding(beginningAt: 0, vault: vault.id, coding: coding).store(in: database)
        }
    }

    public func codeRows(
        _ vault: VaultRecord, hashing rehash: @escaping @Sendable ([UInt8]) throws -> [UInt8],
        audit: AuditDraft
    ) async throws {
        guard let coding else {
            throw StorageFailure.unavailable("rows that decide access cannot be written without the vault")
        }
        try await change(audit) { database in
            let isFirst = try VaultRecord.stored(in: database)?.rowsCoded == false
            try vault.replaceStored(in: database)
            if isFirst {
                for key in try Row.fetchAll(database, sql: "SELECT id, hash FROM virtual_keys") {
                    let id: VirtualKeyID = try key.id("id")
                    try database.execute(
                        sql: "UPDATE virtual_keys SET hash = ? WHERE id = ?",
                        arguments: [Data(try rehash(try key.bytes("hash"))), id.blob])
                }
            }
            let rows = try CodedRow.all(in: database)
            let last = max(try AccessSeal.stored(in: database)?.seal.counter ?? 0, 0)
            var codes = AccessCoding(beginningAt: last, vault: vault.id, coding: coding)
            for stored in rows { try codes.code(stored.row, in: database) }
            try codes.store(in: database)
        }
    }

    public func checkRows() async throws -> AccessFindings {
        try await file.read { [coding] database in
            guard let record = try VaultRecord.stored(in: database), record.rowsCoded else {
                return AccessFindings()
            }
            guard let coding else {
                throw StorageFailure.unavailable(
                    "rows that decide access cannot be checked without the vault")
            }
            return try AccessFindings.check(
                try CodedRow.all(in: database), seal: try AccessSeal.stored(in: database), vault: record.id,
                coding: coding)
        }
    }

    public func changeVault(
        _ vault: VaultRecord, keys: [WrappedTenantKey], audit: AuditDraft?
    ) async throws {
        try await change(audit) { database in
            try vault.replaceStored(in: database)
            for key in keys { try key.put(into: database) }
        }
        // Removed slots and wraps are overwritten in the file; this takes them out of the log too.
        await file.emptyLog()
    }

    public func insertTenant(
        _ tenant: TenantRecord, key: WrappedTenantKey, vault: VaultRecord?, audit: AuditDraft
    ) async throws {
        guard key.tenant == tenant.id else { throw StorageFailure.otherTenant("the wrapped key", tenant.id) }
        try await change(audit, of: [.tenant(tenant)]) { database in
            guard try !database.has("SELECT 1 FROM tenants WHERE name = ?", [tenant.name.text]) else {
                throw StorageFailure.tenantNameTaken(tenant.name)
            }
            guard try TenantRecord.stored(tenant.id, in: database) == nil else {
                throw StorageFailure.alreadyThere("tenant \(tenant.id)")
            }
            try tenant.insert(into: database)
            try key.put(into: database)
            try vault?.replaceStored(in: database)
        }
    }

    public func updateTenant(_ tenant: TenantRecord, audit: AuditDraft) async throws {
        try await change(audit, of: [.tenant(tenant)]) { database in
            guard let stored = try TenantRecord.stored(tenant.id, in: database) else {
                throw StorageFailure.notFound("tenant \(tenant.name)")
            }
            guard stored.name == tenant.name, stored.created == tenant.created else {
                throw StorageFailure.fixed("the name of tenant \(stored.name)")
            }
            try tenant.update(in: database)
        }
    }

    public func shredTenant(
        _ tenant: TenantID, commitment: [UInt8], vault: VaultRecord, audit: AuditDraft
    ) async throws -> Bool {
        try await change(audit, of: { try AccessRow.all(of: tenant, in: $0) }) { database in
            guard try TenantRecord.stored(tenant, in: database) != nil else {
                throw StorageFailure.notFound("tenant \(tenant)")
            }
            for table in ["virtual_keys", "limits", "tenant_keys"] {
                try database.execute(sql: "DELETE FROM \(table) WHERE tenant = ?", arguments: [tenant.blob])
            }
            try database.execute(sql: "DELETE FROM tenants WHERE id = ?", arguments: [tenant.blob])
            try database.execute(
                sql: "INSERT INTO shredded (tenant, at, commitment) VALUES (?, ?, ?)",
                arguments: [tenant.blob, audit.at.milliseconds, Data(commitment)])
            try vault.replaceStored(in: database)
        }
        // Removed wraps are overwritten in the file (secure_delete); this takes them out of the log too.
        return await file.emptyLog()
    }

    public func insertVirtualKey(_ key: VirtualKeyRecord, audit: AuditDraft) async throws {
        try await change(audit, of: [.virtualKey(key)]) { try key.addNew(to: $0) }
    }

    public func rotateVirtualKey(
        ending predecessor: VirtualKeyRecord, with successor: VirtualKeyRecord, audit: AuditDraft
    ) async throws {
        guard predecessor.tenant == successor.tenant else {
            throw StorageFailure.otherTenant("the successor", predecessor.tenant)
        }
        try await change(audit, of: [.virtualKey(predecessor), .virtualKey(successor)]) { database in
            try successor.addNew(to: database)
            try predecessor.replaceStored(in: database)
        }
    }

    public func updateVirtualKey(_ key: VirtualKeyRecord, audit: AuditDraft) async throws {
        try await change(audit, of: [.virtualKey(key)]) { try key.replaceStored(in: $0) }
    }

    public func setLimits(_ record: LimitRecord, audit: AuditDraft) async throws {
        guard record.hasPlace else { throw StorageFailure.limitsElsewhere }
        try await change(audit, of: [.limits(record)]) { database in
            guard try TenantRecord.stored(record.tenant, in: database) != nil else {
                throw StorageFailure.notFound("tenant \(record.tenant)")
            }
            try record.replace(in: database)
        }
    }

    public func setHold(_ hold: BreakerHold?, on target: Target, audit: AuditDraft) async throws {
        try await change(audit) { database in
            try database.execute(
                sql: "DELETE FROM holds WHERE provider = ? AND model = ?",
                arguments: [target.provider.text, target.model.text])
            try hold?.insert(for: target, into: database)
        }
    }

    @discardableResult
    public func appendAudit(_ draft: AuditDraft) async throws -> AuditRecord {
        try await file.write { [hashing] database in
            if let record = try AuditRecord.stored(draft.id, in: database) { return record }
            return try AuditRecord.chain(draft, in: database, hashing: hashing)
        }
    }

    public func auditRecords(before: Int64?, limit: Int) async throws -> [AuditRecord] {
        try await file.read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM audit WHERE sequence < ? ORDER BY sequence DESC LIMIT ?",
                arguments: [before ?? .max, max(0, limit)]
            ).map(AuditRecord.init)
        }
    }

    public func auditHead() async throws -> AuditHead {
        try await file.read { [hashing] database in
            let last = try AuditRecord.last(in: database)
            let tree = try MerkleFrontier.stored(
                upTo: last?.sequence ?? 0, in: database, hashing: hashing)
            return AuditHead(
                size: tree.size, head: last?.hash ?? AuditChain.origin, root: tree.root(hashing: hashing))
        }
    }

    public func auditRecords(from sequence: Int64, limit: Int) async throws -> [AuditRecord] {
        try await file.read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM audit WHERE sequence >= ? ORDER BY sequence LIMIT ?",
                arguments: [sequence, max(0, limit)]
            ).map(AuditRecord.init)
        }
    }

    public func auditLeaves(size: Int64) async throws -> [Digest256] {
        try await file.read { try AuditRecord.leaves(1..<max(1, size + 1), in: $0) }
    }

    public func eraseOperator(
        _ name: String, audit: @escaping @Sendable (AuditErasure) -> AuditDraft
    ) async throws -> AuditErasure {
        var erasure = try await file.write { [hashing] database in
            let erasure = try AuditErasure(of: name, in: database)
            try AuditRecord.chain(audit(erasure), in: database, hashing: hashing)
            return erasure
        }
        // It is overwritten in the file (secure_delete); this takes it out of the log too.
        erasure.isEmptied = await file.emptyLog()
        return erasure
    }

    public func appendCheckpoint(_ checkpoint: StoredCheckpoint) async throws {
        try await file.write { database in
            try database.execute(
                sql: "INSERT INTO audit_checkpoints (origin, size, at, note) VALUES (?, ?, ?, ?)",
                arguments: [checkpoint.origin, checkpoint.size, checkpoint.at.milliseconds, checkpoint.note])
        }
    }

    public func checkpoints(after position: Int64, limit: Int) async throws -> [StoredCheckpoint] {
        try await file.read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM audit_checkpoints WHERE position > ? ORDER BY position LIMIT ?",
                arguments: [position, max(0, limit)]
            ).map(StoredCheckpoint.init)
        }
    }

    public func lastCheckpoint() async throws -> StoredCheckpoint? {
        try await file.read { database in
            try Row.fetchOne(
                database, sql: "SELECT * FROM audit_checkpoints ORDER BY position DESC LIMIT 1"
            ).map(StoredCheckpoint.init)
        }
    }

    public func walkAudit() async throws -> AuditWalk {
        var walk = AuditWalk(hashing: hashing)
        var last = Int64.min
        // A batch a transaction: a long walk neither holds the log back nor the chain in memory.
        while true {
            let after = last
            let (batch, tree) = try await file.read { database in
                (try AuditRecord.batch(after: after, in: database), try MerkleFrontier.asStored(in: database))
            }
            for (sequence, record) in batch {
                guard let record else {
                    walk.stop(at: sequence, "the record cannot be read")
                    return walk
                }
                guard walk.take(record) == nil else { return walk }
                last = sequence
            }
            guard batch.isEmpty else { continue }
            // No tree is stored yet in a folder from before there was one.
            if let tree, tree != walk.tree {
                walk.stop(
                    at: walk.tree.size + 1,
                    tree.size > walk.tree.size
                        ? "records up to \(tree.size) are missing at the end"
                        : "the stored tree does not fit the records")
            }
            return walk
        }
    }

    /// One transaction: the change, the codes of the rows that it is of, and its audit record, or nothing of it.
    private func change(
        _ audit: AuditDraft?, of rows: [AccessRow] = [], _ body: @Sendable (Database) throws -> Void
    ) async throws {
        try await change(audit, of: { _ in rows }, body)
    }

    private func change(
        _ audit: AuditDraft?, of find: @Sendable (Database) throws -> [AccessRow],
        _ body: @Sendable (Database) throws -> Void
    ) async throws {
        try await file.write { [hashing, coding] database in
            if let audit, try AuditRecord.stored(audit.id, in: database) != nil {
                throw StorageFailure.chained(audit)
            }
            let rows = try find(database)
            var codes = rows.isEmpty ? nil : try AccessCoding(in: database, coding: coding)
            for row in rows { try codes?.release(row, in: database) }
            try body(database)
            for row in rows { try codes?.code(row, in: database) }
            try codes?.store(in: database)
            if let audit { try AuditRecord.chain(audit, in: database, hashing: hashing) }
        }
    }
}

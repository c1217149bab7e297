import Dispatch
public import Domain
import Foundation
import GRDB
import Locking
public import Storage

/// Tenants' stores as one SQLite file each, in `tenants/UUID/` of the data folder.
///
/// At most `limit` files stay open; beyond that the one longest unused is closed, except that no file is closed
/// while a verb is running on it. A store may be kept for as long as one likes: it opens its file anew when needed.
///
/// Opening and closing a file costs some milliseconds, and where more tenants call than files may be open, each row of
/// usage would pay that. Such rows are parked together in one file of the folder (`ParkedRows`), and go into a tenant's
/// own when there are enough of them or when somebody looks at its ledger.
public final class SQLiteTenantStores: TenantStores {
    private let folder: DataFolder
    private let vault: VaultID
    private let handles: Locked<TenantHandles>
    private let removed = Locked<Set<TenantID>>([])
    private let parked: ParkedRows
    /// Opening a file blocks; it is done here, one at a time, so that no file is opened twice.
    private let opener = DispatchQueue(label: "gatehouse.storage.open")

    /// `limit`: 256 files are 768 descriptors (file, log, index of the log), under the usual limit of 1,024.
    public init(in folder: DataFolder, vault: VaultID, limit: Int = 256) {
        self.folder = folder
        self.vault = vault
        parked = ParkedRows(at: folder.parkedFile)
        handles = Locked(TenantHandles(limit: limit))
    }

    public func create(_ tenant: TenantID, vault: VaultID) async throws {
        try await opener.run { [self] in
            guard vault == self.vault else { throw StorageFailure.otherVault(tenant) }
            guard handles.withLock({ $0.use(tenant) }) == nil else { return }
            try folder.makeTenantFolder(tenant)
            let file = try DatabaseFile(at: folder.tenantFile(tenant), schema: .tenant, readers: 0)
            try file.stamp(tenant: tenant, vault: vault)
            let closed = handles.withLock { $0.insert(file, for: tenant) }
            withExtendedLifetime(closed) {}
        }
    }

    /// Closes a tenant's file and unlinks it with its log; the folder too. What it held of secrets was sealed by keys
    /// that are destroyed; the rest is in blocks of the disk that the system may hand out again.
    public func remove(_ tenant: TenantID) async throws {
        _ = removed.withLock { $0.insert(tenant) }
        try await parked.drop(tenant)
        try await opener.run { [self] in
            if let file = handles.withLock({ $0.remove(tenant) }) { try file.close() }
            guard try folder.hasTenantFolder(tenant) else { return }
            try folder.removeTenantFolder(tenant)
        }
    }

    public func store(for tenant: TenantID) async throws -> any TenantStore {
        _ = try await file(of: tenant)
        return SQLiteTenantStore(tenant: tenant, stores: self)
    }

    /// Copies a tenant's file into another data folder, as of one moment; gives the copy's path.
    public func copy(_ tenant: TenantID, to other: DataFolder) async throws -> String {
        try other.makeTenantFolder(tenant)
        try await ledger(of: tenant).copy(to: other.tenantFile(tenant))
        return other.tenantFile(tenant)
    }

    /// Rows of a tenant whose file is open go into it; where no more files may be open they are parked, up to a bound.
    public func appendUsage(_ rows: [LedgerRow], of tenant: TenantID) async throws {
        let isElsewhere = handles.withLock { $0.isFull && $0.use(tenant) == nil }
        guard isElsewhere, !removed.withLock({ $0.contains(tenant) }), await parked.park(rows, of: tenant)
        else { return try await store(for: tenant).appendUsage(rows) }
        // Deleted meanwhile: what deleted it may have looked before these rows were there.
        guard removed.withLock({ $0.contains(tenant) }) else { return }
        try await parked.drop(tenant)
        throw StorageFailure.shredded(tenant)
    }

    /// The open file of a tenant, with all its rows in it.
    func ledger(of tenant: TenantID) async throws -> DatabaseFile {
        let file = try await file(of: tenant)
        let waiting = try await parked.rows(of: tenant)
        guard !waiting.isEmpty else { return file }
        try await file.write { try LedgerRow.append(waiting, to: $0) }
        // Only now: a row that is in both files is skipped when it comes again.
        try await parked.remove(waiting)
        return file
    }

    /// Closes all files that are not in use; for shutdown.
    public func close() async throws {
        try await parked.close()
        try await opener.run { [self] in
            for file in handles.withLock({ $0.removeAll() }) { try file.close() }
        }
    }

    /// The open file of a tenant: whoever holds it keeps it open.
    func file(of tenant: TenantID) async throws -> DatabaseFile {
        guard !removed.withLock({ $0.contains(tenant) }) else { throw StorageFailure.shredded(tenant) }
        if let file = handles.withLock({ $0.use(tenant) }) { return file }
        return try await opener.run { [self] in
            guard !removed.withLock({ $0.contains(tenant) }) else { throw StorageFailure.shredded(tenant) }
            // Someone else may have opened it while this one waited its turn.
            if let file = handles.withLock({ $0.use(tenant) }) { return file }
            let path = folder.tenantFile(tenant)
            guard try folder.hasTenantFolder(tenant), try PrivateFile.identity(of: path) != nil else {
                throw StorageFailure.notFound("the storage of tenant \(tenant)")
            }
            let file = try DatabaseFile(at: path, schema: .tenant, readers: 0)
            try file.checkStamp(tenant: tenant, vault: vault)
            let closed = handles.withLock { $0.insert(file, for: tenant) }
            withExtendedLifetime(closed) {}
            return file
        }
    }

    var openFiles: Int { handles.withLock { $0.open } }

    var parkedRows: Int { parked.total }
}

extension DispatchQueue {
    /// Does on this queue what blocks, and waits for it without holding a thread of Swift's pool.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            async { continuation.resume(with: Result { try body() }) }
        }
    }
}

/// Which tenants' files are open, and which of them to close.
struct TenantHandles {
    private struct Entry {
        let file: DatabaseFile
        var lastUse: UInt64
    }

    private struct Weak {
        weak var file: DatabaseFile?
    }

    private let limit: Int
    private var kept: [TenantID: Entry] = [:]
    /// Files that were let go here but are still in use elsewhere; the next user shares them.
    private var lent: [TenantID: Weak] = [:]
    private var uses: UInt64 = 0

    init(limit: Int) { self.limit = max(1, limit) }

    /// Whether another file is opened only in the place of one of these.
    var isFull: Bool { kept.count >= limit }

    var open: Int { kept.count + lent.values.count { $0.file != nil } }

    /// The open file of a tenant, now the most recently used; nil when there is none that works.
    mutating func use(_ tenant: TenantID) -> DatabaseFile? {
        uses += 1
        if let entry = kept[tenant] {
            guard !entry.file.isBroken else {
                kept[tenant] = nil
                return nil
            }
            kept[tenant]?.lastUse = uses
            return entry.file
        }
        guard let file = lent[tenant]?.file, !file.isBroken else { return nil }
        return file
    }

    /// Keeps a file open; gives back what is no longer kept, to be let go outside the lock.
    mutating func insert(_ file: DatabaseFile, for tenant: TenantID) -> DatabaseFile? {
        uses += 1
        lent = lent.filter { $0.value.file != nil }
        lent[tenant] = nil
        kept[tenant] = Entry(file: file, lastUse: uses)
        guard kept.count > limit, let oldest = kept.min(by: { $0.value.lastUse < $1.value.lastUse }) else {
            return nil
        }
        kept[oldest.key] = nil
        lent[oldest.key] = Weak(file: oldest.value.file)
        return oldest.value.file
    }

    mutating func remove(_ tenant: TenantID) -> DatabaseFile? {
        defer {
            kept[tenant] = nil
            lent[tenant] = nil
        }
        return kept[tenant]?.file ?? lent[tenant]?.file
    }

    mutating func removeAll() -> [DatabaseFile] {
        let files = kept.values.map(\.file) + lent.values.compactMap(\.file)
        kept = [:]
        lent = [:]
        return files
    }
}

// The header row ties a file to its tenant and its vault: a file that was copied over another is refused.
extension DatabaseFile {
    fileprivate func stamp(tenant: TenantID, vault: VaultID) throws {
        try blockingWrite { database in
            try database.execute(
                sql: "INSERT OR IGNORE INTO header (one, tenant, vault) VALUES (1, ?, ?)",
                arguments: [tenant.blob, vault.blob])
        }
        try checkStamp(tenant: tenant, vault: vault)
    }

    fileprivate func checkStamp(tenant: TenantID, vault: VaultID) throws {
        let stamp = try blockingWrite { database in
            try Row.fetchOne(database, sql: "SELECT * FROM header").map { row in
                (tenant: try row.id("tenant") as TenantID, vault: try row.id("vault") as VaultID)
            }
        }
        guard let stamp else {
            throw StorageFailure.corrupt(
                "\(path) says no tenant; its making was interrupted: make the tenant anew")
        }
        guard stamp.tenant == tenant else {
            throw StorageFailure.corrupt("\(path) is the file of tenant \(stamp.tenant), not of \(tenant)")
        }
        guard stamp.vault == vault else {
            throw StorageFailure.corrupt("\(path) belongs to vault \(stamp.vault), not to \(vault)")
        }
    }
}

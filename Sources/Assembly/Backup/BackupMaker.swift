import Cipher
import Domain
import FoundationEssentials
import Glibc
import SQLiteStorage
import Storage
import Vault

/// Makes a backup of an open data folder, while calls run.
///
/// One cut: whoever calls this keeps commands from changing anything meanwhile, so that tenants, virtual keys, provider
/// keys, the vault and the audit fit each other. Ledgers go on; each is copied as of one moment. Copies lie in the clear,
/// one at a time, in a folder inside the data folder, and are gone when they are sealed.
struct BackupMaker: Sendable {
    let data: String
    let control: SQLiteControlStore
    let tenants: SQLiteTenantStores
    let vault: KeyVault

    /// What was made: sentences for the receipt.
    func make(_ folder: String, only tenant: TenantID?, at now: WallTime) async throws -> [String] {
        guard folder.hasPrefix("/"), !folder.utf8.starts(with: (data + "/").utf8) else {
            throw CommandFailure("a backup goes to an absolute path outside \(data)")
        }
        let part = folder + ".part"
        try Self.remove(part)
        guard mkdir(folder, 0o700) == 0 else {
            throw CommandFailure(
                "\(folder) cannot be made (\(String(cString: strerror(errno)))); a backup is never written over "
                    + "another")
        }
        // Only its name was taken; what is written goes to a name that says it is not finished.
        guard rename(folder, part) == 0 else { throw PlainFile.failure("rename", folder) }
        let staging = data + "/backup.part"
        do {
            try Self.remove(staging)
            let lines = try await write(into: part, through: DataFolder(at: staging), only: tenant, at: now)
            try Self.remove(staging)
            guard rename(part, folder) == 0 else { throw PlainFile.failure("rename", part) }
            return lines
        } catch {
            try? Self.remove(staging)
            try? Self.remove(part)
            throw error
        }
    }

    private func write(
        into part: String, through staging: DataFolder, only tenant: TenantID?, at now: WallTime
    ) async throws -> [String] {
        try await control.copy(to: staging)
        let (contents, audit) = try await Self.look(into: staging)
        guard let record = contents.vault, case .intact(let records, let head) = audit else {
            throw CommandFailure("the audit chain is broken; see: gatehouse audit verify")
        }
        var files: [BackupManifest.File] = []
        if tenant == nil { files.append(try seal(staging.controlFile, BackupManifest.control, into: part)) }
        try Self.remove(staging.controlFile)
        for one in contents.tenants where tenant == nil || one.id == tenant {
            let copy = try await tenants.copy(one.id, to: staging)
            files.append(try seal(copy, one.id.text, into: part))
            try Self.remove(copy)
        }
        let manifest = BackupManifest(
            format: BackupManifest.format, made: now, program: GatehouseVersion.text, vault: record,
            keys: contents.tenantKeys, tenant: tenant, auditRecords: records,
            auditHead: hexadecimalText(of: head), files: files)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        let bytes = Array(try encoder.encode(manifest))
        let code = hexadecimalText(of: try vault.backupCode(of: bytes).bytes)
        for (name, content) in [
            (BackupManifest.fileName, bytes), (BackupManifest.codeName, Array((code + "\n").utf8)),
        ] {
            let file = try PlainFile(making: "\(part)/\(name)")
            try file.write(content)
            try file.flush()
        }
        let total = files.reduce(0) { $0 + $1.bytes }
        return [
            "\(files.count) files, \(total / 1_024) KiB, vault \(record.id), epoch \(record.epoch)",
            "\(records) audit records, head \(manifest.auditHead)",
            "it opens with what opens the vault now, also after that was changed here, and holds the keys of tenants that "
                + "are deleted later",
        ]
    }

    private func seal(_ copy: String, _ name: String, into part: String) throws -> BackupManifest.File {
        try BackupFile.seal(copy, into: BackupManifest.path(of: name, in: part), name: name, with: vault)
    }

    private static func look(
        into staging: DataFolder
    ) async throws -> (ControlContents, AuditVerification) {
        let copy = try SQLiteControlStore(in: staging, hashing: { SHA256.digest($0) })
        let contents = try await copy.load()
        let audit = try await copy.verifyAudit()
        try copy.close()
        return (contents, audit)
    }

    /// Removes a file or folder of ours, if it is there.
    static func remove(_ path: String) throws {
        guard access(path, F_OK) == 0 else { return }
        try FileManager.default.removeItem(atPath: path)
    }
}

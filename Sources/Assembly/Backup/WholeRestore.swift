import Cipher
import Domain
import Engine
import Glibc
import Logging
import Operations
import SQLiteStorage
import Storage
import Vault

/// A whole data folder out of a backup.
struct WholeRestore {
    private let order: BackupRestorer
    private let places: Places
    private let configuration: Configuration
    private let staging: String
    private let hasCheckpoints: Bool
    private let log: Logger

    /// What stands in the data folder now.
    private struct Live {
        let vault: VaultRecord
        let contents: ControlContents
        let auditRecords: Int64
    }

    init(
        _ order: BackupRestorer, _ places: Places, _ configuration: Configuration, _ staging: String,
        _ log: Logger
    ) {
        self.order = order
        self.places = places
        // What is only being looked at signs nothing that leaves the folder.
        var quiet = configuration
        quiet.checkpoints = nil
        self.configuration = quiet
        hasCheckpoints = configuration.checkpoints != nil
        self.staging = staging
        self.log = log
    }

    func run(unlock obtain: () throws -> GatewayAssembly.Unlock) async throws -> [String] {
        let lock = order.verifies ? nil : try FolderLock(DataFolder(at: places.data))
        defer { withExtendedLifetime(lock) {} }
        let live = order.verifies ? nil : try await look()
        let unlock = try obtain()
        let keepers = KeeperList.make(configuration, places)
        let (manifest, vault) = try await order.manifest { manifest in
            let vault = KeyVault()
            do {
                _ = try await unlock.open(vault, manifest.vault, keys: manifest.keys, keepers)
            } catch {
                throw CommandFailure("the backup did not open: \(error). Nothing was restored.")
            }
            return vault
        }
        guard manifest.tenant == nil else {
            throw CommandFailure("this backup is of one tenant; name it: --tenant NAME")
        }
        try check(live, against: manifest)
        let next = try unpack(manifest, with: vault)
        try await checkControl(next, manifest, live)
        let gateway = try await GatewayAssembly.open(
            try Places(data: staging, config: places.config), configuration: configuration,
            unlock: unlock, log: log)
        var lines = try checked(gateway, manifest)
        if !order.verifies {
            do {
                lines += try await settle(gateway, manifest, live)
            } catch {
                await gateway.stop(grace: .zero)
                throw error
            }
        }
        await gateway.stop(grace: .zero)
        guard !order.verifies else { return lines + ["verified: nothing was changed"] }
        return lines + (try put(live))
    }

    // MARK: Checks

    private func look() async throws -> Live? {
        let folder = try DataFolder(at: places.data)
        guard access(folder.controlFile, F_OK) == 0 else { return nil }
        let control = try SQLiteControlStore(in: folder, hashing: { SHA256.digest($0) })
        let contents = try await control.load()
        let last = try await control.auditRecords(before: nil, limit: 1).first?.sequence ?? 0
        try control.close()
        guard let vault = contents.vault else { return nil }
        return Live(vault: vault, contents: contents, auditRecords: last)
    }

    private func check(_ live: Live?, against manifest: BackupManifest) throws {
        guard let live, !order.replaces else { return }
        let what: String
        if live.vault.id != manifest.vault.id {
            what = "holds another vault"
        } else if live.vault.epoch > manifest.vault.epoch || live.auditRecords > manifest.auditRecords {
            what =
                "is newer than the backup (epoch \(live.vault.epoch) to \(manifest.vault.epoch), "
                + "\(live.auditRecords) audit records to \(manifest.auditRecords))"
        } else {
            what = "is in use"
        }
        throw CommandFailure(
            "\(places.data) \(what); nothing was changed. With --replace its files are moved aside, not deleted"
        )
    }

    private func unpack(_ manifest: BackupManifest, with vault: KeyVault) throws -> DataFolder {
        let next = try DataFolder(at: staging)
        guard manifest.files.contains(where: { $0.name == BackupManifest.control }) else {
            throw CommandFailure("the backup has no control database")
        }
        for file in manifest.files {
            let source = try BackupManifest.path(of: file.name, in: order.folder)
            if let tenant = TenantID(file.name) {
                try next.makeTenantFolder(tenant)
                try BackupFile.open(source, into: next.tenantFile(tenant), as: file, with: vault)
            } else {
                try BackupFile.open(source, into: next.controlFile, as: file, with: vault)
            }
        }
        return next
    }

    private func checkControl(
        _ next: DataFolder, _ manifest: BackupManifest, _ live: Live?
    ) async throws {
        let control = try SQLiteControlStore(in: next, hashing: { SHA256.digest($0) })
        let contents = try await control.load()
        guard contents.vault == manifest.vault, contents.tenantKeys == manifest.keys else {
            throw CommandFailure("the backup's control database is not the one its manifest tells of")
        }
        guard case .intact(let records, let head) = try await control.verifyAudit(),
            records == manifest.auditRecords, hexadecimalText(of: head) == manifest.auditHead
        else { throw CommandFailure("the backup's audit chain is not the one its manifest tells of") }
        let tenants = Set(manifest.files.compactMap { TenantID($0.name) })
        guard tenants == Set(contents.tenants.map(\.id)) else {
            throw CommandFailure("the backup does not hold every tenant's storage, or one too many")
        }
        if !order.verifies {
            try await control.appendAudit(
                AuditDraft(
                    at: SystemClock().wall, actor: BackupRestorer.command.name, via: "command",
                    action: "backup.restore", target: order.folder,
                    before: live.map { "epoch \($0.vault.epoch), \($0.auditRecords) audit records" }
                        ?? "nothing",
                    after: "backup of \(Self.text(manifest.made)), epoch \(manifest.vault.epoch), \(records) "
                        + "audit records, head \(manifest.auditHead)"))
        }
        try control.close()
    }

    private func checked(_ gateway: GatewayAssembly, _ manifest: BackupManifest) throws -> [String] {
        let picture = gateway.engine.snapshot()
        guard picture.vault.distrusted.isEmpty else {
            throw CommandFailure("the backup holds rows that were changed: \(picture.vault.distrusted[0])")
        }
        return [
            "backup of \(Self.text(manifest.made)): \(manifest.files.count) files, \(picture.tenants.count) tenants, "
                + "\(picture.vault.sealedKeys) sealed keys, \(picture.vault.damagedKeys) damaged",
            "audit chain intact: \(manifest.auditRecords) records, head \(manifest.auditHead)",
        ]
    }

    // MARK: What was taken back since

    /// A backup brings back what was revoked after it. What the live folder knows of that is done again; and no tenant is
    /// served before an operator has looked, because where there is no live folder nobody knows.
    private func settle(
        _ gateway: GatewayAssembly, _ manifest: BackupManifest, _ live: Live?
    ) async throws -> [String] {
        let reason = "restored from the backup of \(Self.text(manifest.made))"
        let engine = gateway.engine
        var (deleted, revoked) = (0, 0)
        if let live, live.vault.id == manifest.vault.id {
            for tenant in engine.snapshot().tenants where live.contents.shredded.contains(tenant.id) {
                try await give(
                    .tenantDelete(name: tenant.name, confirm: tenant.name.text, reason: "deleted since"),
                    engine)
                deleted += 1
            }
            let gone = Set(live.contents.virtualKeys.filter { $0.revoked != nil }.map(\.id))
            for key in engine.snapshot().virtualKeys where gone.contains(key.id) && key.revoked == nil {
                try await give(.tokenRevoke(key: key.id, reason: "revoked since"), engine)
                revoked += 1
            }
        }
        let tenants = engine.snapshot().tenants.filter { $0.status == .active }
        for tenant in tenants { try await give(.tenantSuspend(name: tenant.name, reason: reason), engine) }
        var lines: [String] = []
        if deleted > 0 { lines.append("\(deleted) tenants that were deleted since stay deleted") }
        if revoked > 0 { lines.append("\(revoked) virtual keys that were revoked since stay revoked") }
        lines.append(
            "\(tenants.count) tenants are suspended: what was revoked after the backup may be good again. Look at "
                + "gatehouse token list and key list, then: gatehouse tenant resume NAME")
        return lines
    }

    private func give(_ command: EngineCommand, _ engine: GatewayEngine) async throws {
        do {
            _ = try await engine.perform(command, secret: nil, by: BackupRestorer.command)
        } catch {
            throw CommandFailure("nothing was restored: \(error.message)")
        }
    }

    // MARK: Into place

    /// The control database last: without it the folder has no vault, and the restore can be run again.
    private func put(_ live: Live?) throws -> [String] {
        let data = try DataFolder(at: places.data).path
        var lines: [String] = []
        let names = [
            "control.sqlite", "control.sqlite-wal", "control.sqlite-shm", "tenants", "usage.journal",
        ]
        if live != nil || access("\(data)/tenants", F_OK) == 0 {
            let aside = try BackupRestorer.aside(data, at: SystemClock().wall)
            let leftBehind = ["parked.sqlite", "parked.sqlite-wal", "parked.sqlite-shm", "limits.json"]
            for name in names + leftBehind {
                try BackupRestorer.move("\(data)/\(name)", "\(aside)/\(name)")
            }
            lines.append("what was there is in \(aside)")
        }
        for name in names.reversed() {
            try BackupRestorer.move("\(staging)/\(name)", "\(data)/\(name)")
        }
        lines.append("restored into \(data)")
        if hasCheckpoints {
            lines.append(
                "its audit is older than the checkpoints outside: gatehouse audit new-log --reason TEXT")
        }
        return lines
    }

    private static func text(_ time: WallTime) -> String { "\(time.civil.date) \(time.civil.clock)Z" }
}

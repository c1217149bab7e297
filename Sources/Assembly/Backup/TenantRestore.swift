import Cipher
import Domain
import Engine
import Glibc
import Logging
import Operations
import SQLiteStorage
import Storage
import Vault

/// One tenant's storage out of a backup, into the data folder it came from.
///
/// Its keys have to be there still: those of a deleted tenant are destroyed, and no backup's wraps are taken back.
struct TenantRestore {
    private let order: BackupRestorer
    private let places: Places
    private let configuration: Configuration
    private let staging: String
    private let log: Logger

    init(
        _ order: BackupRestorer, _ places: Places, _ configuration: Configuration, _ staging: String,
        _ log: Logger
    ) {
        self.order = order
        self.places = places
        self.configuration = configuration
        self.staging = staging
        self.log = log
    }

    func run(_ name: TenantName, unlock: GatewayAssembly.Unlock) async throws -> [String] {
        let gateway = try await GatewayAssembly.open(
            places, configuration: configuration, unlock: unlock, log: log)
        var lines: [String]
        let tenant: TenantID
        do {
            (tenant, lines) = try await prepare(name, gateway)
        } catch {
            await gateway.stop(grace: .zero)
            throw error
        }
        await gateway.stop(grace: .zero)
        guard !order.verifies else { return lines + ["verified: nothing was changed"] }
        let folder = try DataFolder(at: places.data, creating: false)
        // It has closed its files, and holds the folder until it is gone.
        defer { withExtendedLifetime(gateway) {} }
        let aside = try BackupRestorer.aside(folder.path, at: SystemClock().wall)
        try BackupRestorer.move(folder.tenantFolder(tenant), "\(aside)/\(tenant)")
        try BackupRestorer.move(
            try DataFolder(at: staging).tenantFolder(tenant), folder.tenantFolder(tenant))
        lines.append("its file as it was, with ledger rows since the backup, is in \(aside)")
        return lines
    }

    private func prepare(_ name: TenantName, _ gateway: GatewayAssembly) async throws -> (TenantID, [String])
    {
        let engine = gateway.engine
        guard let found = engine.snapshot().tenants.first(where: { $0.name == name }) else {
            throw CommandFailure(
                "there is no tenant \(name) here; one that was deleted is not brought back: its keys are destroyed"
            )
        }
        guard order.replaces || order.verifies else {
            throw CommandFailure(
                "tenant \(name) is there; nothing was changed. With --replace its file is moved aside, not deleted"
            )
        }
        let vault = engine.parts.vault
        let record = gateway.vaultID
        let (manifest, _) = try await order.manifest { manifest in
            guard manifest.vault.id == record else { throw CommandFailure("this backup is of another vault") }
            return vault
        }
        guard let file = manifest.files.first(where: { $0.name == found.id.text }) else {
            throw CommandFailure("the backup does not hold tenant \(name)")
        }
        let next = try DataFolder(at: staging)
        try next.makeTenantFolder(found.id)
        try BackupFile.open(
            BackupManifest.path(of: file.name, in: order.folder), into: next.tenantFile(found.id), as: file,
            with: vault)
        let stores = SQLiteTenantStores(in: next, vault: record)
        let lines = try await check(
            stores.store(for: found.id), against: gateway.store(of: found.id), vault)
        try await stores.close()
        guard !order.verifies else { return (found.id, lines) }
        // Its rows that are parked elsewhere belong to the file that is moved aside.
        try await gateway.store(of: found.id).appendUsage([])
        if found.status == .active {
            do {
                _ = try await engine.perform(
                    .tenantSuspend(name: name, reason: "restored from a backup"), secret: nil,
                    by: BackupRestorer.command)
            } catch {
                throw CommandFailure(error.message)
            }
        }
        return (
            found.id,
            lines + ["tenant \(name) is suspended; look at its keys, then: gatehouse tenant resume \(name)"]
        )
    }

    /// Every key opens with the keys that the vault has now; what was revoked since is revoked in the copy.
    private func check(
        _ copy: any TenantStore, against live: any TenantStore, _ vault: KeyVault
    ) async throws -> [String] {
        let keys = try await copy.providerKeys().filter { $0.state != .revoked }
        for key in keys {
            do throws(SealFailure) { try vault.verifyProviderKey(key) } catch {
                throw CommandFailure(
                    "provider key \(key.provider)/\(key.label) of the backup does not open here: the key that sealed it "
                        + "was destroyed since. Nothing was changed.")
            }
        }
        let gone = Set(try await live.providerKeys().filter { $0.state == .revoked }.map(\.id))
        let changes = keys.filter { gone.contains($0.id) }.map { key in
            var row = key
            row.state = .revoked
            row.sealed = []
            return ProviderKeyChange(row: row, ifCounter: key.counter)
        }
        if !changes.isEmpty { try await copy.replaceProviderKeys(changes, audit: nil) }
        return ["\(keys.count) provider keys open; \(changes.count) of them were revoked since and stay so"]
    }
}

import Access
import Cipher
package import Domain
import Foundation
import SQLiteStorage
import Storage
import Vault

/// A data folder with many tenants, each with provider keys and a virtual key, made in bulk below the commands: adding
/// thousands one command after another would take longer than what is to be measured.
///
/// It is made in memory where the machine has a file system there, since each of its transactions would wait for the
/// disk, and moved to its place at the end.
package struct TenantCrowd: Sendable {
    package struct Member: Sendable {
        package let id: TenantID
        /// The text of its virtual key.
        package let token: String
        /// Its provider keys and their secrets.
        package let secrets: [ProviderKeyID: String]
    }

    package let data: String
    package let keyFile: String
    package let members: [Member]

    /// - Parameter keys: of each tenant, all for the same provider, each with the same share of its calls.
    package init(
        in folder: String, tenants count: Int, keys: Int, provider: ProviderName, origin: Origin
    ) async throws {
        data = folder + "/data"
        keyFile = folder + "/vault.key"
        let files = FileManager.default
        let workshop = Self.inMemory() ?? folder + "/crowd"
        defer { try? files.removeItem(atPath: workshop) }
        try SecureHeap.start()
        let secret = "a key file of a crowd, 32 bytes and some"
        try Data(secret.utf8).write(to: URL(filePath: keyFile))
        try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: keyFile)
        let builder = try await CrowdBuilder(
            in: DataFolder(at: workshop), provider: provider, origin: origin,
            secret: Self.bytes(of: secret))
        var members: [Member] = []
        for number in 0..<count { members.append(try await builder.add(number, keys: keys)) }
        try await builder.finish()
        self.members = members
        try files.moveItem(atPath: workshop, toPath: data)
    }

    /// A path of its own in memory, where nothing is yet; nil where the machine has no file system there.
    package static func inMemory() -> String? {
        FileManager.default.isWritableFile(atPath: "/dev/shm")
            ? "/dev/shm/gatehouse-test-\(UUID().uuidString)" : nil
    }

    fileprivate static func bytes(of secret: String) throws -> SecretBytes {
        try Array(secret.utf8).span.bytes.withUnsafeBytes { (bytes) throws(CipherFailure) in
            try SecretBytes(copying: bytes)
        }
    }
}

private final class CrowdBuilder {
    private static let now = WallTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
    private let vault: KeyVault
    private let record: VaultRecord
    private let control: SQLiteControlStore
    private let stores: SQLiteTenantStores
    private let provider: ProviderName
    private let origin: Origin
    private let pepper: PreparedHMAC
    private var wraps: [WrappedTenantKey] = []

    init(
        in folder: DataFolder, provider: ProviderName, origin: Origin, secret: consuming SecretBytes
    ) async throws {
        let (vault, record) = try KeyVault.create(with: .keyFile(secret), at: Self.now)
        guard let pepper = vault.tokens else { throw Tool.Failure(description: "the vault is locked") }
        self.vault = vault
        self.record = record
        self.provider = provider
        self.origin = origin
        self.pepper = pepper
        control = try SQLiteControlStore(
            in: folder, hashing: { SHA256.digest($0) }, coding: { try vault.rowCode(of: $0) })
        try await control.createVault(record, audit: Self.draft("vault.create"))
        stores = SQLiteTenantStores(in: folder, vault: record.id, limit: 8)
    }

    func add(_ number: Int, keys: Int) async throws -> TenantCrowd.Member {
        let tenant = TenantRecord(id: .random(), name: try TenantName("t\(number)"), created: Self.now)
        let wrap = try vault.newTenantKey(tenant.id, version: 1, at: Self.now)
        try await control.insertTenant(tenant, key: wrap, vault: nil, audit: Self.draft("tenant.add"))
        guard vault.load([wrap]).isEmpty else { throw Tool.Failure(description: "a new key does not open") }
        wraps.append(wrap)
        try await stores.create(tenant.id, vault: record.id)
        let store = try await stores.store(for: tenant.id)
        var secrets: [ProviderKeyID: String] = [:]
        var drafts: [AuditID] = []
        for place in 0..<keys {
            let secret = "sk-crowd-\(number)-\(place)-0123456789abcdef"
            let key = try providerKey(secret, label: "k\(place)", of: tenant.id, weight: keys > 1 ? 1 : nil)
            let draft = Self.draft("key.add")
            try await store.insertProviderKey(key, audit: draft)
            drafts.append(draft.id)
            secrets[key.id] = secret
        }
        try await store.clearAuditOutbox(drafts)
        return .init(id: tenant.id, token: try await issue(to: tenant), secrets: secrets)
    }

    private func providerKey(
        _ secret: String, label: String, of tenant: TenantID, weight: Int?
    ) throws -> ProviderKeyRecord {
        let id = ProviderKeyID.random()
        let bytes = try TenantCrowd.bytes(of: secret)
        let fingerprint = try vault.fingerprint(of: bytes, tenant: tenant)
        let sealed = try vault.sealProviderKey(
            ProviderSecret(provider: provider, origin: origin, secret: bytes), tenant: tenant, record: id,
            counter: 1)
        return ProviderKeyRecord(
            id: id, tenant: tenant, provider: provider, label: try Label(label), state: .active,
            fingerprint: fingerprint, sealed: sealed, counter: 1, created: Self.now, verdict: .verified,
            verdictAt: Self.now, weight: weight)
    }

    private func issue(to tenant: TenantRecord) async throws -> String {
        let text = try VirtualKeyText.make()
        let hash = text.withUnsafeBytes { pepper.code(ofDigestOf: $0) }.bytes
        try await control.insertVirtualKey(
            VirtualKeyRecord(
                id: .random(), tenant: tenant.id, name: try Label("app"), hash: hash, created: Self.now),
            audit: Self.draft("token.issue"))
        return String(decoding: text, as: UTF8.self)
    }

    /// One key ring over all of it, where the commands seal one with each tenant.
    func finish() async throws {
        wraps.sort { ($0.tenant, $0.version) < ($1.tenant, $1.version) }
        try await control.changeVault(
            try vault.sealRing(record, keys: wraps), keys: [], audit: Self.draft("vault.ring"))
        try await stores.close()
        try control.close()
    }

    private static func draft(_ action: String) -> AuditDraft {
        AuditDraft(at: now, actor: "ops", via: "test", action: action, target: "crowd")
    }
}

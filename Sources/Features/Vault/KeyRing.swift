import Cipher
import Domain

/// The keys of an open vault: the root, the one before while a rotation needs it, and each tenant's versions.
struct KeyRing: Sendable {
    let vault: VaultID
    private(set) var rootVersion: UInt32
    private(set) var root: SealingKey
    /// The root of the version before: opens what is not wrapped anew yet.
    var previousRoot: SealingKey?
    /// Makes fingerprints, and the two keys below; stays the same when the root changes, so that what was made with it
    /// stays good.
    let fingerprints: SealingKey
    let tokens: PreparedHMAC
    let rows: PreparedHMAC
    private var tenants: [TenantID: Versions] = [:]

    private struct Versions: Sendable {
        var keys: [UInt32: SealingKey] = [:]
        var active: UInt32?
        /// What may still be sealed with each version before more is reserved.
        var sealingsLeft: [UInt32: Int64] = [:]
    }

    init(
        vault: VaultID, rootVersion: UInt32, root: SealingKey, previousRoot: SealingKey? = nil,
        fingerprints: SealingKey
    ) throws(SealFailure) {
        self.vault = vault
        self.rootVersion = rootVersion
        self.root = root
        self.previousRoot = previousRoot
        self.fingerprints = fingerprints
        tokens = try Self.prepared(.tokenPepper, fingerprints)
        rows = try Self.prepared(.accessRow, fingerprints)
    }

    private static func prepared(
        _ use: DerivedKeyUse, _ key: SealingKey
    ) throws(SealFailure) -> PreparedHMAC {
        try mapped { () throws(CipherFailure) in
            try key.derive(use).withBytes { (key) throws(CipherFailure) in try PreparedHMAC(key: key) }
        }
    }

    /// Puts a new root in force; the old one stays beside it.
    mutating func advance(to next: SealingKey) {
        previousRoot = root
        root = next
        rootVersion += 1
    }

    /// The root key of a version, if it is one of those that are open.
    func root(version: UInt32) -> SealingKey? {
        if version == rootVersion { return root }
        return version < rootVersion && version == rootVersion - 1 ? previousRoot : nil
    }

    /// Puts a version in its place; of several active ones the newest seals.
    mutating func put(_ key: SealingKey, of tenant: TenantID, version: UInt32, active: Bool) {
        var versions = tenants[tenant, default: Versions()]
        versions.keys[version] = key
        if active { versions.active = max(version, versions.active ?? 0) }
        if !active, versions.active == version { versions.active = nil }
        tenants[tenant] = versions
    }

    mutating func remove(_ version: UInt32, of tenant: TenantID) {
        tenants[tenant]?.keys[version] = nil
        tenants[tenant]?.sealingsLeft[version] = nil
        if tenants[tenant]?.active == version { tenants[tenant]?.active = nil }
    }

    mutating func forget(_ tenant: TenantID) { tenants[tenant] = nil }

    func key(of tenant: TenantID, version: UInt32) -> SealingKey? { tenants[tenant]?.keys[version] }

    /// The version that seals new records.
    func activeKey(of tenant: TenantID) -> (version: UInt32, key: SealingKey)? {
        guard let versions = tenants[tenant], let version = versions.active, let key = versions.keys[version]
        else {
            return nil
        }
        return (version, key)
    }

    mutating func grant(_ sealings: Int64, to tenant: TenantID, version: UInt32) {
        guard tenants[tenant]?.keys[version] != nil else { return }
        tenants[tenant]?.sealingsLeft[version, default: 0] += sealings
    }

    func sealingsLeft(of tenant: TenantID) -> Int64 {
        guard let versions = tenants[tenant], let version = versions.active else { return 0 }
        return versions.sealingsLeft[version] ?? 0
    }

    /// The active key, for one sealing that is counted.
    mutating func takeSealing(of tenant: TenantID) throws(SealFailure) -> (version: UInt32, key: SealingKey) {
        guard let active = activeKey(of: tenant) else { throw .invalid(.sealingKey) }
        guard let left = tenants[tenant]?.sealingsLeft[active.version], left > 0 else {
            throw .sealingsUsedUp
        }
        tenants[tenant]?.sealingsLeft[active.version] = left - 1
        return active
    }
}

import Domain

/// The keys of an open vault: the root and each tenant's versions.
struct KeyRing: Sendable {
    let vault: VaultID
    let rootVersion: UInt32
    let root: SealingKey
    private var tenants: [TenantID: Versions] = [:]

    private struct Versions: Sendable {
        var keys: [UInt32: SealingKey] = [:]
        var active: UInt32?
    }

    init(vault: VaultID, rootVersion: UInt32, root: SealingKey) {
        self.vault = vault
        self.rootVersion = rootVersion
        self.root = root
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
}

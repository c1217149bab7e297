package import Domain

/// Who may call: every virtual key with its tenant, found by the hash of the key's text.
///
/// Immutable; a change makes a new one. Finding a key costs the same whatever the number of tenants.
package struct AccessDirectory: Sendable {
    private let entries: [Digest256: AccessEntry]
    /// Keys that cannot be used because their tenant is unknown or their stored hash is not one of their own.
    package let unusable: [VirtualKeyID]

    package init(tenants: [TenantRecord], virtualKeys: [VirtualKeyRecord]) {
        let known = Dictionary(tenants.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var entries: [Digest256: AccessEntry] = [:]
        entries.reserveCapacity(virtualKeys.count)
        var unusable: [VirtualKeyID] = []
        for key in virtualKeys {
            if let tenant = known[key.tenant], let hash = Digest256(bytes: key.hash), entries[hash] == nil {
                entries[hash] = AccessEntry(tenant: tenant, key: key, hash: hash)
            } else {
                unusable.append(key.id)
            }
        }
        self.entries = entries
        self.unusable = unusable
    }

    package var keyCount: Int { entries.count }

    @inline(__always)
    func entry(for hash: Digest256) -> AccessEntry? { entries[hash] }
}

/// One virtual key with its tenant, ready to be checked; shared by reference so that a call copies nothing.
package final class AccessEntry: Sendable {
    package let tenant: TenantRecord
    package let key: VirtualKeyRecord
    let hash: Digest256
    let models: ModelAllowance

    init(tenant: TenantRecord, key: VirtualKeyRecord, hash: Digest256) {
        self.tenant = tenant
        self.key = key
        self.hash = hash
        models = ModelAllowance(key.models)
    }
}

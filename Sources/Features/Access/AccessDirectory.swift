public import Domain

/// Who may call: every virtual key with its tenant, found by the hash of the key's text under the vault's pepper.
///
/// Immutable; a change makes a new one. Finding a key costs the same whatever the number of tenants.
public struct AccessDirectory: Sendable {
    private let entries: [Digest256: AccessEntry]
    /// Keys that cannot be used because their tenant is unknown or their stored hash is not one of their own.
    public let unusable: [VirtualKeyID]
    /// The rows that this was made of do not fit together: nobody is let in on their word.
    public let isDistrusted: Bool

    /// - Parameter distrusted: keys whose row, or whose tenant's, was changed by something else than the gateway.
    public init(
        tenants: [TenantRecord], virtualKeys: [VirtualKeyRecord], distrusted: Set<VirtualKeyID> = [],
        isDistrusted: Bool = false
    ) {
        self.isDistrusted = isDistrusted
        let known = Dictionary(tenants.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var entries: [Digest256: AccessEntry] = [:]
        entries.reserveCapacity(virtualKeys.count)
        var unusable: [VirtualKeyID] = []
        for key in virtualKeys {
            if let tenant = known[key.tenant], let hash = Digest256(bytes: key.hash), entries[hash] == nil {
                entries[hash] = AccessEntry(
                    tenant: tenant, key: key, hash: hash, isDistrusted: distrusted.contains(key.id))
            } else {
                unusable.append(key.id)
            }
        }
        self.entries = entries
        self.unusable = unusable
    }

    public var keyCount: Int { entries.count }

    @inline(__always)
    func entry(for hash: Digest256) -> AccessEntry? { entries[hash] }
}

/// One virtual key with its tenant, ready to be checked; shared by reference so that a call copies nothing.
public final class AccessEntry: Sendable {
    public let tenant: TenantRecord
    public let key: VirtualKeyRecord
    let hash: Digest256
    let models: ModelAllowance
    let isDistrusted: Bool

    init(tenant: TenantRecord, key: VirtualKeyRecord, hash: Digest256, isDistrusted: Bool) {
        self.isDistrusted = isDistrusted
        self.tenant = tenant
        self.key = key
        self.hash = hash
        models = ModelAllowance(key.models)
    }
}

package import Domain

/// Who may call: tenants and virtual keys, found by the hash of the whole key. Immutable, replaced whole.
package struct AccessDirectory: Sendable {
    struct Entry: Sendable {
        let tenant: TenantRecord
        let key: VirtualKeyRecord
        let hash: Digest256
    }

    private let entries: [Digest256: Entry]

    /// Keys without a known tenant or with a hash of another length are left out: they open nothing.
    package init(tenants: [TenantRecord], virtualKeys: [VirtualKeyRecord]) {
        let byID = Dictionary(tenants.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var entries: [Digest256: Entry] = [:]
        for key in virtualKeys {
            guard let tenant = byID[key.tenant], let hash = Digest256(bytes: key.hash) else { continue }
            entries[hash] = Entry(tenant: tenant, key: key, hash: hash)
        }
        self.entries = entries
    }

    func entry(_ hash: Digest256) -> Entry? { entries[hash] }
}

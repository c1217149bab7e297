import Cipher
package import Domain

extension KeyVault {
    /// A new version of a tenant's key, wrapped by the root; once it is stored, `load` takes it into use.
    package func newTenantKey(
        _ tenant: TenantID, version: UInt32, at now: WallTime
    ) throws(SealFailure) -> WrappedTenantKey {
        let ring = try openRing()
        let plaintext = try mapped { () throws(CipherFailure) in
            try RandomBytes.secret(count: SealingKey.byteCount)
        }
        let context = wrapContext(tenant, version: version, in: ring)
        return WrappedTenantKey(
            tenant: tenant, version: version, state: .active, rootVersion: ring.rootVersion,
            wrapped: try SealedRecord.seal(plaintext, as: context, under: ring.root), created: now)
    }

    /// Takes tenants' keys into use; answers which tenants have a version that does not open, and why.
    ///
    /// What is loaded replaces the same version loaded before; a destroyed version is forgotten.
    package func load(_ keys: [WrappedTenantKey]) -> [TenantID: SealFailure] {
        var failures: [TenantID: SealFailure] = [:]
        for key in keys {
            do throws(SealFailure) { try load(key) } catch { failures[key.tenant] = error }
        }
        return failures
    }

    private func load(_ key: WrappedTenantKey) throws(SealFailure) {
        guard key.state != .destroyed else {
            return try change { $0.remove(key.version, of: key.tenant) }
        }
        let held = try unwrap(key, in: openRing())
        try change { $0.put(held, of: key.tenant, version: key.version, active: key.state == .active) }
    }

    /// Whether a wrapped key opens; nothing is taken into use.
    package func verifyTenantKey(_ key: WrappedTenantKey) throws(SealFailure) {
        _ = try unwrap(key, in: openRing())
    }

    private func unwrap(_ key: WrappedTenantKey, in ring: KeyRing) throws(SealFailure) -> SealingKey {
        guard key.rootVersion == ring.rootVersion else { throw .invalid(.sealingVersion) }
        let opened = try SealedRecord.open(
            key.wrapped, expected: wrapContext(key.tenant, version: key.version, in: ring), under: ring.root)
        guard opened.count == SealingKey.byteCount else { throw .invalid(.content) }
        return SealingKey(opened)
    }

    /// Drops a tenant's keys from memory; with its wraps destroyed in storage, its records never open again.
    package func forgetTenant(_ tenant: TenantID) {
        // A locked vault holds no keys to drop.
        try? change { $0.forget(tenant) }
    }

    /// The vault's id stands for the record and the version for the counter: a wrap fits one vault, tenant and
    /// version alone.
    private func wrapContext(_ tenant: TenantID, version: UInt32, in ring: KeyRing) -> SealContext {
        SealContext(
            column: SealedColumns.tenantKeyWrap, tenant: tenant, record: ring.vault,
            sealingVersion: ring.rootVersion,
            counter: version)
    }
}

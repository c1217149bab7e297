import Cipher
public import Domain

extension KeyVault {
    /// A new version of a tenant's key, wrapped by the root, with a first batch of sealings; once it is stored, `load`
    /// takes it into use.
    public func newTenantKey(
        _ tenant: TenantID, version: UInt32, at now: WallTime
    ) throws(SealFailure) -> WrappedTenantKey {
        let ring = try openRing()
        let plaintext = try mapped { () throws(CipherFailure) in
            try RandomBytes.secret(count: SealingKey.byteCount)
        }
        let context = Self.wrapContext(
            tenant, version: version, vault: ring.vault, rootVersion: ring.rootVersion)
        let wrapped = try SealedRecord.seal(plaintext, as: context, under: ring.root)
        promise(SealingLimits.batch, to: tenant, version: version)
        return WrappedTenantKey(
            tenant: tenant, version: version, state: .active, rootVersion: ring.rootVersion, wrapped: wrapped,
            created: now, sealings: SealingLimits.batch)
    }

    /// The key with one batch of sealings more; once that is stored, `grantSealings` hands them out.
    public func reserveSealings(_ key: WrappedTenantKey) throws(SealFailure) -> WrappedTenantKey {
        guard key.sealings <= SealingLimits.sealingsMost - SealingLimits.batch else {
            throw .counterExhausted
        }
        var more = key
        more.sealings += SealingLimits.batch
        return more
    }

    public func grantSealings(to key: WrappedTenantKey) throws(SealFailure) {
        try change { $0.grant(SealingLimits.batch, to: key.tenant, version: key.version) }
    }

    /// What may still be sealed for a tenant before more is reserved; 0 while locked.
    public func sealingsLeft(of tenant: TenantID) -> Int64 {
        (try? openRing().sealingsLeft(of: tenant)) ?? 0
    }

    /// Takes tenants' keys into use; answers which tenants have a version that does not open, and why.
    ///
    /// What is loaded replaces the same version loaded before; a destroyed version is forgotten.
    public func load(_ keys: [WrappedTenantKey]) -> [TenantID: SealFailure] {
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
        let held = try Self.unwrap(key, in: openRing())
        try change { $0.put(held, of: key.tenant, version: key.version, active: key.state == .active) }
        claim(of: key.tenant, version: key.version)
    }

    /// Whether a wrapped key opens; nothing is taken into use.
    public func verifyTenantKey(_ key: WrappedTenantKey) throws(SealFailure) {
        _ = try Self.unwrap(key, in: openRing())
    }

    static func unwrap(_ key: WrappedTenantKey, in ring: KeyRing) throws(SealFailure) -> SealingKey {
        guard let root = ring.root(version: key.rootVersion) else { throw .invalid(.sealingVersion) }
        let context = wrapContext(
            key.tenant, version: key.version, vault: ring.vault, rootVersion: key.rootVersion)
        let opened = try SealedRecord.open(key.wrapped, expected: context, under: root)
        guard opened.count == SealingKey.byteCount else { throw .invalid(.content) }
        return SealingKey(opened)
    }

    /// Drops a tenant's keys from memory; with its wraps destroyed in storage, its records never open again.
    public func forgetTenant(_ tenant: TenantID) {
        // A locked vault holds no keys to drop.
        try? change { $0.forget(tenant) }
    }

    /// The vault's id stands for the record and the version for the counter: a wrap fits one vault, tenant and
    /// version alone.
    static func wrapContext(
        _ tenant: TenantID, version: UInt32, vault: VaultID, rootVersion: UInt32
    ) -> SealContext {
        SealContext(
            column: SealedColumns.tenantKeyWrap, tenant: tenant, record: vault, sealingVersion: rootVersion,
            counter: version)
    }
}

/// When a tenant's key is replaced by a new version.
public enum SealingLimits {
    /// Sealings are reserved in batches, so that the count is written once in ten thousand.
    public static let batch: Int64 = 10_000
    /// NIST SP 800-38D section 8.3 allows 2^32 invocations of a key; here each record has a key of its own, so this
    /// is caution, and age is what ends a key.
    public static let sealingsMost: Int64 = 1 << 32
    public static let ageMost = Duration.seconds(365 * 86_400)

    /// Whether a key has sealed long or often enough.
    public static func isDue(_ key: WrappedTenantKey, at now: WallTime) -> Bool {
        now - key.created >= ageMost || key.sealings > sealingsMost - batch
    }
}

import Cipher
public import Domain

/// A new root key with what has to be stored for it; in force once `adopt` is called.
public struct RootChange: Sendable {
    /// With the next epoch, slots that hold the new root, and the old root sealed under it.
    public let record: VaultRecord
    let root: SealingKey
}

extension KeyVault {
    // MARK: The root

    /// A new root in slots for these secrets; every slot is opened once. Tenants' keys stay wrapped by the old root,
    /// which the new one seals, until each is wrapped anew: whatever happens in between, all of them open.
    ///
    /// Takes about a second a passphrase: not for an event loop.
    public func newRoot(
        for record: VaultRecord, keys: [WrappedTenantKey], slots: [SlotSecret], at now: WallTime
    ) throws(SealFailure) -> RootChange {
        let ring = try openRing()
        guard record.id == ring.vault, record.rootVersion == ring.rootVersion else { throw .keyCheck }
        guard record.previousRoot.isEmpty else {
            throw .unsuitable("a rotation of the root is under way; it has to end first")
        }
        guard !slots.isEmpty, slots.count <= VaultSlot.countMax else { throw .tooManySlots }
        guard record.rootVersion < .max else { throw .counterExhausted }
        let root = try mapped { () throws(CipherFailure) in try SealingKey.random() }
        var next = record
        next.rootVersion += 1
        next.slots = []
        for secret in slots {
            next.slots.append(
                try VaultSlot.sealChecked(
                    root, version: next.rootVersion, vault: record.id, with: secret.source,
                    scryptN: SlotCost.newN, at: now))
        }
        let old = try mapped { () throws(CipherFailure) in try ring.root.copied() }
        next.previousRoot = try SealedRecord.seal(old, as: Self.previousRootContext(next), under: root)
        var after = ring
        after.advance(to: root)
        next.keyCheck = try KeyCheck.seal(after)
        if let signer = record.auditSigner {
            next.auditSigner = try Self.reseal(signer, from: ring, to: after)
        }
        return RootChange(record: try Self.sealRing(next, keys: keys, in: after), root: root)
    }

    /// Takes a new root into use, once it is stored.
    public func adopt(_ new: RootChange) throws(SealFailure) {
        try change { $0.advance(to: new.root) }
    }

    /// A tenant's key wrapped by the root in force.
    public func rewrap(_ key: WrappedTenantKey) throws(SealFailure) -> WrappedTenantKey {
        let ring = try openRing()
        let opened = try Self.unwrap(key, in: ring)
        let plaintext = try mapped { () throws(CipherFailure) in try opened.copied() }
        let context = Self.wrapContext(
            key.tenant, version: key.version, vault: ring.vault, rootVersion: ring.rootVersion)
        var fresh = key
        fresh.rootVersion = ring.rootVersion
        fresh.wrapped = try SealedRecord.seal(plaintext, as: context, under: ring.root)
        return fresh
    }

    /// Once nothing is wrapped by the old root any more, and that is stored.
    public func forgetPreviousRoot() throws(SealFailure) { try change { $0.previousRoot = nil } }

    // MARK: Records

    /// The version of the tenant's key that a stored provider key says it is sealed with; nil for a revoked one.
    public static func sealingVersion(of key: ProviderKeyRecord) -> UInt32? {
        SealedRecord.claimedVersion(of: key.sealed)
    }

    /// The row sealed anew with the tenant's active key and the next write counter. Uses up one of its sealings.
    public func reseal(_ key: ProviderKeyRecord) throws(SealFailure) -> ProviderKeyRecord {
        let plaintext = try openRecord(of: key)
        guard key.counter < .max - 1 else { throw .counterExhausted }
        let active = try takeSealing(of: key.tenant)
        var fresh = key
        fresh.counter += 1
        let context = SealContext(
            column: SealedColumns.providerKeySecret, tenant: key.tenant, record: key.id,
            sealingVersion: active.version, counter: fresh.counter)
        fresh.sealed = try SealedRecord.seal(plaintext, as: context, under: active.key)
        return fresh
    }
}

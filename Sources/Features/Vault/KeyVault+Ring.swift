import Cipher
public import Domain

extension KeyVault {
    /// The record as a change of slots or tenants' keys has to store it: with the next epoch, and a key ring over its
    /// slots and over `keys`, which are all tenants' keys as they are after the change.
    public func sealRing(
        _ record: VaultRecord, keys: [WrappedTenantKey]
    ) throws(SealFailure) -> VaultRecord {
        try Self.sealRing(record, keys: keys, in: openRing())
    }

    static func sealRing(
        _ record: VaultRecord, keys: [WrappedTenantKey], in ring: KeyRing
    ) throws(SealFailure) -> VaultRecord {
        guard record.id == ring.vault, record.rootVersion == ring.rootVersion else { throw .keyCheck }
        var next = record
        // From now on the check record says that there is a ring: it cannot be taken away again.
        if record.epoch == 0 { next.keyCheck = try KeyCheck.seal(ring) }
        guard record.epoch < .max - 1 else { throw .counterExhausted }
        next.epoch += 1
        let document = try mapped { () throws(CipherFailure) in
            try KeyRingDocument(next, keys: keys).encoded(fingerprints: ring.fingerprints)
        }
        next.ring = try SealedRecord.seal(document, as: ringContext(next), under: ring.root)
        return next
    }

    /// The ring that a root key opens, if it is the right key and everything fits.
    static func openRing(
        _ record: VaultRecord, keys: [WrappedTenantKey], with root: SealingKey
    ) throws(SealFailure) -> KeyRing {
        guard record.epoch > 0 else { return try openWithoutRing(record, with: root) }
        try KeyCheck.verify(record, with: root)
        let opened: SecretBytes
        do throws(SealFailure) {
            opened = try SealedRecord.open(record.ring, expected: ringContext(record), under: root)
        } catch .invalid {
            throw .keyRing("the sealed key ring does not open")
        }
        let fingerprints = try KeyRingDocument(record, keys: keys).check(opened)
        return try KeyRing(
            vault: record.id, rootVersion: record.rootVersion, root: root,
            previousRoot: try openPreviousRoot(of: record, with: root), fingerprints: fingerprints)
    }

    /// A vault from before there were key rings; its next change makes one.
    private static func openWithoutRing(
        _ record: VaultRecord, with root: SealingKey
    ) throws(SealFailure) -> KeyRing {
        try KeyCheck.verify(record, with: root)
        guard record.ring.isEmpty, record.previousRoot.isEmpty else {
            throw .keyRing("the key ring has no epoch")
        }
        return try KeyRing(
            vault: record.id, rootVersion: record.rootVersion, root: root,
            fingerprints: try fingerprintKey(of: root))
    }

    static func fingerprintKey(of root: SealingKey) throws(SealFailure) -> SealingKey {
        SealingKey(try mapped { () throws(CipherFailure) in try root.derive(.fingerprintKey) })
    }

    private static func openPreviousRoot(
        of record: VaultRecord, with root: SealingKey
    ) throws(SealFailure) -> SealingKey? {
        guard !record.previousRoot.isEmpty else { return nil }
        do throws(SealFailure) {
            let opened = try SealedRecord.open(
                record.previousRoot, expected: previousRootContext(record), under: root)
            guard opened.count == SealingKey.byteCount else { throw .invalid(.content) }
            return SealingKey(opened)
        } catch .invalid {
            throw .keyRing("the root key of the rotation that is under way does not open")
        }
    }

    static func ringContext(_ record: VaultRecord) -> SealContext {
        SealContext(
            column: SealedColumns.keyRing, tenant: nil, record: record.id, sealingVersion: record.rootVersion,
            counter: record.epoch)
    }

    static func previousRootContext(_ record: VaultRecord) -> SealContext {
        SealContext(
            column: SealedColumns.previousRoot, tenant: nil, record: record.id,
            sealingVersion: record.rootVersion, counter: record.rootVersion - 1)
    }
}

/// The sealed record that opens if and only if the right root key was found.
enum KeyCheck {
    private static let content = Array("gatehouse key check".utf8)

    static func seal(_ ring: KeyRing, hasRing: Bool = true) throws(SealFailure) -> [UInt8] {
        let plaintext = try mapped { () throws(CipherFailure) in
            try content.span.bytes.withUnsafeBytes { (bytes) throws(CipherFailure) in
                try SecretBytes(copying: bytes)
            }
        }
        let context = context(ring.vault, rootVersion: ring.rootVersion, hasRing: hasRing)
        return try SealedRecord.seal(plaintext, as: context, under: ring.root)
    }

    static func verify(_ record: VaultRecord, with root: SealingKey) throws(SealFailure) {
        do throws(SealFailure) {
            let context = context(
                record.id, rootVersion: record.rootVersion, hasRing: record.epoch > 0)
            let opened = try SealedRecord.open(record.keyCheck, expected: context, under: root)
            guard opened.withBytes({ $0.elementsEqual(content) }) else { throw .keyCheck }
        } catch .invalid {
            throw .keyCheck
        }
    }

    /// The counter says whether the vault has a ring, so that nobody can take the ring away.
    private static func context(_ vault: VaultID, rootVersion: UInt32, hasRing: Bool) -> SealContext {
        SealContext(
            column: SealedColumns.keyCheck, tenant: nil, record: vault, sealingVersion: rootVersion,
            counter: hasRing ? 1 : 0)
    }
}

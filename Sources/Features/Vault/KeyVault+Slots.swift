public import Cipher
public import Domain

/// What opens a slot, held while a command needs it more than once.
public final class SlotSecret: Sendable {
    let source: UnlockSource

    /// `bytes` as someone typed them or as they stand in a file; a recovery key is read from its text.
    public init(_ kind: SlotKind, _ bytes: consuming SecretBytes) throws {
        switch kind {
        case .passphrase: source = .passphrase(bytes)
        case .keyFile: source = .keyFile(bytes)
        case .recovery: source = .recovery(try RecoveryKey.parse(bytes))
        case .token, .keyService:
            throw SealFailure.unsuitable("a \(kind.name) is asked for, not given")
        }
    }

    public init(_ held: HeldSlotKey) { source = .outside(held) }

    public var kind: SlotKind { source.kind }
}

extension KeyVault {
    /// Opens the vault with a secret that is held.
    @discardableResult
    public func unlock(
        _ record: VaultRecord, keys: [WrappedTenantKey], with secret: SlotSecret
    ) throws(SealFailure) -> [TenantID: SealFailure] {
        try unlock(record, keys: keys, with: secret.source)
    }

    /// Opens the vault with a secret of which nobody says what it is. What costs nothing is tried first.
    @discardableResult
    public func unlock(
        _ record: VaultRecord, keys: [WrappedTenantKey], withAny bytes: borrowing SecretBytes
    ) throws(SealFailure) -> [TenantID: SealFailure] {
        var failure: SealFailure?
        for kind in [SlotKind.recovery, .keyFile, .passphrase]
        where record.slots.contains(where: { $0.kind == kind }) {
            let copy = try mapped { () throws(CipherFailure) in
                try bytes.withBytes { (bytes) throws(CipherFailure) in try SecretBytes(copying: bytes) }
            }
            // A text that is no recovery key may be a passphrase.
            guard let secret = try? SlotSecret(kind, copy) else { continue }
            do throws(SealFailure) { return try unlock(record, keys: keys, with: secret.source) } catch {
                guard case .wrongUnlock = error else { throw error }
                failure = error
            }
        }
        throw failure ?? .noSlot(.passphrase)
    }

    /// The slot of a record that a secret opens.
    public func slot(
        of record: VaultRecord, openedBy secret: SlotSecret
    ) throws(SealFailure) -> VaultSlot {
        let slots = record.slots.filter { $0.kind == secret.kind }
        guard !slots.isEmpty else { throw .noSlot(secret.kind) }
        for slot in slots {
            do throws(SealFailure) {
                _ = try slot.open(in: record.id, with: secret.source)
                return slot
            } catch .invalid {
                continue
            }
        }
        throw .wrongUnlock(secret.kind, tried: slots.count)
    }

    /// The record with one slot more, or one in another's place, its ring still to be sealed. The vault has to be
    /// open, and the record its own; the new slot is opened once before it counts.
    public func addSlot(
        for secret: SlotSecret, to record: VaultRecord, replacing old: SlotID? = nil, at now: WallTime
    ) throws(SealFailure) -> VaultRecord {
        try addSlot(for: secret.source, to: record, replacing: old, at: now, scryptN: SlotCost.newN)
    }

    /// `scryptN`: tests take less; the program always takes the built-in cost, whatever a stored slot has.
    func addSlot(
        for source: borrowing UnlockSource, to record: VaultRecord, replacing old: SlotID? = nil,
        at now: WallTime, scryptN: UInt64 = SlotCost.newN
    ) throws(SealFailure) -> VaultRecord {
        let ring = try openRing()
        guard record.id == ring.vault, record.rootVersion == ring.rootVersion else { throw .keyCheck }
        var changed = record
        changed.slots.removeAll { $0.id == old }
        guard changed.slots.count < VaultSlot.countMax else { throw .tooManySlots }
        changed.slots.append(
            try VaultSlot.sealChecked(
                ring.root, version: ring.rootVersion, vault: ring.vault, with: source, scryptN: scryptN,
                at: now))
        return changed
    }
}

extension VaultSlot {
    /// Makes a slot and opens it: one that does not open must never take another's place.
    static func sealChecked(
        _ root: SealingKey, version: UInt32, vault: VaultID, with source: borrowing UnlockSource,
        scryptN: UInt64, at now: WallTime
    ) throws(SealFailure) -> VaultSlot {
        let slot = try seal(
            root, version: version, vault: vault, with: source, scryptN: scryptN, at: now)
        let opened = try slot.open(in: vault, with: source)
        let isSame = root.withBytes { left in opened.withBytes { ConstantTime.equal(left, $0) } }
        guard isSame else { throw .keyCheck }
        return slot
    }
}

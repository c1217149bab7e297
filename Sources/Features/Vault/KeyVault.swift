import Cipher
package import Domain
import Locking

/// Seals and opens secrets: values in, values out; what is stored where is the caller's business.
///
/// An unlock source opens a slot, the slot holds the root key, the root wraps each tenant's keys, and those seal
/// records. Keys live on the secure heap from unlock until `lock`; a call that is using one at that moment
/// finishes with it.
package final class KeyVault: Sendable {
    private struct State {
        var ring: KeyRing?
        /// Moves with every unlock and lock, so that what was opened before cannot be taken for current.
        var generation: UInt64 = 0
    }

    private let state = Locked(State())

    /// A locked vault; `unlock` opens it.
    package init() {}

    package var isUnlocked: Bool { generation != nil }

    /// Names the present unlocked period; nil while locked.
    var generation: UInt64? { state.withLock { $0.ring == nil ? nil : $0.generation } }

    /// Makes a vault with one slot. Takes about half a second with a passphrase: not for an event loop.
    package static func create(
        with source: borrowing UnlockSource, at now: WallTime
    ) throws(SealFailure) -> (vault: KeyVault, record: VaultRecord) {
        try create(with: source, at: now, scryptN: SlotCost.newN)
    }

    /// With another cost than the built-in one, for quick tests; the floor holds here too.
    static func create(
        with source: borrowing UnlockSource, at now: WallTime, scryptN: UInt64
    ) throws(SealFailure) -> (vault: KeyVault, record: VaultRecord) {
        let root = try mapped { () throws(CipherFailure) in try SealingKey.random() }
        let ring = KeyRing(vault: .random(), rootVersion: 1, root: root)
        let slot = try VaultSlot.seal(
            root, version: ring.rootVersion, vault: ring.vault, with: source, scryptN: scryptN, at: now)
        let record = VaultRecord(
            id: ring.vault, created: now, slots: [slot], rootVersion: ring.rootVersion,
            keyCheck: try KeyCheck.seal(ring))
        let vault = KeyVault()
        vault.adopt(ring)
        return (vault, record)
    }

    /// A vault opened from its record; see `unlock`.
    package static func open(
        _ record: VaultRecord, with source: borrowing UnlockSource
    ) throws(SealFailure) -> KeyVault {
        let vault = KeyVault()
        try vault.unlock(record, with: source)
        return vault
    }

    /// Tries the slots of the source's kind; on a refusal the vault stays as it was.
    ///
    /// The tenants' keys have to be loaded afterwards. Takes about half a second a passphrase slot: not for an
    /// event loop.
    package func unlock(_ record: VaultRecord, with source: borrowing UnlockSource) throws(SealFailure) {
        guard record.slots.count <= VaultSlot.countMax else { throw .tooManySlots }
        let kind = source.kind
        let slots = record.slots.filter { $0.kind == kind }
        guard !slots.isEmpty else { throw .noSlot(kind) }
        var edited = false
        for slot in slots where slot.rootVersion == record.rootVersion {
            do throws(SealFailure) {
                let root = try slot.open(in: record.id, with: source)
                let ring = KeyRing(vault: record.id, rootVersion: record.rootVersion, root: root)
                try KeyCheck.verify(record.keyCheck, with: ring)
                adopt(ring)
                return
            } catch .invalid {
                continue
            } catch .slotParameters {
                edited = true
            }
        }
        throw edited ? .slotParameters(kind) : .wrongUnlock(kind, tried: slots.count)
    }

    /// Forgets every key: nothing seals or opens until the next unlock.
    package func lock() {
        state.withLock {
            $0.ring = nil
            $0.generation += 1
        }
    }

    /// Whether the record's check opens under the root key that is open.
    package func verify(_ record: VaultRecord) throws(SealFailure) {
        let ring = try openRing()
        guard record.id == ring.vault, record.rootVersion == ring.rootVersion else { throw .keyCheck }
        try KeyCheck.verify(record.keyCheck, with: ring)
    }

    /// The record with one slot more; the vault has to be open, and the record its own.
    package func addSlot(
        for source: borrowing UnlockSource, to record: VaultRecord, at now: WallTime
    ) throws(SealFailure) -> VaultRecord {
        try addSlot(for: source, to: record, at: now, scryptN: SlotCost.newN)
    }

    func addSlot(
        for source: borrowing UnlockSource, to record: VaultRecord, at now: WallTime, scryptN: UInt64
    ) throws(SealFailure) -> VaultRecord {
        let ring = try openRing()
        guard record.id == ring.vault, record.rootVersion == ring.rootVersion else { throw .keyCheck }
        guard record.slots.count < VaultSlot.countMax else { throw .tooManySlots }
        var extended = record
        extended.slots.append(
            try VaultSlot.seal(
                ring.root, version: ring.rootVersion, vault: ring.vault, with: source, scryptN: scryptN,
                at: now))
        return extended
    }

    /// The keys as they are now; held by one call, they outlive a `lock` by that call.
    func openRing() throws(SealFailure) -> KeyRing {
        guard let ring = state.withLock({ $0.ring }) else { throw .locked }
        return ring
    }

    /// Changes the keys of an open vault.
    func change(_ body: (inout KeyRing) -> Void) throws(SealFailure) {
        try state.withLock { (state) throws(SealFailure) in
            guard var ring = state.ring else { throw .locked }
            body(&ring)
            state.ring = ring
        }
    }

    private func adopt(_ ring: KeyRing) {
        state.withLock {
            $0.ring = ring
            $0.generation += 1
        }
    }
}

/// The sealed record that opens if and only if the right root key was found.
private enum KeyCheck {
    private static let content = Array("gatehouse key check".utf8)

    static func seal(_ ring: KeyRing) throws(SealFailure) -> [UInt8] {
        let plaintext = try mapped { () throws(CipherFailure) in
            try content.span.bytes.withUnsafeBytes { (bytes) throws(CipherFailure) in
                try SecretBytes(copying: bytes)
            }
        }
        return try SealedRecord.seal(plaintext, as: context(ring), under: ring.root)
    }

    static func verify(_ record: [UInt8], with ring: KeyRing) throws(SealFailure) {
        do throws(SealFailure) {
            let opened = try SealedRecord.open(record, expected: context(ring), under: ring.root)
            guard opened.withBytes({ $0.elementsEqual(content) }) else { throw .keyCheck }
        } catch .invalid {
            throw .keyCheck
        }
    }

    private static func context(_ ring: KeyRing) -> SealContext {
        SealContext(
            column: SealedColumns.keyCheck, tenant: nil, record: ring.vault, sealingVersion: ring.rootVersion,
            counter: 0)
    }
}

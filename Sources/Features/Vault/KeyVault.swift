public import Cipher
public import Domain
import Locking

/// Seals and opens secrets: values in, values out; what is stored where is the caller's business.
///
/// An unlock source opens a slot, the slot holds the root key, the root wraps each tenant's keys, and those seal
/// records. Keys live on the secure heap from unlock until `lock`; a call that is using one at that moment
/// finishes with it.
public final class KeyVault: Sendable {
    private struct State {
        var ring: KeyRing?
        /// Moves with every unlock and lock, so that what was opened before cannot be taken for current.
        var generation: UInt64 = 0
        /// Sealings reserved with keys that were made here and are not in use yet.
        var grants: [Grant: Int64] = [:]
    }

    private struct Grant: Hashable {
        let tenant: TenantID
        let version: UInt32
    }

    private let state = Locked(State())

    /// A locked vault; `unlock` opens it.
    public init() {}

    public var isUnlocked: Bool { generation != nil }

    /// Names the present unlocked period; nil while locked.
    var generation: UInt64? { state.withLock { $0.ring == nil ? nil : $0.generation } }

    /// Makes a vault with one slot. Takes about half a second with a passphrase: not for an event loop.
    public static func create(
        with source: borrowing UnlockSource, at now: WallTime
    ) throws(SealFailure) -> (vault: KeyVault, record: VaultRecord) {
        try create(with: source, at: now, scryptN: SlotCost.newN)
    }

    /// With another cost than the built-in one, for quick tests; the floor holds here too.
    static func create(
        with source: borrowing UnlockSource, at now: WallTime, scryptN: UInt64
    ) throws(SealFailure) -> (vault: KeyVault, record: VaultRecord) {
        let root = try mapped { () throws(CipherFailure) in try SealingKey.random() }
        let ring = try KeyRing(
            vault: .random(), rootVersion: 1, root: root, fingerprints: try fingerprintKey(of: root))
        let slot = try VaultSlot.seal(
            root, version: ring.rootVersion, vault: ring.vault, with: source, scryptN: scryptN, at: now)
        let blank = VaultRecord(
            id: ring.vault, created: now, slots: [slot], rootVersion: ring.rootVersion, keyCheck: [],
            rowsCoded: true, auditSigner: try makeAuditSigner(in: ring))
        let record = try sealRing(blank, keys: [], in: ring)
        let vault = KeyVault()
        vault.adopt(ring)
        return (vault, record)
    }

    /// A vault opened from its record and all tenants' keys; see `unlock`.
    public static func open(
        _ record: VaultRecord, keys: [WrappedTenantKey] = [], with source: borrowing UnlockSource
    ) throws(SealFailure) -> KeyVault {
        let vault = KeyVault()
        try vault.unlock(record, keys: keys, with: source)
        return vault
    }

    /// Tries the slots of the source's kind; on a refusal the vault stays as it was. Takes all tenants' keys into use
    /// and answers which tenants have one that does not open.
    ///
    /// Takes about half a second a passphrase slot: not for an event loop.
    @discardableResult
    public func unlock(
        _ record: VaultRecord, keys: [WrappedTenantKey] = [], with source: borrowing UnlockSource
    ) throws(SealFailure) -> [TenantID: SealFailure] {
        guard record.slots.count <= VaultSlot.countMax else { throw .tooManySlots }
        let kind = source.kind
        let slots = record.slots.filter { $0.kind == kind }
        guard !slots.isEmpty else { throw .noSlot(kind) }
        var edited = false
        for slot in slots where slot.rootVersion == record.rootVersion {
            do throws(SealFailure) {
                let root = try slot.open(in: record.id, with: source)
                adopt(try Self.openRing(record, keys: keys, with: root))
                return load(keys)
            } catch .invalid {
                continue
            } catch .slotParameters {
                edited = true
            }
        }
        throw edited ? .slotParameters(kind) : .wrongUnlock(kind, tried: slots.count)
    }

    /// Forgets every key: nothing seals or opens until the next unlock.
    public func lock() {
        state.withLock {
            $0.ring = nil
            $0.generation += 1
        }
    }

    /// Whether the record's check and its key ring open under the root key that is open, and fit the tables.
    public func verify(_ record: VaultRecord, keys: [WrappedTenantKey]) throws(SealFailure) {
        let ring = try openRing()
        guard record.id == ring.vault, record.rootVersion == ring.rootVersion else { throw .keyCheck }
        _ = try Self.openRing(record, keys: keys, with: ring.root)
    }

    /// What virtual keys are looked up by; nil while locked.
    public var tokens: PreparedHMAC? { state.withLock { $0.ring?.tokens } }

    /// The code of a row that decides access, in its canonical form.
    public func rowCode(of form: [UInt8]) throws(SealFailure) -> Digest256 {
        guard let rows = state.withLock({ $0.ring?.rows }) else { throw .locked }
        return rows.code(of: form)
    }

    /// The keys as they are now; held by one call, they outlive a `lock` by that call.
    func openRing() throws(SealFailure) -> KeyRing {
        guard let ring = state.withLock({ $0.ring }) else { throw .locked }
        return ring
    }

    /// Changes the keys of an open vault.
    func change(_ body: (inout KeyRing) -> Void) throws(SealFailure) {
        try state.withLock { (state) throws(SealFailure) in
            // Taken out, so that no second reference makes each change copy the keys of every tenant.
            guard var ring = state.ring.take() else { throw .locked }
            body(&ring)
            state.ring = ring
        }
    }

    /// One sealing with a tenant's active key, counted.
    func takeSealing(of tenant: TenantID) throws(SealFailure) -> (version: UInt32, key: SealingKey) {
        try state.withLock { (state) throws(SealFailure) in
            guard var ring = state.ring.take() else { throw .locked }
            defer { state.ring = ring }
            return try ring.takeSealing(of: tenant)
        }
    }

    /// Notes sealings that a new key comes with; `claim` hands them over when the key is taken into use.
    func promise(_ sealings: Int64, to tenant: TenantID, version: UInt32) {
        state.withLock { $0.grants[Grant(tenant: tenant, version: version)] = sealings }
    }

    func claim(of tenant: TenantID, version: UInt32) {
        state.withLock { state in
            guard let sealings = state.grants.removeValue(forKey: Grant(tenant: tenant, version: version))
            else { return }
            state.ring?.grant(sealings, to: tenant, version: version)
        }
    }

    func adopt(_ ring: KeyRing) {
        state.withLock {
            $0.ring = ring
            $0.generation += 1
        }
    }
}

public import Cipher
public import Domain
import Locking

/// Opened provider keys for the fast path: few, for a short time, lent inside a closure and never handed out.
///
/// Every change of a key (rotation, revocation) must `drop` it; a lock of the vault voids everything here by
/// itself, and `dropAll` wipes it.
public final class PlaintextCache: Sendable {
    private let vault: KeyVault
    private let shelf: Locked<PlaintextShelf>

    public init(vault: KeyVault) {
        self.vault = vault
        shelf = Locked(PlaintextShelf())
    }

    /// Lends the secret of a provider key for sending it to `origin`; opens the record when it is not held.
    public func withSecret<Result: ~Copyable>(
        of key: ProviderKeyRecord, for origin: Origin, at now: Instant,
        _ body: (borrowing SecretBytes) -> Result
    ) throws(SealFailure) -> Result {
        guard let generation = vault.generation else {
            dropAll()
            throw .locked
        }
        let place = PlaintextShelf.Place(key: key, origin: origin, generation: generation)
        let (found, drops) = shelf.withLock { ($0.find(place, at: now), $0.drops) }
        if let found { return body(found.bytes) }
        let opened = HeldSecret(try vault.openProviderKey(key, for: origin))
        shelf.withLock { $0.put(opened, at: place, now: now, unlessDroppedSince: drops) }
        return body(opened.bytes)
    }

    /// Forgets one key: after it was rotated or revoked.
    public func drop(_ key: ProviderKeyID) { shelf.withLock { $0.drop(key) } }

    /// Forgets one key for good: a call that was admitted before its revocation may still use it, but what that
    /// call opens is not kept.
    public func retire(_ key: ProviderKeyID) { shelf.withLock { $0.retire(key) } }

    /// Forgets every key: after the vault was locked, or a tenant was removed.
    public func dropAll() { shelf.withLock { $0.dropAll() } }

    /// Forgets the keys whose time is over; to be called now and then, so that idle secrets go without being asked for.
    public func expire(at now: Instant) { shelf.withLock { $0.expire(at: now) } }

    public var count: Int { shelf.withLock { $0.count } }

    /// How often each key was lent since the last call of this function, for the audit log.
    public func takeUses() -> [ProviderKeyID: Int] { shelf.withLock { $0.takeUses() } }
}

/// A secret that several calls may be reading when it is dropped; wiped when the last of them is done.
final class HeldSecret: Sendable {
    let bytes: SecretBytes

    init(_ bytes: consuming SecretBytes) { self.bytes = bytes }
}

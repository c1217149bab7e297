public import Cipher
public import Domain

/// A key outside of Gatehouse, which never comes here, and keeps the keys of slots: on a token, or at a key service.
///
/// GWE1 derives from a key's bytes, and such a key has none to give. So it seals a random slot key, and that one seals
/// the root. What the keeper seals is bound to one vault and slot.
public protocol KeyKeeper: Sendable {
    /// The slots it keeps the keys of.
    var kind: SlotKind { get }
    /// Makes a slot key, seals it, and opens it once to see that this works. Bounded in time.
    func make(for place: SlotPlace, pin: KeeperPIN?) async throws(KeeperFailure) -> HeldSlotKey
    /// The key of a slot as it was made. Bounded in time.
    func open(
        _ outside: OutsideKey, for place: SlotPlace, pin: KeeperPIN?
    ) async throws(KeeperFailure) -> HeldSlotKey
}

/// The one slot that a key outside seals a slot key for.
public struct SlotPlace: Hashable, Sendable {
    public let vault: VaultID
    public let slot: SlotID

    public init(vault: VaultID, slot: SlotID) {
        self.vault = vault
        self.slot = slot
    }
}

/// What a keeper asks of a person: a token's PIN. Wiped with its last holder.
public final class KeeperPIN: Sendable {
    public let bytes: SecretBytes

    public init(_ bytes: consuming SecretBytes) { self.bytes = bytes }
}

/// The key of one slot, as its keeper gave it. Wiped with its last holder.
public final class HeldSlotKey: Sendable {
    public static let byteCount = 32

    let kind: SlotKind
    let slot: SlotID
    let outside: OutsideKey
    let key: SecretBytes

    public init(
        _ key: consuming SecretBytes, of slot: SlotID, kind: SlotKind, outside: OutsideKey
    ) {
        self.key = key
        self.slot = slot
        self.kind = kind
        self.outside = outside
    }
}

/// Why a keeper did not give a slot's key; says what to do, and nothing of keys or PINs.
public enum KeeperFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The key that is there did not seal this: it may be another slot's.
    case otherKey
    /// A person has to type it, or the configuration to say where it lies.
    case pinNeeded
    /// The key of this slot cannot be used now, another slot's may; the text says why.
    case unusable(String)
    /// The text is the whole of it.
    case refused(String)

    public var description: String {
        switch self {
        case .otherKey: "the key there did not seal what this slot keeps"
        case .pinNeeded:
            "the token's PIN is needed: give it, or name its file with pin_file or pin_credential in [vault.pkcs11]"
        case .unusable(let sentence), .refused(let sentence): sentence
        }
    }
}

extension KeyVault {
    /// Asks a keeper for the keys of its slots, one after the other, until one is its own. A refusal of any other kind
    /// ends it at once: a wrong PIN must not be tried at a token again and again.
    public static func slotKey(
        of record: VaultRecord, from keeper: any KeyKeeper, pin: KeeperPIN?
    ) async throws(SealFailure) -> HeldSlotKey {
        guard record.slots.count <= VaultSlot.countMax else { throw .tooManySlots }
        let slots = record.slots.filter { $0.kind == keeper.kind }
        guard !slots.isEmpty else { throw .noSlot(keeper.kind) }
        var edited = false
        var unusable: KeeperFailure?
        for slot in slots {
            guard slot.hasAcceptedParameters, let outside = slot.outside else {
                edited = true
                continue
            }
            do throws(KeeperFailure) {
                let place = SlotPlace(vault: record.id, slot: slot.id)
                return try await keeper.open(outside, for: place, pin: pin)
            } catch .otherKey {
                continue
            } catch .unusable(let why) {
                unusable = .unusable(why)
            } catch {
                throw .keeper(error)
            }
        }
        if let unusable { throw .keeper(unusable) }
        throw edited ? .slotParameters(keeper.kind) : .wrongUnlock(keeper.kind, tried: slots.count)
    }

    /// Opens the vault with the key that a keeper gives for one of its slots.
    @discardableResult
    public func unlock(
        _ record: VaultRecord, keys: [WrappedTenantKey], with keeper: any KeyKeeper, pin: KeeperPIN?
    ) async throws(SealFailure) -> [TenantID: SealFailure] {
        let held = try await Self.slotKey(of: record, from: keeper, pin: pin)
        return try unlock(record, keys: keys, with: .outside(held))
    }

    /// A key for one slot more of this record.
    public static func newSlotKey(
        for record: VaultRecord, from keeper: any KeyKeeper, pin: KeeperPIN?
    ) async throws(SealFailure) -> HeldSlotKey {
        let place = SlotPlace(vault: record.id, slot: .random())
        do throws(KeeperFailure) { return try await keeper.make(for: place, pin: pin) } catch {
            throw .keeper(error)
        }
    }
}

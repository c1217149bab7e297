public import Cipher
public import Domain

/// Why a sealed record or the vault did not open; its text says nothing about keys or plaintext.
public enum SealFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The record does not open in the place it was found in; the detail is for the audit log alone.
    case invalid(Detail)
    /// The provider key opens, but is not meant for this provider and origin.
    case wrongOrigin
    /// The vault is locked, so nothing can be sealed or opened.
    case locked
    /// No slot of this kind opens with what was given.
    case wrongUnlock(SlotKind, tried: Int)
    /// The vault has no slot of this kind.
    case noSlot(SlotKind)
    /// A stored slot was changed to parameters that this program never writes.
    case slotParameters(SlotKind)
    /// The vault has as many slots as it may have, or more.
    case tooManySlots
    /// The slot opened, but the root key it holds does not fit the vault's check record.
    case keyCheck
    /// The tables do not fit the sealed key ring: slots or tenants' keys were changed by something else.
    case keyRing(String)
    /// The tenant's key has sealed as many records as were reserved for it; more have to be reserved first.
    case sealingsUsedUp
    /// A new passphrase, key file or provider key was refused; the text says what is asked of it.
    case unsuitable(String)
    /// The row was written 2^32 − 1 times; a new row is needed.
    case counterExhausted
    /// What keeps the slot's key did not give it.
    case keeper(KeeperFailure)
    /// libcrypto, the secure heap or the kernel failed.
    case cipher(CipherFailure)

    /// What exactly did not fit.
    public enum Detail: String, Sendable, Codable {
        case tooShort = "too short"
        case magic
        case formatVersion = "format version"
        case suite
        case purpose
        case flags
        case tenant
        case record
        case sealingVersion = "sealing version"
        case counter
        case length
        case commitment
        case tag
        /// The expected context itself is impossible: a tenant's record without a tenant, or the reverse.
        case context
        /// No key of this version is loaded for this tenant.
        case sealingKey = "sealing key"
        /// It opened, but what is inside is not what this purpose holds.
        case content
    }

    public var description: String {
        switch self {
        case .invalid: "sealed record invalid"
        case .wrongOrigin: "this provider key is bound to another provider or origin"
        case .locked: "the vault is locked"
        case .wrongUnlock(let kind, let tried):
            "the \(kind.name) does not open the vault (\(tried) \(tried == 1 ? "slot" : "slots") tried)"
        case .noSlot(let kind): "the vault has no \(kind.name) slot"
        case .slotParameters(let kind):
            "the stored \(kind.name) slot has parameters out of range; restore it from a backup"
        case .tooManySlots: "a vault has at most \(VaultSlot.countMax) slots; remove one"
        case .keyCheck: "the slot opened, but its root key does not fit this vault; nothing was changed"
        case .keyRing(let what):
            "\(what); something other than gatehouse changed the data folder: restore it from a backup. "
                + "Nothing was changed"
        case .sealingsUsedUp: "this tenant's key has no sealings reserved; try again"
        case .unsuitable(let what): what
        case .counterExhausted: "this row was written too often; make a new one"
        case .keeper(let failure): failure.description
        case .cipher(let failure): failure.description
        }
    }

    init(_ failure: CipherFailure) {
        self = failure == .notAuthentic ? .invalid(.tag) : .cipher(failure)
    }
}

/// Turns libcrypto's refusals into the vault's.
func mapped<Result: ~Copyable>(
    _ body: () throws(CipherFailure) -> Result
) throws(SealFailure) -> Result {
    do throws(CipherFailure) { return try body() } catch { throw SealFailure(error) }
}

extension SlotKind {
    /// As people say it.
    public var name: String {
        switch self {
        case .passphrase: "passphrase"
        case .keyFile: "key file"
        case .recovery: "recovery key"
        case .token: "token's key"
        case .keyService: "key service's key"
        }
    }
}

public import Cipher
public import Domain

/// What opens the vault: a passphrase someone types, the content of a key file, the recovery key, or a key that a
/// keeper outside gave for one slot.
public enum UnlockSource: ~Copyable, Sendable {
    case passphrase(SecretBytes)
    /// At least 32 bytes, made by a machine.
    case keyFile(SecretBytes)
    /// The 32 bytes of a recovery key, without its checks.
    case recovery(SecretBytes)
    case outside(HeldSlotKey)

    /// NIST SP 800-63B asks for eight at least; a vault is attacked offline, so more are asked for.
    static let shortestPassphrase = 12
    static let longestPassphrase = 1_024
    static let shortestKeyFile = 32
    static let longestKeyFile = 4_096

    public var kind: SlotKind {
        switch self {
        case .passphrase: .passphrase
        case .keyFile: .keyFile
        case .recovery: .recovery
        case .outside(let held): held.kind
        }
    }

    /// The one slot that a key from outside is for, and what that slot keeps of it.
    var slot: SlotID? { held?.slot }
    var outside: OutsideKey? { held?.outside }

    private var held: HeldSlotKey? {
        switch self {
        case .outside(let held): held
        case _: nil
        }
    }

    /// What a new slot asks of its source; an existing slot is simply tried.
    ///
    /// A passphrase is printable ASCII: letters beyond it have several byte forms, and which one a terminal sends
    /// is not up to the person who types.
    borrowing func checkForNewSlot() throws(SealFailure) {
        switch self {
        case .passphrase(let bytes):
            guard bytes.count >= Self.shortestPassphrase, bytes.count <= Self.longestPassphrase else {
                throw .unsuitable(
                    "the passphrase needs \(Self.shortestPassphrase) to \(Self.longestPassphrase) characters")
            }
            guard bytes.withBytes({ $0.allSatisfy { $0 >= 0x20 && $0 < 0x7f } }) else {
                throw .unsuitable("the passphrase may hold printable ASCII characters only")
            }
        case .keyFile(let bytes):
            guard bytes.count >= Self.shortestKeyFile, bytes.count <= Self.longestKeyFile else {
                throw .unsuitable(
                    "the key file needs \(Self.shortestKeyFile) to \(Self.longestKeyFile) random bytes")
            }
        case .recovery(let bytes):
            guard bytes.count == RecoveryKey.byteCount else {
                throw .unsuitable("a recovery key has \(RecoveryKey.byteCount * 8) bits")
            }
        case .outside(let held):
            guard held.key.count == HeldSlotKey.byteCount else {
                throw .unsuitable("a slot key has \(HeldSlotKey.byteCount) bytes")
            }
        }
    }

    /// The key that wraps the root key in a slot with these parameters.
    borrowing func slotKey(scryptN: UInt64, salt: [UInt8]) throws(SealFailure) -> SealingKey {
        switch self {
        case .passphrase(let bytes):
            try SlotCost.deriveOneAtATime { () throws(SealFailure) in
                try mapped { () throws(CipherFailure) in
                    try bytes.withBytes { (passphrase) throws(CipherFailure) in
                        try salt.span.bytes.withUnsafeBytes { (salt) throws(CipherFailure) in
                            SealingKey(
                                try Scrypt.derive(
                                    passphrase: passphrase, salt: salt, n: scryptN, r: SlotCost.r,
                                    p: SlotCost.p,
                                    count: SealingKey.byteCount))
                        }
                    }
                }
            }
        case .keyFile(let bytes): try Self.expand(bytes, salt: salt, label: "slot-keyfile")
        case .recovery(let bytes): try Self.expand(bytes, salt: salt, label: "slot-recovery")
        case .outside(let held): try Self.expand(held.key, salt: salt, label: "slot-outside")
        }
    }

    /// For sources that are random enough: nothing is gained by making them costly to try.
    private static func expand(
        _ bytes: borrowing SecretBytes, salt: [UInt8], label: String
    ) throws(SealFailure) -> SealingKey {
        try mapped { () throws(CipherFailure) in
            let content = SealingKey(
                try bytes.withBytes { (bytes) throws(CipherFailure) in try SecretBytes(copying: bytes) })
            return SealingKey(
                try content.derive(
                    salt: salt, info: Array("GWK1 ".utf8) + Array(label.utf8) + [0],
                    count: SealingKey.byteCount))
        }
    }
}

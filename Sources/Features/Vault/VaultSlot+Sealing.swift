import Cipher
import Domain
import Locking

/// What one try at a passphrase costs.
enum SlotCost {
    /// 440 ms and 128 MiB a try (measured on two cores).
    static let newN: UInt64 = 1 << 17
    /// An edited slot can neither be made cheap (a downgrade) nor exhaust memory (256 MiB at most).
    static let acceptedN: ClosedRange<UInt64> = 1 << 15...1 << 18
    /// Constants, as in age: cost is set by N alone.
    static let r: UInt32 = 8
    static let p: UInt32 = 1

    private static let attempts = Lock()

    /// Tries follow each other, so that several at once cannot multiply the memory they need.
    static func deriveOneAtATime(
        _ body: () throws(SealFailure) -> SealingKey
    ) throws(SealFailure) -> SealingKey {
        attempts.lock()
        defer { attempts.unlock() }
        return try body()
    }
}

extension VaultSlot {
    /// As LUKS: few, since each is one more thing that opens everything.
    static let countMax = 8
    static let saltByteCount = 32

    /// Wraps a root key for one unlock source.
    static func seal(
        _ root: SealingKey, version: UInt32, vault: VaultID, with source: borrowing UnlockSource,
        scryptN: UInt64,
        at now: WallTime
    ) throws(SealFailure) -> VaultSlot {
        try source.checkForNewSlot()
        let kind = source.kind
        let salt = try mapped { () throws(CipherFailure) in try RandomBytes.salt(count: saltByteCount) }
        let blank = VaultSlot(
            id: source.slot ?? .random(), kind: kind, scryptN: kind == .passphrase ? scryptN : 0, salt: salt,
            rootVersion: version, sealedRoot: [], created: now, outside: source.outside)
        guard blank.hasAcceptedParameters else { throw .slotParameters(kind) }
        let key = try source.slotKey(scryptN: blank.scryptN, salt: salt)
        let plaintext = try mapped { () throws(CipherFailure) in try root.copied() }
        let sealed = try SealedRecord.seal(plaintext, as: blank.context(in: vault), under: key)
        return VaultSlot(
            id: blank.id, kind: kind, scryptN: blank.scryptN, salt: salt, rootVersion: version,
            sealedRoot: sealed, created: now, outside: blank.outside)
    }

    /// The root key, if this source is the one that the slot was made for.
    func open(in vault: VaultID, with source: borrowing UnlockSource) throws(SealFailure) -> SealingKey {
        guard hasAcceptedParameters else { throw .slotParameters(kind) }
        // A key that was fetched for one slot is tried at that one alone.
        guard source.slot == nil || source.slot == id else { throw .invalid(.record) }
        let key = try source.slotKey(scryptN: scryptN, salt: salt)
        let root = try SealedRecord.open(sealedRoot, expected: context(in: vault), under: key)
        guard root.count == SealingKey.byteCount else { throw .invalid(.content) }
        return SealingKey(root)
    }

    /// Longer than any ARN (2,048 characters) and than what AWS KMS seals 32 bytes into (6,144 at most, API
    /// reference of `GenerateDataKey`).
    static let outsideNameMost = 2_048
    static let outsideSealedMost = 6_144

    var hasAcceptedParameters: Bool {
        guard salt.count == Self.saltByteCount, kind.isKeptOutside == (outside != nil) else { return false }
        return switch kind {
        case .passphrase: SlotCost.acceptedN.contains(scryptN) && scryptN.nonzeroBitCount == 1
        case .keyFile, .recovery: scryptN == 0
        case .token, .keyService: scryptN == 0 && hasAcceptedOutsideKey
        }
    }

    private var hasAcceptedOutsideKey: Bool {
        guard let outside else { return false }
        return (1...Self.outsideNameMost).contains(outside.name.utf8.count)
            && (1...Self.outsideSealedMost).contains(outside.sealed.count)
    }

    /// Kind, cost, salt and vault are bound into the wrap, so that editing one of them shows; so is all that the slot
    /// keeps of a key outside.
    private func context(in vault: VaultID) -> SealContext {
        SealContext(
            column: SealedColumns.slotRoot, tenant: nil, record: id, sealingVersion: rootVersion, counter: 0,
            binding: Array(kind.rawValue.utf8) + [0] + bigEndian(scryptN) + vault.bytes + salt
                + (outside?.bound ?? []))
    }
}

extension OutsideKey {
    /// Both fields with their lengths in front.
    var bound: [UInt8] {
        bigEndian(UInt16(clamping: name.utf8.count)) + Array(name.utf8)
            + bigEndian(UInt16(clamping: sealed.count)) + sealed
    }
}

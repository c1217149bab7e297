import Cipher
import Domain

/// What the root key vouches for: which slots there are, which versions of tenants' keys in which state, and how far
/// a rotation is. Sealed as one record, with the epoch as its counter, and written in the transaction of every change.
///
/// Without it all of that would be plain rows: a leaked version could be marked active again, a slot that was removed
/// put back, a rotation continued that nobody began. Tenants' keys, of which there are many, are held by a digest of
/// their rows without the wraps: a wrap is authentic by itself, and a damaged one must cost its tenant alone.
///
///     bytes  field (big-endian)
///         1  format, 1
///        16  vault
///         4  epoch
///         4  root version
///         1  bit 0: the root before is still needed; bit 1: rows that decide access carry codes
///        32  fingerprint key
///         4  number of tenants' key versions
///        32  SHA-256 of their rows, 41 bytes each, by tenant and version
///         1  number of slots
///     n x 48 slot: id, SHA-256 of its other fields
struct KeyRingDocument {
    static let format: UInt8 = 1
    private static let fixedByteCount = 95
    private static let keyRange = 26..<58

    private let front: [UInt8]
    private let back: [UInt8]

    init(_ record: VaultRecord, keys: [WrappedTenantKey]) {
        front =
            [Self.format] + record.id.bytes + bigEndian(record.epoch) + bigEndian(record.rootVersion)
            + [(record.previousRoot.isEmpty ? 0 : 1) | (record.rowsCoded ? 2 : 0)]
        back =
            bigEndian(UInt32(clamping: keys.count)) + Self.digest(of: keys)
            + [UInt8(clamping: record.slots.count)] + record.slots.flatMap(Self.mark)
    }

    /// The document's bytes with the fingerprint key in its place.
    func encoded(fingerprints: SealingKey) throws(CipherFailure) -> SecretBytes {
        try fingerprints.withBytes { (key) throws(CipherFailure) in
            try SecretBytes(count: front.count + key.count + back.count) { buffer in
                buffer.copyBytes(from: front)
                UnsafeMutableRawBufferPointer(rebasing: buffer[front.count...]).copyMemory(from: key)
                UnsafeMutableRawBufferPointer(rebasing: buffer[(front.count + key.count)...]).copyBytes(
                    from: back)
            }
        }
    }

    /// Compares a ring that was opened with what the tables hold; gives its fingerprint key.
    func check(_ opened: borrowing SecretBytes) throws(SealFailure) -> SealingKey {
        try opened.withBytes { (bytes) throws(SealFailure) in
            guard bytes.count >= Self.fixedByteCount, bytes[0] == Self.format else {
                throw .keyRing("the key ring holds something else")
            }
            guard bytes[..<17].elementsEqual(front[..<17]), bytes[21..<26].elementsEqual(front[21..<26])
            else { throw .keyRing("the vault's record does not fit the key ring") }
            let keysEnd = Self.keyRange.upperBound + 36
            guard bytes[Self.keyRange.upperBound..<keysEnd].elementsEqual(back[..<36]) else {
                throw .keyRing("the table of tenants' keys does not fit the key ring")
            }
            guard bytes[keysEnd...].elementsEqual(back[36...]) else {
                throw .keyRing("the vault's slots do not fit the key ring")
            }
            let key = UnsafeRawBufferPointer(rebasing: bytes[Self.keyRange])
            return SealingKey(
                try mapped { () throws(CipherFailure) in try SecretBytes(copying: key) })
        }
    }

    private static func digest(of keys: [WrappedTenantKey]) -> [UInt8] {
        let sorted = keys.sorted { ($0.tenant, $0.version) < ($1.tenant, $1.version) }
        var rows: [UInt8] = []
        rows.reserveCapacity(sorted.count * 41)
        for key in sorted {
            rows += key.tenant.bytes + bigEndian(key.version) + [code(of: key.state)]
            rows += bigEndian(key.rootVersion) + bigEndian(key.created.milliseconds)
            rows += bigEndian(key.sealings)
        }
        return SHA256.digest(rows).bytes
    }

    private static func code(of state: TenantKeyState) -> UInt8 {
        switch state {
        case .active: 1
        case .retiring: 2
        case .destroyed: 3
        }
    }

    private static func mark(_ slot: VaultSlot) -> [UInt8] {
        let facts =
            Array(slot.kind.rawValue.utf8) + [0] + bigEndian(slot.scryptN) + bigEndian(slot.rootVersion)
            + bigEndian(slot.created.milliseconds) + slot.salt + slot.sealedRoot + (slot.outside?.bound ?? [])
        return slot.id.bytes + SHA256.digest(facts).bytes
    }
}

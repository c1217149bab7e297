import Cipher
import Domain

/// The sealed record GWE1: AES-256-GCM with a key, nonce and commitment derived for each sealing.
///
///     offset bytes  field (big-endian)
///          0     4  magic `GWE1`
///          4     1  format version, 1
///          5     1  suite, 1 = HKDF-SHA-512, AES-256-GCM, commitment
///          6     1  purpose
///          7     1  flags, 0
///          8    16  tenant (zero = the gateway)
///         24    16  record
///         40     4  version of the sealing key
///         44     4  write counter of the row
///         48    32  salt
///         80    32  key commitment
///        112     4  length n of the ciphertext, at most 1 MiB
///        116  n+16  ciphertext, tag
///
/// `OKM(76) = HKDF-SHA-512(key, salt, "GWE1 derive\0" ‖ bytes 0..<48 ‖ field)` = AES key, nonce, commitment;
/// `AAD = bytes 0..<116 ‖ field`, where `field` is the length-prefixed column id. The commitment does not cover
/// the length: that is safe because opening accepts exactly one length for a given record.
enum SealedRecord {
    static let magic = Array("GWE1".utf8)
    static let formatVersion: UInt8 = 1
    static let suite: UInt8 = 1
    static let longestPlaintext = 1 << 20
    static let saltByteCount = 32
    private static let commitmentByteCount = 32
    private static let headerEnd = 48
    private static let saltEnd = 80
    private static let commitmentEnd = 112
    private static let ciphertextStart = 116
    static let overhead = ciphertextStart + AESGCM.tagByteCount

    /// The accepted value of every byte before the salt is the one rebuilt from the expected context.
    private static let table: [(Range<Int>, SealFailure.Detail)] = [
        (0..<4, .magic), (4..<5, .formatVersion), (5..<6, .suite), (6..<7, .purpose), (7..<8, .flags),
        (8..<24, .tenant), (24..<40, .record), (40..<44, .sealingVersion), (44..<48, .counter),
    ]

    /// The version of the sealing key that the record claims: good for choosing a key among those of the expected
    /// tenant, and proven only by opening.
    static func claimedVersion(of record: [UInt8]) -> UInt32? {
        guard record.count >= headerEnd else { return nil }
        return record[40..<44].reduce(0) { $0 << 8 | UInt32($1) }
    }

    static func seal(
        _ plaintext: borrowing SecretBytes, as context: SealContext, under key: SealingKey
    ) throws(SealFailure) -> [UInt8] {
        let salt = try hedgedSalt(plaintext, context, key)
        return try seal(plaintext, as: context, under: key, salt: salt)
    }

    /// With a given salt: for known answers alone, since a salt used twice gives the plaintexts away.
    static func seal(
        _ plaintext: borrowing SecretBytes, as context: SealContext, under key: SealingKey, salt: [UInt8]
    ) throws(SealFailure) -> [UInt8] {
        guard context.isPossible else { throw .invalid(.context) }
        guard context.counter < .max else { throw .counterExhausted }
        guard plaintext.count <= longestPlaintext, salt.count == saltByteCount else {
            throw .invalid(.length)
        }
        let keys = try derive(context, salt, key)
        let commitment = keys.withBytes { Array($0[commitmentRange]) }
        let front = context.header + salt + commitment + bigEndian(UInt32(plaintext.count))
        let aad = front + context.field
        let sealed = try mapped { () throws(CipherFailure) in
            try plaintext.withBytes { (plaintext) throws(CipherFailure) in
                try keys.withBytes { (keys) throws(CipherFailure) in
                    try aad.span.bytes.withUnsafeBytes { (aad) throws(CipherFailure) in
                        try AESGCM.seal(
                            plaintext, key: .init(rebasing: keys[keyRange]),
                            nonce: .init(rebasing: keys[nonceRange]), aad: aad)
                    }
                }
            }
        }
        return front + sealed
    }

    /// Opens a record in the place where the caller found it; nothing is released before the tag was checked.
    static func open(
        _ record: [UInt8], expected context: SealContext, under key: SealingKey
    ) throws(SealFailure) -> SecretBytes {
        try check(record, against: context)
        let salt = Array(record[headerEnd..<saltEnd])
        let keys = try derive(context, salt, key)
        let aad = Array(record[..<ciphertextStart]) + context.field
        return try record.span.bytes.withUnsafeBytes { (record) throws(SealFailure) in
            let committed = keys.withBytes { keys in
                ConstantTime.equal(
                    .init(rebasing: keys[commitmentRange]), .init(rebasing: record[saltEnd..<commitmentEnd]))
            }
            guard committed else { throw .invalid(.commitment) }
            return try mapped { () throws(CipherFailure) in
                try keys.withBytes { (keys) throws(CipherFailure) in
                    try aad.span.bytes.withUnsafeBytes { (aad) throws(CipherFailure) in
                        try AESGCM.open(
                            .init(rebasing: record[ciphertextStart...]), key: .init(rebasing: keys[keyRange]),
                            nonce: .init(rebasing: keys[nonceRange]), aad: aad)
                    }
                }
            }
        }
    }

    /// Everything that can be refused without a key.
    private static func check(_ record: [UInt8], against context: SealContext) throws(SealFailure) {
        guard context.isPossible else { throw .invalid(.context) }
        guard context.counter < .max else { throw .invalid(.counter) }
        guard record.count >= overhead else { throw .invalid(.tooShort) }
        let header = context.header
        for (range, detail) in table where record[range] != header[range] { throw .invalid(detail) }
        let length = record[commitmentEnd..<ciphertextStart].reduce(0) { $0 << 8 | Int($1) }
        guard length <= longestPlaintext, record.count == overhead + length else { throw .invalid(.length) }
    }

    private static let keyRange = 0..<AESGCM.keyByteCount
    private static let nonceRange = keyRange.upperBound..<(keyRange.upperBound + AESGCM.nonceByteCount)
    private static let commitmentRange = nonceRange.upperBound..<(nonceRange.upperBound + commitmentByteCount)

    private static func derive(
        _ context: SealContext, _ salt: [UInt8], _ key: SealingKey
    ) throws(SealFailure) -> SecretBytes {
        let info = Array("GWE1 derive\0".utf8) + context.header + context.field
        return try mapped { () throws(CipherFailure) in
            try key.derive(salt: salt, info: info, count: commitmentRange.upperBound)
        }
    }

    /// HMAC, under a key derived from the sealing key, over fresh randomness, the header and the plaintext: were the
    /// randomness ever to repeat, another plaintext would still get another salt, and so another key and nonce.
    private static func hedgedSalt(
        _ plaintext: borrowing SecretBytes, _ context: SealContext, _ key: SealingKey
    ) throws(SealFailure) -> [UInt8] {
        do throws(CipherFailure) {
            let front = try RandomBytes.salt(count: saltByteCount) + context.header
            let message = try plaintext.withBytes { (plaintext) throws(CipherFailure) in
                try SecretBytes(count: front.count + plaintext.count) { buffer in
                    buffer.copyBytes(from: front)
                    UnsafeMutableRawBufferPointer(rebasing: buffer[front.count...]).copyMemory(
                        from: plaintext)
                }
            }
            let hedge = try key.derive(.salt)
            return try message.withBytes { (message) throws(CipherFailure) in
                try hedge.withBytes { (hedge) throws(CipherFailure) in
                    try HMACSHA256.code(of: message, key: hedge).bytes
                }
            }
        } catch {
            throw SealFailure(error)
        }
    }
}

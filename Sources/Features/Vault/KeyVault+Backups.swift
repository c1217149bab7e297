public import Cipher
public import Domain

extension KeyVault {
    /// The code of a backup's manifest: only a vault with the same root, or a later one of it, makes the same.
    public func backupCode(of manifest: [UInt8]) throws(SealFailure) -> Digest256 {
        let ring = try openRing()
        return try mapped { () throws(CipherFailure) in
            let key = try ring.fingerprints.derive(.backupManifest)
            return try HMACSHA256.code(of: manifest, key: key)
        }
    }

    /// Seals or opens one file of a backup. `salt` is random for each file; `name` is its place in the backup.
    public func backupCipher(salt: [UInt8], name: String) throws(SealFailure) -> BackupCipher {
        let ring = try openRing()
        let info =
            Array("GWK1 ".utf8) + Array(DerivedKeyUse.backupFile.rawValue.utf8) + [0] + ring.vault.bytes
            + Array(name.utf8)
        return BackupCipher(
            key: try mapped { () throws(CipherFailure) in
                try ring.fingerprints.derive(salt: salt, info: info, count: SealingKey.byteCount)
            })
    }
}

/// A file of a backup as pieces that are each sealed: AES-256-GCM under a key of that file alone, with the piece's number
/// and whether it is the last as the nonce (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, CRYPTO
/// 2015, as age has it). Pieces cannot change places, and a file cannot be cut or made longer.
public final class BackupCipher: Sendable {
    /// Of a piece in the clear; each but the last one is whole.
    public static let pieceByteCount = 32_768
    public static let saltByteCount = 32
    public static let sealedByteCount = pieceByteCount + AESGCM.tagByteCount

    private let key: SecretBytes

    init(key: consuming SecretBytes) { self.key = key }

    public func seal(
        _ piece: UnsafeRawBufferPointer, number: UInt64, isLast: Bool
    ) throws(SealFailure) -> [UInt8] {
        let nonce = Self.nonce(number, isLast)
        return try mapped { () throws(CipherFailure) in
            try key.withBytes { (key) throws(CipherFailure) in
                try nonce.span.bytes.withUnsafeBytes { (nonce) throws(CipherFailure) in
                    try AESGCM.seal(piece, key: key, nonce: nonce, aad: .init(start: nil, count: 0))
                }
            }
        }
    }

    public func open(
        _ sealed: UnsafeRawBufferPointer, number: UInt64, isLast: Bool
    ) throws(SealFailure) -> SecretBytes {
        let nonce = Self.nonce(number, isLast)
        return try mapped { () throws(CipherFailure) in
            try key.withBytes { (key) throws(CipherFailure) in
                try nonce.span.bytes.withUnsafeBytes { (nonce) throws(CipherFailure) in
                    try AESGCM.open(sealed, key: key, nonce: nonce, aad: .init(start: nil, count: 0))
                }
            }
        }
    }

    private static func nonce(_ number: UInt64, _ isLast: Bool) -> [UInt8] {
        [0, 0, 0] + bigEndian(number) + [isLast ? 1 : 0]
    }
}

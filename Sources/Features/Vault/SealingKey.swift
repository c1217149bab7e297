import Cipher
import Domain

/// A 256-bit key of the vault (of a slot, the root, or a tenant), used for nothing but deriving other keys.
///
/// A reference, so that it can stand in tables and outlive, for the call that holds it, the moment it is dropped.
final class SealingKey: Sendable {
    static let byteCount = 32
    private let secret: SecretBytes

    init(_ secret: consuming SecretBytes) { self.secret = secret }

    static func random() throws(CipherFailure) -> SealingKey {
        SealingKey(try RandomBytes.secret(count: byteCount))
    }

    /// The key in the form in which another key seals it.
    func copied() throws(CipherFailure) -> SecretBytes {
        try secret.withBytes { (bytes) throws(CipherFailure) in try SecretBytes(copying: bytes) }
    }

    /// Lends the key to what seals it together with other things.
    func withBytes<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try secret.withBytes(body)
    }

    /// HKDF-SHA-512 of the key.
    func derive(salt: [UInt8], info: [UInt8], count: Int) throws(CipherFailure) -> SecretBytes {
        try secret.withBytes { (key) throws(CipherFailure) in
            try salt.span.bytes.withUnsafeBytes { (salt) throws(CipherFailure) in
                try info.span.bytes.withUnsafeBytes { (info) throws(CipherFailure) in
                    try HKDF.derive(.sha512, key: key, salt: salt, info: info, count: count)
                }
            }
        }
    }

    /// A 256-bit key for one stated use, and one tenant where there is one.
    func derive(_ use: DerivedKeyUse, tenant: TenantID? = nil) throws(CipherFailure) -> SecretBytes {
        let owner = tenant?.bytes ?? [UInt8](repeating: 0, count: 16)
        let info = Array("GWK1 ".utf8) + Array(use.rawValue.utf8) + [0] + owner
        return try derive(salt: [], info: info, count: Self.byteCount)
    }
}

/// The label table: everything a sealing key is used for, apart from GWE1 records themselves.
///
/// The info of a derivation is `"GWK1 "`, the label, a zero byte and the tenant's 16 bytes (zero for none).
enum DerivedKeyUse: String, CaseIterable {
    /// From the fingerprint key: the HMAC key of a tenant's provider-key fingerprints.
    case fingerprint
    /// From the fingerprint key: what the hashes of virtual keys are hashed with once more.
    case tokenPepper = "token-pepper"
    /// From the fingerprint key: codes of rows that decide access.
    case accessRow = "access-row"
    /// From the fingerprint key: codes of backups' manifests.
    case backupManifest = "backup-manifest"
    /// From the fingerprint key: seals one file of one backup.
    case backupFile = "backup-file"
    /// From the first root: the fingerprint key, which the key ring keeps when the root changes.
    case fingerprintKey = "fingerprint-key"
    /// From the key that seals: hedges the salt of a sealing against a generator that repeats itself.
    case salt
}

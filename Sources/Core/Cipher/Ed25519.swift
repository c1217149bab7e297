import CLibCrypto

/// Ed25519 (RFC 8032): signatures over whole messages.
///
/// libcrypto holds a copy of the secret on the ordinary heap for the moment of a call, and wipes it.
public enum Ed25519 {
    public static let secretByteCount = 32
    public static let publicByteCount = 32
    public static let signatureByteCount = 64

    /// The public key of a secret (RFC 8032 section 5.1.5).
    public static func publicKey(of secret: borrowing SecretBytes) throws(CipherFailure) -> [UInt8] {
        try withKey(secret) { (key) throws(CipherFailure) in try publicKey(of: key) }
    }

    /// Signs with a secret whose public key the caller knows: signing with another one's would give the secret away,
    /// so a secret that does not fit is refused.
    public static func sign(
        _ message: [UInt8], secret: borrowing SecretBytes, publicKey expected: [UInt8]
    ) throws(CipherFailure) -> [UInt8] {
        try withKey(secret) { (key) throws(CipherFailure) in
            guard try publicKey(of: key) == expected else { throw .notAuthentic }
            guard let context = EVP_MD_CTX_new() else { throw .library("Ed25519") }
            defer { EVP_MD_CTX_free(context) }
            var signature = [UInt8](repeating: 0, count: signatureByteCount)
            var count = signature.count
            guard EVP_DigestSignInit(context, nil, nil, nil, key) == 1,
                EVP_DigestSign(context, &signature, &count, message, message.count) == 1,
                count == signatureByteCount
            else { throw .library("Ed25519 signing") }
            return signature
        }
    }

    /// Whether the signature is the key's over the message; false also for a key or signature of another size.
    public static func verify(_ signature: [UInt8], of message: [UInt8], publicKey: [UInt8]) -> Bool {
        guard signature.count == signatureByteCount, publicKey.count == publicByteCount,
            let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, publicKey, publicKey.count)
        else { return false }
        defer { EVP_PKEY_free(key) }
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        return EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1
            && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    private static func withKey<Result>(
        _ secret: borrowing SecretBytes, _ body: (OpaquePointer) throws(CipherFailure) -> Result
    ) throws(CipherFailure) -> Result {
        guard secret.count == secretByteCount else { throw .parameter("an Ed25519 secret has 32 bytes") }
        let made = secret.withBytes { bytes in
            EVP_PKEY_new_raw_private_key(
                EVP_PKEY_ED25519, nil, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
        }
        guard let key = made else { throw .library("Ed25519") }
        defer { EVP_PKEY_free(key) }
        return try body(key)
    }

    private static func publicKey(of key: OpaquePointer) throws(CipherFailure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: publicByteCount)
        var count = bytes.count
        guard EVP_PKEY_get_raw_public_key(key, &bytes, &count) == 1, count == publicByteCount else {
            throw .library("Ed25519")
        }
        return bytes
    }
}

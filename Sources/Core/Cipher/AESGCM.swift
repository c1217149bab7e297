import CLibCrypto

/// AES-256-GCM (NIST SP 800-38D) with 96-bit nonces and full 128-bit tags; nothing shorter is accepted.
public enum AESGCM {
    public static let keyByteCount = 32
    public static let nonceByteCount = 12
    public static let tagByteCount = 16
    /// Far under the standard's bound and inside libcrypto's `int` lengths.
    public static let longestByteCount = 1 << 30

    /// The ciphertext with the tag behind it.
    public static func seal(
        _ plaintext: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer,
        aad: UnsafeRawBufferPointer
    ) throws(CipherFailure) -> [UInt8] {
        try check(key: key, nonce: nonce, lengths: plaintext.count, aad.count)
        guard let context = EVP_CIPHER_CTX_new() else { throw .library("AES-256-GCM") }
        defer { EVP_CIPHER_CTX_free(context) }
        var out = [UInt8](repeating: 0, count: plaintext.count + tagByteCount)
        let done = out.withUnsafeMutableBytes { out in
            var written: Int32 = 0
            let tag = UnsafeMutableRawBufferPointer(rebasing: out[plaintext.count...])
            return EVP_EncryptInit_ex2(
                context, Algorithms.fetched.aes256GCM, octets(key), octets(nonce), nil) == 1
                && EVP_EncryptUpdate(context, nil, &written, octets(aad), Int32(aad.count)) == 1
                && EVP_EncryptUpdate(
                    context, octets(out), &written, octets(plaintext), Int32(plaintext.count)) == 1
                && EVP_EncryptFinal_ex(context, octets(tag), &written) == 1
                && EVP_CIPHER_CTX_ctrl(
                    context, EVP_CTRL_AEAD_GET_TAG, Int32(tagByteCount), tag.baseAddress) == 1
        }
        guard done else { throw .library("AES-256-GCM") }
        return out
    }

    /// The plaintext of `sealed` (ciphertext and tag).
    ///
    /// libcrypto hands out plaintext before it has checked the tag; it goes to a buffer on the secure heap that
    /// is wiped, not returned, when the tag does not fit.
    public static func open(
        _ sealed: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer,
        aad: UnsafeRawBufferPointer
    ) throws(CipherFailure) -> SecretBytes {
        try check(key: key, nonce: nonce, lengths: sealed.count, aad.count)
        guard sealed.count >= tagByteCount else { throw .notAuthentic }
        guard let context = EVP_CIPHER_CTX_new() else { throw .library("AES-256-GCM") }
        defer { EVP_CIPHER_CTX_free(context) }
        let ciphertext = UnsafeRawBufferPointer(rebasing: sealed[..<(sealed.count - tagByteCount)])
        let tag = UnsafeRawBufferPointer(rebasing: sealed[(sealed.count - tagByteCount)...])
        return try SecretBytes(count: ciphertext.count) { (out) throws(CipherFailure) in
            var written: Int32 = 0
            guard
                EVP_DecryptInit_ex2(
                    context, Algorithms.fetched.aes256GCM, octets(key), octets(nonce), nil) == 1,
                EVP_DecryptUpdate(context, nil, &written, octets(aad), Int32(aad.count)) == 1,
                EVP_DecryptUpdate(
                    context, octets(out), &written, octets(ciphertext), Int32(ciphertext.count)) == 1,
                EVP_CIPHER_CTX_ctrl(
                    context, EVP_CTRL_AEAD_SET_TAG, Int32(tagByteCount),
                    UnsafeMutableRawPointer(mutating: tag.baseAddress)) == 1
            else { throw .library("AES-256-GCM") }
            var rest: (UInt64, UInt64) = (0, 0)
            let authentic = withUnsafeMutableBytes(of: &rest) { rest in
                EVP_DecryptFinal_ex(context, octets(rest), &written) == 1
            }
            guard authentic else { throw .notAuthentic }
        }
    }

    private static func check(
        key: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, lengths: Int...
    ) throws(CipherFailure) {
        guard key.count == keyByteCount else { throw .parameter("an AES-256 key has 32 bytes") }
        guard nonce.count == nonceByteCount else { throw .parameter("a GCM nonce has 12 bytes") }
        guard lengths.allSatisfy({ $0 <= longestByteCount }) else { throw .parameter("more than 1 GiB") }
    }

    private static func octets(_ bytes: UnsafeRawBufferPointer) -> UnsafePointer<UInt8>? {
        bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    }

    private static func octets(_ bytes: UnsafeMutableRawBufferPointer) -> UnsafeMutablePointer<UInt8>? {
        bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    }
}

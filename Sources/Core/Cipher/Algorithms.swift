import CLibCrypto

/// The algorithms of libcrypto, fetched once: fetching by name on each call costs more than hashing a token.
struct Algorithms: @unchecked Sendable {
    // Safe because fetched algorithms are immutable, counted by libcrypto, and never freed by us.
    let sha256: OpaquePointer
    let aes256GCM: OpaquePointer
    let hmac: OpaquePointer
    let hkdf: OpaquePointer
    let scrypt: OpaquePointer

    static let fetched = Self()

    private init() {
        sha256 = Self.required(EVP_MD_fetch(nil, "SHA2-256", nil), "SHA-256")
        aes256GCM = Self.required(EVP_CIPHER_fetch(nil, "AES-256-GCM", nil), "AES-256-GCM")
        hmac = Self.required(EVP_MAC_fetch(nil, "HMAC", nil), "HMAC")
        hkdf = Self.required(EVP_KDF_fetch(nil, "HKDF", nil), "HKDF")
        scrypt = Self.required(EVP_KDF_fetch(nil, "SCRYPT", nil), "scrypt")
    }

    private static func required(_ pointer: OpaquePointer?, _ name: String) -> OpaquePointer {
        guard let pointer else {
            preconditionFailure("libcrypto 3.0 or newer is needed: it offers no \(name)")
        }
        return pointer
    }
}

import CLibCrypto

/// HKDF (RFC 5869): keys for stated uses out of one strong key.
public enum HKDF {
    /// The hash underneath.
    public enum Hash: Sendable {
        case sha256, sha512

        var name: String {
            switch self {
            case .sha256: "SHA2-256"
            case .sha512: "SHA2-512"
            }
        }

        /// RFC 5869 section 2.3: at most 255 blocks of the hash.
        var longestOutput: Int {
            switch self {
            case .sha256: 255 * 32
            case .sha512: 255 * 64
            }
        }
    }

    /// Extract and expand; `count` bytes of output, at most 255 times the hash's size.
    public static func derive(
        _ hash: Hash, key: UnsafeRawBufferPointer, salt: UnsafeRawBufferPointer, info: UnsafeRawBufferPointer,
        count: Int
    ) throws(CipherFailure) -> SecretBytes {
        guard count > 0, count <= hash.longestOutput else {
            throw .parameter("HKDF output of \(count) bytes")
        }
        return try SecretBytes(count: count) { (out) throws(CipherFailure) in
            let done = gh_hkdf(
                Algorithms.fetched.hkdf, hash.name, key.baseAddress, key.count, salt.baseAddress, salt.count,
                info.baseAddress, info.count, out.baseAddress, out.count)
            guard done == 1 else { throw .library("HKDF") }
        }
    }
}

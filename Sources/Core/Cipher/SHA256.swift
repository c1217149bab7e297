import CLibCrypto
public import Domain

/// SHA-256 (FIPS 180-4) of bytes that are lent for the call.
///
/// One call costs about 0.5 us for a virtual key (measured; libcrypto's `SHA256()` takes 1.4 us because it looks
/// the algorithm up by name each time).
public enum SHA256 {
    public static let byteCount = 32

    public static func digest(_ bytes: UnsafeRawBufferPointer) -> Digest256 {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        let done = withUnsafeMutableBytes(of: &words) { out in
            EVP_Digest(
                bytes.baseAddress, bytes.count, out.baseAddress?.assumingMemoryBound(to: UInt8.self), nil,
                Algorithms.fetched.sha256, nil)
        }
        precondition(done == 1, "libcrypto failed to compute SHA-256")
        return Digest256(bigEndian: words)
    }

    /// The digest of two pieces that stand one after the other, without joining them.
    public static func digest(prefix: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer) -> Digest256 {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        let done = withUnsafeMutableBytes(of: &words) { out in
            EVP_DigestInit_ex2(context, Algorithms.fetched.sha256, nil) == 1
                && EVP_DigestUpdate(context, prefix.baseAddress, prefix.count) == 1
                && EVP_DigestUpdate(context, body.baseAddress, body.count) == 1
                && EVP_DigestFinal_ex(context, out.baseAddress?.assumingMemoryBound(to: UInt8.self), nil) == 1
        }
        precondition(done, "libcrypto failed to compute SHA-256")
        return Digest256(bigEndian: words)
    }

    public static func digest(_ bytes: [UInt8]) -> Digest256 {
        bytes.withUnsafeBytes { digest($0) }
    }
}

extension SHA256 {
    /// The digest of pieces that come one after the other.
    public struct Running: ~Copyable {
        private let context = EVP_MD_CTX_new()

        public init() {
            precondition(EVP_DigestInit_ex2(context, Algorithms.fetched.sha256, nil) == 1, "SHA-256 failed")
        }

        deinit { EVP_MD_CTX_free(context) }

        public mutating func add(_ piece: [UInt8]) {
            let done = piece.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
            precondition(done == 1, "libcrypto failed to compute SHA-256")
        }

        public consuming func finish() -> Digest256 {
            var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
            let done = withUnsafeMutableBytes(of: &words) { out in
                EVP_DigestFinal_ex(context, out.baseAddress?.assumingMemoryBound(to: UInt8.self), nil)
            }
            precondition(done == 1, "libcrypto failed to compute SHA-256")
            return Digest256(bigEndian: words)
        }
    }
}

extension Digest256 {
    /// Words as they lie in memory after 32 bytes were written over them.
    init(bigEndian words: (UInt64, UInt64, UInt64, UInt64)) {
        self.init(
            UInt64(bigEndian: words.0), UInt64(bigEndian: words.1), UInt64(bigEndian: words.2),
            UInt64(bigEndian: words.3))
    }
}

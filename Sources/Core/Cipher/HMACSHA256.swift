import CLibCrypto
public import Domain

/// HMAC-SHA-256 (RFC 2104, FIPS 198-1).
public enum HMACSHA256 {
    /// The code of `message` under a key of at least one byte.
    public static func code(
        of message: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer
    ) throws(CipherFailure) -> Digest256 {
        guard !key.isEmpty else { throw .parameter("an HMAC key has at least one byte") }
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        let done = withUnsafeMutableBytes(of: &words) { out in
            gh_hmac(
                Algorithms.fetched.hmac, "SHA2-256", key.baseAddress, key.count, message.baseAddress,
                message.count, out.baseAddress, out.count)
        }
        guard done == 1 else { throw .library("HMAC-SHA-256") }
        return Digest256(bigEndian: words)
    }

    public static func code(
        of message: [UInt8], key: borrowing SecretBytes
    ) throws(CipherFailure) -> Digest256 {
        try key.withBytes { (key) throws(CipherFailure) in
            try lend(message) { (message) throws(CipherFailure) in try code(of: message, key: key) }
        }
    }
}

/// Lends an array's bytes to a closure whose error type is kept.
@inline(__always)
func lend<Result: ~Copyable>(
    _ bytes: [UInt8], to body: (UnsafeRawBufferPointer) throws(CipherFailure) -> Result
) throws(CipherFailure) -> Result {
    try bytes.span.bytes.withUnsafeBytes(body)
}

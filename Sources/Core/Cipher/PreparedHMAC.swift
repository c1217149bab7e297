import CLibCrypto
public import Domain

/// HMAC-SHA-256 (RFC 2104) under one key, of which the blocks that depend on the key alone are hashed already.
///
/// For the path of a call: a code takes two blocks of SHA-256, no allocation and no look-up of an algorithm. What is
/// kept is worth as much as the key, so it lies on the secure heap.
public final class PreparedHMAC: Sendable {
    private let state: SecretBytes

    /// A key of 1 to 64 bytes; wiping it is the caller's part.
    public init(key: UnsafeRawBufferPointer) throws(CipherFailure) {
        guard !key.isEmpty, key.count <= 64 else { throw .parameter("a prepared HMAC key has 1 to 64 bytes") }
        state = try SecretBytes(count: MemoryLayout<gh_hmac_state>.size) { state throws(CipherFailure) in
            guard gh_hmac_prepare(state.baseAddress, key.baseAddress, key.count) == 1 else {
                throw .library("HMAC-SHA-256")
            }
        }
    }

    public func code(of message: UnsafeRawBufferPointer) -> Digest256 {
        finish { gh_hmac_prepared($0, message.baseAddress, message.count, $1) }
    }

    public func code(of message: [UInt8]) -> Digest256 { message.withUnsafeBytes { code(of: $0) } }

    /// HMAC(key, SHA-256(message)).
    @inline(__always)
    public func code(ofDigestOf message: UnsafeRawBufferPointer) -> Digest256 {
        finish { gh_hmac_prepared_digest($0, message.baseAddress, message.count, $1) }
    }

    @inline(__always)
    private func finish(_ hash: (UnsafeRawPointer?, UnsafeMutableRawPointer?) -> Int32) -> Digest256 {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        let done = state.withBytes { state in
            withUnsafeMutableBytes(of: &words) { hash(state.baseAddress, $0.baseAddress) }
        }
        precondition(done == 1, "libcrypto failed to compute SHA-256")
        return Digest256(bigEndian: words)
    }
}

import CLibCrypto

/// Secret bytes on the secure heap: one owner, no description, wiped when the owner is gone.
///
/// The bytes are lent to a closure and must not be copied out of it into a `String`, `Array` or `Data`: those are
/// never wiped. Making one fails rather than using ordinary memory.
public struct SecretBytes: ~Copyable, @unchecked Sendable {
    // Safe because the value has one owner, its bytes are written before the initialiser returns and only read
    // afterwards, and the memory is freed when that owner is gone.
    private let address: UnsafeMutableRawPointer
    private let reserved: Int
    public let count: Int

    /// Exactly `count` bytes, zero until `filling` has written them.
    public init(
        count: Int, filling: (UnsafeMutableRawBufferPointer) throws(CipherFailure) -> Void
    ) throws(CipherFailure) {
        try self.init(atMost: count) { (buffer) throws(CipherFailure) in
            try filling(buffer)
            return count
        }
    }

    /// Up to `capacity` bytes; `filling` answers how many of them it wrote.
    public init(
        atMost capacity: Int, filling: (UnsafeMutableRawBufferPointer) throws(CipherFailure) -> Int
    ) throws(CipherFailure) {
        let address = try Self.allocate(capacity)
        let written: Int
        do throws(CipherFailure) {
            written = try filling(UnsafeMutableRawBufferPointer(start: address, count: capacity))
        } catch {
            gh_secure_clear_free(address, capacity)
            throw error
        }
        precondition(written >= 0 && written <= capacity, "more bytes written than reserved")
        self.address = address
        reserved = capacity
        count = written
    }

    /// A copy of bytes that live elsewhere; wiping the original is the caller's part.
    public init(copying bytes: UnsafeRawBufferPointer) throws(CipherFailure) {
        try self.init(count: bytes.count) { $0.copyMemory(from: bytes) }
    }

    deinit { gh_secure_clear_free(address, reserved) }

    /// Lends the bytes; the pointer is void once `body` returns.
    @inline(__always)
    public borrowing func withBytes<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: address, count: count))
    }

    private static func allocate(_ count: Int) throws(CipherFailure) -> UnsafeMutableRawPointer {
        // Before its start libcrypto hands out ordinary memory without a word.
        guard CRYPTO_secure_malloc_initialized() == 1 else { throw .secureHeapMissing }
        guard count >= 0, count <= SecureHeap.byteCount else { throw .secureHeapFull }
        guard let address = gh_secure_malloc(max(1, count)) else { throw .secureHeapFull }
        guard CRYPTO_secure_allocated(address) == 1 else {
            gh_secure_clear_free(address, count)
            throw .secureHeapMissing
        }
        return address
    }
}

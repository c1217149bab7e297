import Glibc
import Locking

/// A secret on its way between a person and the vault: a pasted provider key, a passphrase, a new virtual key.
///
/// Has no description, is never encoded with a command, and is wiped when it is taken, discarded or let go.
/// The vault copies it into its own locked memory at once.
public final class SecretDraft: @unchecked Sendable {
    // Safe because the buffer is only touched inside `state`'s lock, and freed once, by its one owner.
    private let start: UnsafeMutableRawPointer
    private let length: Locked<Int>
    private var buffer: UnsafeMutableRawBufferPointer { .init(start: start, count: Self.longest) }

    /// The most a secret may hold: the longest provider credentials (JSON key files aside) stay far below.
    public static let longest = 4_096

    public init() {
        start = .allocate(byteCount: Self.longest, alignment: 16)
        mlock(start, Self.longest)
        length = Locked(0)
    }

    /// Copies the bytes; the caller wipes its own.
    public convenience init(copying bytes: UnsafeRawBufferPointer) {
        self.init()
        for byte in bytes { append(byte) }
    }

    deinit {
        explicit_bzero(start, Self.longest)
        munlock(start, Self.longest)
        start.deallocate()
    }

    public var count: Int { length.withLock { $0 } }
    public var isEmpty: Bool { count == 0 }

    /// Adds a byte; false when the draft is full.
    @discardableResult
    public func append(_ byte: UInt8) -> Bool {
        length.withLock { length in
            guard length < buffer.count else { return false }
            buffer[length] = byte
            length += 1
            return true
        }
    }

    /// Takes the last byte away (a backspace).
    public func removeLast() {
        length.withLock { length in
            guard length > 0 else { return }
            length -= 1
            buffer[length] = 0
        }
    }

    /// Forgets everything.
    public func wipe() {
        length.withLock { length in
            explicit_bzero(start, Self.longest)
            length = 0
        }
    }

    /// Lends the bytes to one call.
    public func withBytes<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try length.withLock { length throws(Failure) in
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<length]))
        }
    }
}

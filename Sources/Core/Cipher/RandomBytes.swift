import CLibCrypto
import Glibc

/// Randomness for keys and salts.
public enum RandomBytes {
    /// Fills a buffer for private use: keys and tokens.
    public static func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(CipherFailure) {
        guard !buffer.isEmpty else { return }
        let bytes = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        guard buffer.count <= Int(Int32.max), RAND_priv_bytes(bytes, Int32(buffer.count)) == 1 else {
            throw .randomness
        }
    }

    /// A fresh key on the secure heap.
    public static func secret(count: Int) throws(CipherFailure) -> SecretBytes {
        try SecretBytes(count: count) { (buffer) throws(CipherFailure) in try fill(buffer) }
    }

    /// A salt from two sources: libcrypto's generator may repeat itself in a restored virtual machine, so the
    /// kernel's is mixed in.
    public static func salt(count: Int) throws(CipherFailure) -> [UInt8] {
        var salt = [UInt8](repeating: 0, count: count)
        guard RAND_bytes(&salt, Int32(count)) == 1 else { throw .randomness }
        for (index, byte) in try kernel(count: count).enumerated() { salt[index] ^= byte }
        return salt
    }

    /// Bytes straight from the kernel.
    private static func kernel(count: Int) throws(CipherFailure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes.withUnsafeMutableBytes {
                getrandom($0.baseAddress?.advanced(by: filled), count - filled, 0)
            }
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { throw .randomness }
            filled += got
        }
        return bytes
    }
}

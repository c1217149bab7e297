import CLibCrypto

/// scrypt (RFC 7914): a key from a passphrase, at a price in memory and time.
///
/// N = 2^17, r = 8 takes 440 ms and 128 MiB (measured). Callers run it one at a time and off the event loops.
public enum Scrypt {
    /// The largest N accepted here: 1 GiB at r = 8.
    public static let largestN: UInt64 = 1 << 20

    public static func derive(
        passphrase: UnsafeRawBufferPointer, salt: UnsafeRawBufferPointer, n: UInt64, r: UInt32, p: UInt32,
        count: Int
    ) throws(CipherFailure) -> SecretBytes {
        guard n > 1, n <= largestN, n.nonzeroBitCount == 1 else {
            throw .parameter("scrypt N is a power of two up to 2^20")
        }
        guard r > 0, r <= 32, p > 0, p <= 16 else { throw .parameter("scrypt r is 1 to 32 and p 1 to 16") }
        // RFC 7914 section 5: V takes 128·r·N bytes, B takes 128·r·p; libcrypto's own ceiling (32 MiB) refuses
        // N = 2^17, so the ceiling is raised to what these parameters need and a little for its scratch space.
        let memory = 128 * UInt64(r) * (n + UInt64(p) + 4)
        return try SecretBytes(count: count) { (out) throws(CipherFailure) in
            let done = gh_scrypt(
                Algorithms.fetched.scrypt, passphrase.baseAddress, passphrase.count, salt.baseAddress,
                salt.count,
                n, r, p, memory, out.baseAddress, out.count)
            guard done == 1 else { throw .library("scrypt") }
        }
    }
}

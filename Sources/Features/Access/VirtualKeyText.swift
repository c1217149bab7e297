public import Cipher

/// The text of a virtual key: `gth_`, 43 random characters of `0-9A-Za-z` (256 bits) and a checksum of 6.
///
/// The checksum is CRC-32/ISO-HDLC over `gth_` and the 43 characters, as a big-endian base-62 number padded with
/// zeros, so that scanners and typing errors are caught without asking anyone. The text is opaque ASCII: what is
/// stored is an HMAC of the SHA-256 over all 53 bytes.
public enum VirtualKeyText {
    public static let byteCount = prefix.count + randomCount + checksumCount
    static let prefix = Array("gth_".utf8)
    /// 62^43 > 2^256.
    static let randomCount = 43
    /// 62^6 > 2^32.
    static let checksumCount = 6
    static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// A new key; the caller shows it once and keeps only its hash.
    public static func make() throws(CipherFailure) -> [UInt8] {
        var body = prefix
        body.reserveCapacity(byteCount)
        while body.count < prefix.count + randomCount {
            let draw = try RandomBytes.secret(count: 64)
            draw.withBytes { bytes in
                // 248 is the largest multiple of 62 in a byte: above it the first letters would come too often.
                for byte in bytes where byte < 248 && body.count < prefix.count + randomCount {
                    body.append(alphabet[Int(byte % 62)])
                }
            }
        }
        return body + checksum(of: body.withUnsafeBytes { CRC32.checksum($0) })
    }

    /// Whether the bytes have the form of a virtual key, checksum included.
    public static func isWellFormed(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count == byteCount, bytes.starts(with: prefix) else { return false }
        let bodyEnd = byteCount - checksumCount
        for index in prefix.count..<bodyEnd where !isBase62(bytes[index]) { return false }
        let alphabet = alphabet
        // The checksum's own characters are compared with those of the alphabet.
        var rest = CRC32.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<bodyEnd]))
        for index in (bodyEnd..<byteCount).reversed() {
            guard bytes[index] == alphabet[Int(rest % 62)] else { return false }
            rest /= 62
        }
        return true
    }

    private static func checksum(of crc: UInt32) -> [UInt8] {
        var rest = crc
        var digits = [UInt8](repeating: 0, count: checksumCount)
        for index in digits.indices.reversed() {
            digits[index] = alphabet[Int(rest % 62)]
            rest /= 62
        }
        return digits
    }

    @inline(__always)
    private static func isBase62(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10 || (byte | 0x20) &- UInt8(ascii: "a") < 26
    }
}

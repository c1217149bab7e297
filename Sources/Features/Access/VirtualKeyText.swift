import Cipher

/// The text of a virtual key: `gth_`, 43 random characters, 6 characters of checksum.
///
/// The characters are `0-9A-Za-z`; 43 of them carry 256 bits. The checksum is CRC-32/ISO-HDLC over everything before
/// it, written as a big-endian number in the same alphabet, padded to 6: scanners find leaked keys and typing errors
/// are caught without asking anyone.
package enum VirtualKeyText {
    private static let prefix = Array("gth_".utf8)
    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    private static let randomCount = 43
    private static let checkCount = 6
    package static let count = 4 + randomCount + checkCount

    /// A new key's bytes; the caller shows them once and wipes them.
    package static func make() throws -> [UInt8] {
        var text = prefix
        while text.count < prefix.count + randomCount {
            var random = try RandomBytes.make(64)
            // 248 is the largest multiple of 62 below 256: what lies above would favour some characters.
            for byte in random where byte < 248 && text.count < prefix.count + randomCount {
                text.append(alphabet[Int(byte % 62)])
            }
            wipe(&random)
        }
        return text + check(of: text)
    }

    /// Length, prefix, alphabet and checksum.
    package static func isWellFormed(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count == count, bytes.starts(with: prefix) else { return false }
        guard bytes.dropFirst(prefix.count).allSatisfy(isInAlphabet) else { return false }
        return check(of: bytes.dropLast(checkCount)).elementsEqual(bytes.suffix(checkCount))
    }

    private static func isInAlphabet(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }

    private static func check(of bytes: some Sequence<UInt8>) -> [UInt8] {
        var number = CRC32.of(bytes)
        var digits: [UInt8] = []
        for _ in 0..<checkCount {
            digits.append(alphabet[Int(number % 62)])
            number /= 62
        }
        return digits.reversed()
    }
}

/// CRC-32/ISO-HDLC (ITU-T V.42): polynomial 0x04C11DB7 reflected, start and end inverted; "123456789" gives cbf43926.
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
    }

    static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(0xffff_ffff) { crc, byte in table[Int((crc ^ UInt32(byte)) & 0xff)] ^ crc >> 8 }
    }
}

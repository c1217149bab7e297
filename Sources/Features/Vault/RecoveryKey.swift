public import Cipher

/// A key for the day when nothing else opens the vault: 256 bits that are written on paper.
///
/// Four groups of 14 characters of Crockford's base32 (digits and letters without I, L, O and U; those are read as
/// 1, 1, 0 and refused). A group is 64 bits of the key, then a CRC of 6 bits over them that begins with the group's
/// number: each wrong character, and two groups that changed places, are found and named before the vault is tried.
public enum RecoveryKey {
    public static let byteCount = 32
    public static let groups = 4
    private static let charactersPerGroup = 14
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// Why a text is no recovery key.
    public enum Fault: Error, Equatable, Sendable, CustomStringConvertible {
        case length(Int)
        case character
        /// Counted from 1.
        case group(Int)

        public var description: String {
            switch self {
            case .length(let count):
                "a recovery key has \(RecoveryKey.groups) groups of \(RecoveryKey.charactersPerGroup) characters; got \(count) characters"
            case .character: "a recovery key has digits and letters only, and no U"
            case .group(let number): "group \(number) of the recovery key has a typing error"
            }
        }
    }

    /// Writes a key as text, groups parted by blanks, into locked memory.
    public static func text(of key: borrowing SecretBytes) throws(CipherFailure) -> SecretBytes {
        guard key.count == byteCount else { throw .parameter("a recovery key has 32 bytes") }
        return try key.withBytes { (key) throws(CipherFailure) in
            try SecretBytes(count: groups * (charactersPerGroup + 1) - 1) { buffer in
                var place = 0
                for group in 0..<groups {
                    if group > 0 {
                        buffer[place] = UInt8(ascii: " ")
                        place += 1
                    }
                    let word = (0..<8).reduce(UInt64(0)) { $0 << 8 | UInt64(key[group * 8 + $1]) }
                    var bits = UInt128(word) << 6 | UInt128(check(word, group))
                    for character in (0..<charactersPerGroup).reversed() {
                        buffer[place + character] = alphabet[Int(bits & 31)]
                        bits >>= 5
                    }
                    place += charactersPerGroup
                }
            }
        }
    }

    /// Reads a key that someone typed: blanks, dashes and case do not matter.
    public static func parse(_ text: borrowing SecretBytes) throws -> SecretBytes {
        try text.withBytes { try parse($0) }
    }

    private static func parse(_ text: UnsafeRawBufferPointer) throws -> SecretBytes {
        let count = text.count { !isSpace($0) }
        guard count == groups * charactersPerGroup else { throw Fault.length(count) }
        var words: [UInt64] = []
        defer { for index in words.indices { words[index] = 0 } }
        var bits: UInt128 = 0
        var taken = 0
        for byte in text where !isSpace(byte) {
            guard let value = value(of: byte) else { throw Fault.character }
            bits = bits << 5 | UInt128(value)
            taken += 1
            guard taken == charactersPerGroup else { continue }
            let word = UInt64(truncatingIfNeeded: bits >> 6)
            guard check(word, words.count) == UInt8(truncatingIfNeeded: bits & 63) else {
                throw Fault.group(words.count + 1)
            }
            words.append(word)
            bits = 0
            taken = 0
        }
        return try SecretBytes(count: byteCount) { buffer in
            for (index, word) in words.enumerated() {
                for byte in 0..<8 {
                    buffer[index * 8 + byte] = UInt8(truncatingIfNeeded: word >> (56 - 8 * byte))
                }
            }
        }
    }

    /// CRC-6 with x^6 + x + 1 (ITU-T G.704): finds every error within six neighbouring bits, so each character.
    private static func check(_ word: UInt64, _ group: Int) -> UInt8 {
        var code = UInt8(truncatingIfNeeded: group + 1)
        for bit in (0..<64).reversed() {
            let top = (code >> 5) ^ UInt8(truncatingIfNeeded: word >> bit & 1)
            code = code << 1 & 0x3f
            if top & 1 == 1 { code ^= 0x03 }
        }
        return code
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "-") || (0x09...0x0d).contains(byte)
    }

    private static func value(of byte: UInt8) -> UInt8? {
        let upper = (0x61...0x7a).contains(byte) ? byte - 0x20 : byte
        switch upper {
        case UInt8(ascii: "O"): return 0
        case UInt8(ascii: "I"), UInt8(ascii: "L"): return 1
        default: return alphabet.firstIndex(of: upper).map { UInt8($0) }
        }
    }
}

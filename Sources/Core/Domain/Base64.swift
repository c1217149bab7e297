/// The standard Base 64 encoding, with padding (RFC 4648 section 4).
public enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    public static func text(of bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 {
                out.append(
                    place <= group.count ? alphabet[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// nil for anything but the one way to write some bytes.
    public static func bytes(of text: some StringProtocol) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count.isMultiple(of: 4) else { return nil }
        var out: [UInt8] = []
        for start in stride(from: 0, to: characters.count, by: 4) {
            var bits = 0
            var padding = 0
            for character in characters[start..<(start + 4)] {
                let value = alphabet.firstIndex(of: character)
                if value == nil, character != UInt8(ascii: "=") { return nil }
                if value != nil, padding > 0 { return nil }
                if value == nil { padding += 1 }
                bits = bits << 6 | (value ?? 0)
            }
            guard padding <= 2 else { return nil }
            out += [UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255)].prefix(3 - padding)
        }
        return Self.text(of: out).utf8.elementsEqual(characters) ? out : nil
    }
}

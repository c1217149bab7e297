/// What programs make of a text on its way into a file, a log or a message.
package enum SecretForm: String, CaseIterable, Sendable {
    case plain
    case base64 = "base64"
    case base64URL = "base64, URL-safe"
    case hexadecimal = "hexadecimal"
    case hexadecimalUpper = "hexadecimal, capitals"
    case percent = "percent-encoded"
    case percentLower = "percent-encoded, small"
    case json = "JSON escapes"
    case jsonUpper = "JSON escapes, capitals"
    case utf16 = "UTF-16"
    case decimal = "list of numbers"

    private static let standard = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let urlSafe = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    private static let small = Array("0123456789abcdef".utf8)
    private static let capital = Array("0123456789ABCDEF".utf8)

    /// The bytes that a part of a secret leaves in this form, wherever in the whole it stands: in Base64 at each of
    /// the three places that its first byte can have.
    package func patterns(of window: ArraySlice<UInt8>) -> [[UInt8]] {
        switch self {
        case .plain: return [Array(window)]
        case .base64: return (0..<3).map { Self.base64(window, after: $0, Self.standard) }
        case .base64URL: return (0..<3).map { Self.base64(window, after: $0, Self.urlSafe) }
        case .hexadecimal: return [Self.hexadecimal(window, before: [], Self.small)]
        case .hexadecimalUpper: return [Self.hexadecimal(window, before: [], Self.capital)]
        case .percent: return [Self.hexadecimal(window, before: Array("%".utf8), Self.capital)]
        case .percentLower: return [Self.hexadecimal(window, before: Array("%".utf8), Self.small)]
        case .json: return [Self.hexadecimal(window, before: Array("\\u00".utf8), Self.small)]
        case .jsonUpper: return [Self.hexadecimal(window, before: Array("\\u00".utf8), Self.capital)]
        case .utf16: return [window.flatMap { [$0, 0] }]
        case .decimal: return [Array(window.map { "\($0)" }.joined(separator: ",").utf8)]
        }
    }

    private static func hexadecimal(
        _ window: ArraySlice<UInt8>, before: [UInt8], _ digits: [UInt8]
    ) -> [UInt8] {
        window.flatMap { before + [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }

    /// The characters that depend on nothing but these bytes, when so many others stand before them.
    private static func base64(
        _ window: ArraySlice<UInt8>, after: Int, _ alphabet: [UInt8]
    ) -> [UInt8] {
        let bytes = [UInt8](repeating: 0, count: after) + window
        let (first, last) = ((8 * after + 5) / 6, 8 * bytes.count / 6)
        return (first..<last).map { place in
            var value = 0
            for bit in (6 * place)..<(6 * place + 6) {
                value = value << 1 | Int(bytes[bit / 8] >> UInt8(7 - bit % 8)) & 1
            }
            return alphabet[value]
        }
    }
}

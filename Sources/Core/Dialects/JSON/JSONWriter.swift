/// Writes JSON text into bytes: the one place where strings are escaped.
///
/// Control characters (U+0000 to U+001F, U+007F to U+009F) never go out raw, so that an answer can be shown on a
/// terminal or put on one line of a stream.
public struct JSONWriter {
    public private(set) var bytes: [UInt8] = []

    public init(capacity: Int = 256) {
        bytes.reserveCapacity(capacity)
    }

    /// Appends JSON that is right as it stands.
    public mutating func raw(_ json: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: json.utf8Start, count: json.utf8CodeUnitCount))
    }

    /// Appends JSON that was read and checked before, such as a number in its own spelling.
    mutating func raw(verbatim json: String) { bytes.append(contentsOf: json.utf8) }

    public mutating func number(_ value: Int64) {
        bytes.append(contentsOf: Array(String(value).utf8))
    }

    /// A string in quotes, or `null`.
    public mutating func text(_ text: String?) {
        guard let text else { return raw("null") }
        bytes.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars { append(scalar) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// A string in quotes from bytes of unknown origin; what is not UTF-8 becomes U+FFFD.
    public mutating func text(lossy text: UnsafeRawBufferPointer) {
        self.text(String(decoding: text, as: UTF8.self))
    }

    private mutating func append(_ scalar: UnicodeScalar) {
        switch scalar.value {
        case 0x22: raw("\\\"")
        case 0x5c: raw("\\\\")
        case 0x0a: raw("\\n")
        case 0x0d: raw("\\r")
        case 0x09: raw("\\t")
        case 0..<0x20, 0x7f...0x9f:
            let digits = String(scalar.value, radix: 16)
            bytes.append(contentsOf: Array("\\u".utf8))
            bytes.append(contentsOf: Array(String(repeating: "0", count: 4 - digits.utf8.count).utf8))
            bytes.append(contentsOf: Array(digits.utf8))
        case ..<0x80: bytes.append(UInt8(truncatingIfNeeded: scalar.value))
        default: bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }
}

/// A 128-bit opaque id of one kind of thing; two kinds cannot be mixed up.
///
/// Text form: 32 lower-case hexadecimal digits with dashes in the places of RFC 9562 section 4.
public struct Identifier<Kind>: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let high: UInt64
    public let low: UInt64

    @inlinable public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    // Written out to be inlinable: ids are keys of tables that every call looks into.
    @inlinable public static func == (left: Self, right: Self) -> Bool {
        left.high == right.high && left.low == right.low
    }

    // One word of the two: ids are ours and random, nobody chooses them.
    @inlinable public func hash(into hasher: inout Hasher) { hasher.combine(high ^ low) }

    /// A random id (RFC 9562 version 4), from the given source of randomness.
    public static func random(using generator: inout some RandomNumberGenerator) -> Self {
        let high = (generator.next() & 0xffff_ffff_ffff_0fff) | 0x4000
        let low = (generator.next() & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000
        return Self(high: high, low: low)
    }

    /// A random id from the system's generator.
    public static func random() -> Self {
        let high = UInt64.random(in: .min ... .max) & 0xffff_ffff_ffff_0fff | 0x4000
        let low = UInt64.random(in: .min ... .max) & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
        return Self(high: high, low: low)
    }

    /// An id that begins with the time (RFC 9562 version 7), so that rows of ids made one after the other lie side
    /// by side in an index.
    public static func ordered(at time: WallTime, using generator: inout some RandomNumberGenerator) -> Self {
        let moment = UInt64(clamping: time.milliseconds) & 0xffff_ffff_ffff
        let high = moment << 16 | 0x7000 | (generator.next() & 0x0fff)
        let low = (generator.next() & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000
        return Self(high: high, low: low)
    }

    /// Reads the text form, dashes optional; nil for anything else.
    public init?(_ text: some StringProtocol) {
        var words: (UInt64, UInt64) = (0, 0)
        var digits = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: "-") { continue }
            guard digits < 32, let value = hexadecimalValue(of: byte) else { return nil }
            if digits < 16 {
                words.0 = words.0 << 4 | UInt64(value)
            } else {
                words.1 = words.1 << 4 | UInt64(value)
            }
            digits += 1
        }
        guard digits == 32 else { return nil }
        self.init(high: words.0, low: words.1)
    }

    /// Reads 16 big-endian bytes; nil for any other length.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for (index, byte) in bytes.enumerated() {
            if index < 8 {
                words.0 = words.0 << 8 | UInt64(byte)
            } else {
                words.1 = words.1 << 8 | UInt64(byte)
            }
        }
        self.init(high: words.0, low: words.1)
    }

    /// The 16 bytes, big-endian.
    public var bytes: [UInt8] {
        (0..<16).map { index in
            let word = index < 8 ? high : low
            return UInt8(truncatingIfNeeded: word >> UInt64(8 * (7 - index % 8)))
        }
    }

    public var text: String {
        String(unsafeUninitializedCapacity: Self.textLength) { out in
            writeText(to: out)
            return Self.textLength
        }
    }

    /// Bytes of the text form.
    public static var textLength: Int { 36 }

    /// Writes the text form into room for at least ``textLength`` bytes.
    public func writeText(to out: UnsafeMutableBufferPointer<UInt8>) {
        Self.write(high >> 32, digits: 8, to: out, at: 0)
        out[8] = UInt8(ascii: "-")
        Self.write(high >> 16, digits: 4, to: out, at: 9)
        out[13] = UInt8(ascii: "-")
        Self.write(high, digits: 4, to: out, at: 14)
        out[18] = UInt8(ascii: "-")
        Self.write(low >> 48, digits: 4, to: out, at: 19)
        out[23] = UInt8(ascii: "-")
        Self.write(low, digits: 12, to: out, at: 24)
    }

    /// Writes the last so many digits of a word.
    @inline(__always)
    private static func write(
        _ word: UInt64, digits: Int, to out: UnsafeMutableBufferPointer<UInt8>, at start: Int
    ) {
        for digit in 0..<digits {
            let value = UInt8(truncatingIfNeeded: word &>> UInt64(4 &* (digits &- 1 &- digit)))
            out[start &+ digit] = hexadecimalDigit(of: value)
        }
    }

    /// The first eight digits: enough to tell ids apart on a screen, not to address one.
    public var short: String { String(text.prefix(8)) }

    public var description: String { text }

    public static func < (left: Self, right: Self) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

extension Identifier: Codable {
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let value = Self(text) else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "not an id: 32 hexadecimal digits expected"))
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// Marks ids of tenants.
public enum TenantKind {}
/// Marks ids of virtual keys.
public enum VirtualKeyKind {}
/// Marks ids of provider keys.
public enum ProviderKeyKind {}
/// Marks ids of calls.
public enum CallKind {}
/// Marks ids of vaults.
public enum VaultKind {}
/// Marks ids of audit records.
public enum AuditKind {}

public typealias TenantID = Identifier<TenantKind>
public typealias VirtualKeyID = Identifier<VirtualKeyKind>
public typealias ProviderKeyID = Identifier<ProviderKeyKind>
public typealias CallID = Identifier<CallKind>
public typealias VaultID = Identifier<VaultKind>
public typealias AuditID = Identifier<AuditKind>

/// The value of one ASCII hexadecimal digit, either case.
public func hexadecimalValue(of byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

/// The lower-case hexadecimal digit of a value below 16.
@inline(__always)
private func hexadecimalDigit(of value: UInt8) -> UInt8 {
    let digits: StaticString = "0123456789abcdef"
    return digits.utf8Start[Int(value & 15)]
}

/// Two lower-case hexadecimal digits of a byte.
public func hexadecimalText(of byte: UInt8) -> String {
    String(unsafeUninitializedCapacity: 2) { out in
        out[0] = hexadecimalDigit(of: byte >> 4)
        out[1] = hexadecimalDigit(of: byte & 15)
        return 2
    }
}

/// Lower-case hexadecimal digits of some bytes.
public func hexadecimalText(of bytes: some Sequence<UInt8>) -> String {
    bytes.reduce(into: "") { $0 += hexadecimalText(of: $1) }
}

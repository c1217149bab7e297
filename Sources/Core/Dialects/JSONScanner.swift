/// Walks JSON text (RFC 8259) in place: the one reader of bodies on the fast path.
///
/// It copies nothing and accepts only the grammar; what it refuses carries the byte offset. Objects whose members
/// matter are walked with `members`, which refuses a member that stands twice, because readers disagree on which of
/// the two counts.
package struct JSONScanner {
    /// Why a text is not JSON that we accept.
    package struct Fault: Error, Equatable {
        package let offset: Int
        package let what: String
    }

    /// A value's place in the text and the kind of its first byte.
    package struct Value: Equatable, Sendable {
        package enum Kind: Sendable { case object, array, string, number, bool, null }
        package let kind: Kind
        package let range: Range<Int>
    }

    /// Deeper nesting than any provider's schema needs; bounds the recursion.
    package static let depthMost = 128

    let bytes: UnsafeRawBufferPointer
    private(set) var offset = 0

    package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    // MARK: Whole texts

    /// Walks the whole text, which must be one object, and hands each member to `body`.
    package static func members(
        of bytes: UnsafeRawBufferPointer, _ body: (_ key: Range<Int>, _ escaped: Bool, _ value: Value) throws(Fault) -> Void
    ) throws(Fault) {
        var scanner = JSONScanner(bytes)
        scanner.skipBlanks()
        guard scanner.peek == UInt8(ascii: "{") else { throw scanner.fault("an object is expected") }
        try scanner.object(depth: 0, body)
        scanner.skipBlanks()
        guard scanner.offset == bytes.count else { throw scanner.fault("something stands after the end") }
    }

    /// Whether the whole text is one JSON value.
    package static func validate(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
        var scanner = JSONScanner(bytes)
        scanner.skipBlanks()
        _ = try scanner.value(depth: 0)
        scanner.skipBlanks()
        guard scanner.offset == bytes.count else { throw scanner.fault("something stands after the end") }
    }

    /// Walks one object inside a text.
    package static func members(
        of value: Value, in bytes: UnsafeRawBufferPointer,
        _ body: (_ key: Range<Int>, _ escaped: Bool, _ value: Value) throws(Fault) -> Void
    ) throws(Fault) {
        var scanner = JSONScanner(bytes)
        scanner.offset = value.range.lowerBound
        try scanner.object(depth: 1, body)
    }

    // MARK: Grammar

    private var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private func fault(_ what: String) -> Fault { Fault(offset: offset, what: what) }

    private mutating func skipBlanks() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0a, 0x0d: offset += 1
            default: return
            }
        }
    }

    private mutating func object(
        depth: Int, _ body: (_ key: Range<Int>, _ escaped: Bool, _ value: Value) throws(Fault) -> Void
    ) throws(Fault) {
        offset += 1
        skipBlanks()
        if peek == UInt8(ascii: "}") {
            offset += 1
            return
        }
        while true {
            guard peek == UInt8(ascii: "\"") else { throw fault("a member's name is expected") }
            let start = offset + 1
            let escaped = try string()
            let key = start..<(offset - 1)
            skipBlanks()
            guard peek == UInt8(ascii: ":") else { throw fault("a colon is expected") }
            offset += 1
            skipBlanks()
            try body(key, escaped, try value(depth: depth + 1))
            skipBlanks()
            switch peek {
            case UInt8(ascii: ","):
                offset += 1
                skipBlanks()
            case UInt8(ascii: "}"):
                offset += 1
                return
            default: throw fault("a comma or the object's end is expected")
            }
        }
    }

    private mutating func array(depth: Int) throws(Fault) {
        offset += 1
        skipBlanks()
        if peek == UInt8(ascii: "]") {
            offset += 1
            return
        }
        while true {
            _ = try value(depth: depth + 1)
            skipBlanks()
            switch peek {
            case UInt8(ascii: ","):
                offset += 1
                skipBlanks()
            case UInt8(ascii: "]"):
                offset += 1
                return
            default: throw fault("a comma or the array's end is expected")
            }
        }
    }

    private mutating func value(depth: Int) throws(Fault) -> Value {
        guard depth <= Self.depthMost else { throw fault("nested deeper than \(Self.depthMost) levels") }
        let start = offset
        let kind: Value.Kind
        switch peek {
        case UInt8(ascii: "{"):
            try object(depth: depth) { (_, _, _) throws(Fault) in }
            kind = .object
        case UInt8(ascii: "["):
            try array(depth: depth)
            kind = .array
        case UInt8(ascii: "\""):
            _ = try string()
            kind = .string
        case UInt8(ascii: "t"):
            try word("true")
            kind = .bool
        case UInt8(ascii: "f"):
            try word("false")
            kind = .bool
        case UInt8(ascii: "n"):
            try word("null")
            kind = .null
        default:
            try number()
            kind = .number
        }
        return Value(kind: kind, range: start..<offset)
    }

    private mutating func word(_ text: StaticString) throws(Fault) {
        guard bytes.count - offset >= text.utf8CodeUnitCount else { throw fault("a value is expected") }
        for index in 0..<text.utf8CodeUnitCount where bytes[offset + index] != text.utf8Start[index] {
            throw fault("a value is expected")
        }
        offset += text.utf8CodeUnitCount
    }

    private mutating func number() throws(Fault) {
        if peek == UInt8(ascii: "-") { offset += 1 }
        guard let first = peek, isDigit(first) else { throw fault("a value is expected") }
        offset += 1
        if first != UInt8(ascii: "0") { skipDigits() }
        if peek == UInt8(ascii: ".") {
            offset += 1
            try digits()
        }
        if let byte = peek, byte | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if let sign = peek, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { offset += 1 }
            try digits()
        }
    }

    private mutating func digits() throws(Fault) {
        guard let byte = peek, isDigit(byte) else { throw fault("a digit is expected") }
        skipDigits()
    }

    private mutating func skipDigits() { while let byte = peek, isDigit(byte) { offset += 1 } }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// Passes a string; true when it holds an escape. UTF-8 (RFC 3629) is checked.
    private mutating func string() throws(Fault) -> Bool {
        offset += 1
        var escaped = false
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") {
                offset += 1
                return escaped
            }
            if byte == UInt8(ascii: "\\") {
                escaped = true
                try escape()
            } else if byte < 0x20 {
                throw fault("a control character stands in a string")
            } else if byte < 0x80 {
                offset += 1
            } else {
                try multibyte(byte)
            }
        }
        throw fault("a string does not end")
    }

    private mutating func escape() throws(Fault) {
        guard offset + 1 < bytes.count else { throw fault("a string does not end") }
        switch bytes[offset + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            offset += 2
        case UInt8(ascii: "u"):
            guard offset + 6 <= bytes.count else { throw fault("an escape is cut short") }
            for index in 2..<6 where hexadecimal(bytes[offset + index]) == nil { throw fault("an escape is not hexadecimal") }
            offset += 6
        default: throw fault("an unknown escape")
        }
    }

    private mutating func multibyte(_ first: UInt8) throws(Fault) {
        let length: Int
        let second: ClosedRange<UInt8>
        switch first {
        case 0xc2...0xdf: (length, second) = (2, 0x80...0xbf)
        case 0xe0: (length, second) = (3, 0xa0...0xbf)
        case 0xed: (length, second) = (3, 0x80...0x9f)
        case 0xe1...0xef: (length, second) = (3, 0x80...0xbf)
        case 0xf0: (length, second) = (4, 0x90...0xbf)
        case 0xf1...0xf3: (length, second) = (4, 0x80...0xbf)
        case 0xf4: (length, second) = (4, 0x80...0x8f)
        default: throw fault("a string is not UTF-8")
        }
        guard offset + length <= bytes.count, second.contains(bytes[offset + 1]) else {
            throw fault("a string is not UTF-8")
        }
        for index in 2..<max(2, length) where bytes[offset + index] & 0xc0 != 0x80 { throw fault("a string is not UTF-8") }
        offset += length
    }

    private func hexadecimal(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x30...0x39: UInt32(byte - 0x30)
        case 0x41...0x46: UInt32(byte - 0x41 + 10)
        case 0x61...0x66: UInt32(byte - 0x61 + 10)
        default: nil
        }
    }

    // MARK: Decoding

    /// The text of a string value (its range includes the quotes); nil where an escape makes a lone surrogate.
    package static func text(of value: Value, in bytes: UnsafeRawBufferPointer) -> String? {
        guard value.kind == .string else { return nil }
        return text(of: (value.range.lowerBound + 1)..<(value.range.upperBound - 1), in: bytes)
    }

    /// The text between two quotes, which `members` has already checked.
    package static func text(of range: Range<Int>, in bytes: UnsafeRawBufferPointer) -> String? {
        let raw = UnsafeRawBufferPointer(rebasing: bytes[range])
        guard raw.contains(UInt8(ascii: "\\")) else { return String(decoding: raw, as: UTF8.self) }
        var scalars = String.UnicodeScalarView()
        var scanner = JSONScanner(raw)
        while scanner.offset < raw.count {
            guard raw[scanner.offset] == UInt8(ascii: "\\") else {
                let start = scanner.offset
                while scanner.offset < raw.count, raw[scanner.offset] != UInt8(ascii: "\\") { scanner.offset += 1 }
                scalars.append(contentsOf: String(decoding: raw[start..<scanner.offset], as: UTF8.self).unicodeScalars)
                continue
            }
            guard let scalar = scanner.unescape() else { return nil }
            scalars.append(scalar)
        }
        return String(scalars)
    }

    private mutating func unescape() -> Unicode.Scalar? {
        let letter = bytes[offset + 1]
        guard letter == UInt8(ascii: "u") else {
            offset += 2
            let plain: [UInt8: UInt8] = [0x62: 0x08, 0x66: 0x0c, 0x6e: 0x0a, 0x72: 0x0d, 0x74: 0x09]
            return Unicode.Scalar(plain[letter] ?? letter)
        }
        let high = unit()
        guard (0xd800..<0xdc00).contains(high) else { return Unicode.Scalar(high) }
        guard offset + 6 <= bytes.count, bytes[offset] == UInt8(ascii: "\\"), bytes[offset + 1] == UInt8(ascii: "u")
        else { return nil }
        let low = unit()
        guard (0xdc00..<0xe000).contains(low) else { return nil }
        return Unicode.Scalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00))
    }

    private mutating func unit() -> UInt32 {
        var value: UInt32 = 0
        for index in 2..<6 { value = value << 4 | (hexadecimal(bytes[offset + index]) ?? 0) }
        offset += 6
        return value
    }

    /// A whole number that fits `Int64`; nil for anything else.
    package static func integer(of value: Value, in bytes: UnsafeRawBufferPointer) -> Int64? {
        guard value.kind == .number else { return nil }
        var number: Int64 = 0
        var negative = false
        for (index, byte) in bytes[value.range].enumerated() {
            if index == 0, byte == UInt8(ascii: "-") {
                negative = true
                continue
            }
            guard byte &- 0x30 < 10 else { return nil }
            let (product, first) = number.multipliedReportingOverflow(by: 10)
            let (sum, second) = product.addingReportingOverflow(Int64(byte - 0x30))
            guard !first, !second else { return nil }
            number = sum
        }
        return negative ? -number : number
    }
}

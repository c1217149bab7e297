import Glibc

/// Reads JSON where it lies: a cursor over lent bytes that checks RFC 8259 and decodes only what it is asked for.
///
/// Everything it passes is checked: grammar, UTF-8 in every string, a nesting of at most ``depthMost``. It builds no
/// tree and allocates nothing but the texts asked for. It does not look for repeated members by itself;
/// ``MemberNames`` does, at the levels a decision relies on.
///
/// Why a reader of our own: the two decoders of Foundation take different ones of two members of the same name, and
/// both may differ from what the provider takes; the gateway must refuse such a body rather than guess.
public struct JSONScanner {
    /// The deepest nesting accepted; RFC 8259 section 9 leaves the number to the reader. Bodies of the providers'
    /// documentation, tool schemas included, stay below 40.
    public static var depthMost: Int { 128 }

    // Not the buffer itself: each look at its count would ask again whether there is a buffer.
    let base: UnsafeRawPointer
    let count: Int
    /// The offset of the next byte to read.
    public internal(set) var position = 0
    var depth = 0
    /// Whether the container just entered has shown no entry yet.
    var isFresh = false

    public init(_ bytes: UnsafeRawBufferPointer) {
        let nothing: StaticString = ""
        base = bytes.baseAddress ?? UnsafeRawPointer(nothing.utf8Start)
        count = bytes.count
    }

    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// The byte in a place below ``count``.
    @inline(__always)
    func byte(at place: Int) -> UInt8 {
        assert(place >= 0 && place < count)
        return base.load(fromByteOffset: place, as: UInt8.self)
    }

    /// Checks that the bytes are one JSON value with nothing but blanks around it.
    public static func validate(_ bytes: UnsafeRawBufferPointer) throws(JSONFault) {
        var scanner = JSONScanner(bytes)
        try scanner.skipValue()
        try scanner.finish()
    }

    /// Checks that nothing but blanks follows.
    public mutating func finish() throws(JSONFault) {
        skipBlanks()
        guard position == count else {
            throw JSONFault("there are bytes after the value", at: position)
        }
    }

    /// The first byte of the next value, which stays unread; nil at the end.
    @inline(__always)
    public mutating func peek() -> UInt8? {
        guard position < count else { return nil }
        let byte = byte(at: position)
        return byte > 0x20 ? byte : peekBehindBlanks()
    }

    // Apart, so that the bodies without blanks, which most are, pass by in a few instructions.
    @inline(never)
    private mutating func peekBehindBlanks() -> UInt8? {
        skipBlanks()
        return position < count ? byte(at: position) : nil
    }

    // MARK: Containers

    /// Reads `{`; then ``nextMember()`` until it answers nil.
    public mutating func enterObject() throws(JSONFault) {
        guard peek() == UInt8(ascii: "{") else { throw JSONFault("an object is expected", at: position) }
        try enter()
    }

    /// Reads `[`; then ``nextElement()`` until it answers false.
    public mutating func enterArray() throws(JSONFault) {
        guard peek() == UInt8(ascii: "[") else { throw JSONFault("an array is expected", at: position) }
        try enter()
    }

    /// Reads the next member's name and its colon; nil once the object's `}` is read. The caller reads the value.
    public mutating func nextMember() throws(JSONFault) -> MemberName? {
        guard try nextEntry(closing: UInt8(ascii: "}")) else { return nil }
        guard peek() == UInt8(ascii: "\"") else {
            throw JSONFault("a member name in quotes is expected", at: position)
        }
        let start = position &+ 1
        try skipString()
        let name = MemberName(base, from: start, to: position &- 1)
        guard peek() == UInt8(ascii: ":") else { throw JSONFault("':' is expected", at: position) }
        position += 1
        return name
    }

    /// Steps to the next element; false once the array's `]` is read. The caller reads the value.
    public mutating func nextElement() throws(JSONFault) -> Bool {
        try nextEntry(closing: UInt8(ascii: "]"))
    }

    private mutating func enter() throws(JSONFault) {
        guard depth < Self.depthMost else {
            throw JSONFault("it is nested deeper than \(Self.depthMost) levels", at: position)
        }
        depth += 1
        position += 1
        isFresh = true
    }

    @inline(__always)
    private mutating func nextEntry(closing: UInt8) throws(JSONFault) -> Bool {
        let first = isFresh
        isFresh = false
        guard let byte = peek() else { throw JSONFault("it ends inside an object or an array", at: position) }
        if byte == closing {
            position += 1
            depth -= 1
            return false
        }
        if first { return true }
        guard byte == UInt8(ascii: ",") else {
            throw JSONFault("',' or '\(Character(UnicodeScalar(closing)))' is expected", at: position)
        }
        position += 1
        return true
    }

    // MARK: Values

    /// Checks and passes one value of any kind.
    public mutating func skipValue() throws(JSONFault) {
        guard let byte = peek() else {
            throw JSONFault("a value is expected, but it ends here", at: position)
        }
        switch byte {
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "{"): try skipObject()
        case UInt8(ascii: "["): try skipArray()
        case UInt8(ascii: "t"): try skipWord("true")
        case UInt8(ascii: "f"): try skipWord("false")
        case UInt8(ascii: "n"): try skipWord("null")
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try skipNumber()
        default: throw JSONFault("a value is expected", at: position)
        }
    }

    private mutating func skipObject() throws(JSONFault) {
        try enter()
        while try nextEntry(closing: UInt8(ascii: "}")) {
            guard peek() == UInt8(ascii: "\"") else {
                throw JSONFault("a member name in quotes is expected", at: position)
            }
            try skipString()
            guard peek() == UInt8(ascii: ":") else { throw JSONFault("':' is expected", at: position) }
            position += 1
            try skipValue()
        }
    }

    private mutating func skipArray() throws(JSONFault) {
        try enter()
        while try nextEntry(closing: UInt8(ascii: "]")) { try skipValue() }
    }

    /// Reads `null` if it comes next.
    public mutating func takeNull() throws(JSONFault) -> Bool {
        guard peek() == UInt8(ascii: "n") else { return false }
        try skipWord("null")
        return true
    }

    /// Reads `true` or `false`; nil, and nothing read, for any other value.
    public mutating func takeBool() throws(JSONFault) -> Bool? {
        switch peek() {
        case UInt8(ascii: "t"):
            try skipWord("true")
            return true
        case UInt8(ascii: "f"):
            try skipWord("false")
            return false
        default: return nil
        }
    }

    /// A count of tokens, 2^32 at most: no call has as many, and sums of what a broken provider says must not
    /// overflow.
    public mutating func takeTokens() throws(JSONFault) -> Int64? {
        try takeCount().map { min($0, 1 << 32) }
    }

    /// Passes one value and reads it as a whole number from 0 to 2^63 - 1; nil if it is anything else.
    public mutating func takeCount() throws(JSONFault) -> Int64? {
        _ = peek()
        if let value = takeShortCount() { return value }
        let start = position
        try skipValue()
        var value: Int64 = 0
        for index in start..<position {
            let digit = byte(at: index) &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int64(digit))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    /// Reads a whole number of at most 18 digits, as nearly every count is, in one pass; nil, and nothing read, for
    /// whatever has to be looked at more closely.
    @inline(__always)
    private mutating func takeShortCount() -> Int64? {
        let end = min(count, position &+ 19)
        var index = position
        var value: Int64 = 0
        var next: UInt8 = 0
        while index < end {
            next = byte(at: index)
            guard next &- UInt8(ascii: "0") <= 9 else { break }
            value = value &* 10 &+ Int64(next &- UInt8(ascii: "0"))
            index &+= 1
        }
        // At the end there may be more digits; a zero before others is no number; these go on with a fraction.
        guard index > position, index < end,
            byte(at: position) != UInt8(ascii: "0") || index == position &+ 1,
            next != UInt8(ascii: "."), next | 0x20 != UInt8(ascii: "e")
        else { return nil }
        position = index
        return value
    }

    // Inlined with its word, the comparison is one instruction.
    @inline(__always)
    private mutating func skipWord(_ word: StaticString) throws(JSONFault) {
        let length = word.utf8CodeUnitCount
        guard count &- position >= length, bytesEqual(bytes, at: position, word) else {
            throw JSONFault("a value is expected", at: position)
        }
        position &+= length
    }

    mutating func skipBlanks() {
        while position < count {
            let byte = byte(at: position)
            if byte > 0x20 { return }
            guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return }
            position += 1
        }
    }
}

/// Whether some bytes are exactly those of an ASCII literal.
@inline(__always)
func bytesEqual(_ bytes: UnsafeRawBufferPointer, _ literal: StaticString) -> Bool {
    bytes.count == literal.utf8CodeUnitCount && bytesEqual(bytes, at: 0, literal)
}

/// Whether some bytes are exactly those of an ASCII literal.
@inline(__always)
func bytesEqual(_ bytes: Slice<UnsafeRawBufferPointer>, _ literal: StaticString) -> Bool {
    bytes.count == literal.utf8CodeUnitCount && bytesEqual(bytes.base, at: bytes.startIndex, literal)
}

/// Whether an ASCII literal stands in that place, where there must be room for it.
@inline(__always)
func bytesEqual(_ bytes: UnsafeRawBufferPointer, at start: Int, _ literal: StaticString) -> Bool {
    guard let base = bytes.baseAddress else { return false }
    // Inlined with its literal, this becomes a comparison or two of whole words.
    return memcmp(base + start, literal.utf8Start, literal.utf8CodeUnitCount) == 0
}

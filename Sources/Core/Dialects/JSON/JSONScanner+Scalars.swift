import Domain

// Strings and numbers. Most bytes of a call are prompt text, so plain ASCII text is passed eight bytes at a time.

extension JSONScanner {
    /// Checks and passes one string; `position` stands on its opening quote.
    @inline(__always)
    mutating func skipString() throws(JSONFault) {
        let end = Self.endOfPlainText(base, count, from: position &+ 1)
        guard end < count, byte(at: end) == UInt8(ascii: "\"") else { return try skipRest(from: end) }
        position = end &+ 1
    }

    /// Checks and passes a string from the first byte on that is not plain text; `position` stands on its opening
    /// quote.
    private mutating func skipRest(from start: Int) throws(JSONFault) {
        var index = start
        while true {
            guard index < count else {
                throw JSONFault("a string that begins here has no end", at: position)
            }
            switch byte(at: index) {
            case 0x80...:
                let end = Self.endOfMultibyteText(base, count, from: index)
                guard end > index else { throw JSONFault("the text is not UTF-8", at: index) }
                index = end
            case UInt8(ascii: "\\"): index = try Self.endOfEscape(bytes, at: index)
            case UInt8(ascii: "\""):
                position = index &+ 1
                return
            default: throw JSONFault("a control character in a string must be escaped", at: index)
            }
            index = Self.endOfPlainText(base, count, from: index)
        }
    }

    // The searches get what they need in registers: lent the scanner itself, each call would copy it.

    /// The first byte from `start` on that is a quote, a backslash, a control character or not ASCII.
    private static func endOfPlainText(_ base: UnsafeRawPointer, _ count: Int, from start: Int) -> Int {
        var index = start
        let lastWord = count &- 8
        while index <= lastWord {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let special = specialBytes(of: word)
            if special != 0 { return index &+ special.trailingZeroBitCount / 8 }
            index &+= 8
        }
        while index < count, isPlain(base.load(fromByteOffset: index, as: UInt8.self)) { index &+= 1 }
        return index
    }

    @inline(__always)
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x80 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// Of eight bytes, the top bits of those that are a quote, a backslash, a control character or not ASCII. Only the
    /// lowest that is set can be relied on: from a byte that is meant, a borrow may go up to others.
    @inline(__always)
    static func specialBytes(of word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        // With bit 1 turned over, the quote (0x22) is 0x20 and 0x20 is 0x22: what is below 0x21 then is a quote or a
        // control character, and the others of 0x20 to 0x23 stay above.
        let quotesAndControls = (word ^ (ones &* 0x02)) &- (ones &* 0x21)
        let backslashes = (word ^ (ones &* 0x5c)) &- ones
        return (quotesAndControls | backslashes | word) & (ones &* 0x80)
    }

    @inline(__always)
    private static func endOfEscape(_ bytes: UnsafeRawBufferPointer, at index: Int) throws(JSONFault) -> Int {
        guard index &+ 1 < bytes.count else { throw JSONFault("it ends inside an escape", at: index) }
        switch bytes[index &+ 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return index &+ 2
        case UInt8(ascii: "u"):
            guard hexadecimalEscape(bytes, at: index) != nil else {
                throw JSONFault("'\\u' needs four hexadecimal digits", at: index)
            }
            return index &+ 6
        default: throw JSONFault("there is no such escape", at: index)
        }
    }

    /// Passes characters above ASCII as long as their UTF-8 is right (Unicode 16, table 3-7: no overlong forms, no
    /// surrogates, nothing above U+10FFFF), and single plain bytes between them, such as the blank between two words.
    private static func endOfMultibyteText(_ base: UnsafeRawPointer, _ count: Int, from start: Int) -> Int {
        var index = start
        while index < count {
            let length = multibyteLength(base + index, count &- index)
            guard length > 0 else { return index }
            index &+= length
            if count &- index > 1, isPlain(base.load(fromByteOffset: index, as: UInt8.self)),
                base.load(fromByteOffset: index &+ 1, as: UInt8.self) >= 0x80
            {
                index &+= 1
            }
        }
        return index
    }

    /// The bytes of the character above ASCII that begins there; 0 if there is none.
    @inline(__always)
    private static func multibyteLength(_ start: UnsafeRawPointer, _ left: Int) -> Int {
        func byte(_ place: Int) -> UInt8 { start.load(fromByteOffset: place, as: UInt8.self) }
        let first = byte(0)
        guard first >= 0xc2, left > 1 else { return 0 }
        let second = byte(1)
        if first < 0xe0 { return follows(second) ? 2 : 0 }
        guard left > 2, follows(second), follows(byte(2)) else { return 0 }
        if first < 0xf0 {
            // Overlong forms begin with E0 80 to E0 9F, surrogates with ED A0 to ED BF.
            let isWrong = first == 0xe0 && second < 0xa0 || first == 0xed && second >= 0xa0
            return isWrong ? 0 : 3
        }
        // Overlong forms begin with F0 80 to F0 8F, what is above U+10FFFF with F4 90 or more.
        guard first <= 0xf4, left > 3, follows(byte(3)) else { return 0 }
        let isWrong = first == 0xf0 && second < 0x90 || first == 0xf4 && second >= 0x90
        return isWrong ? 0 : 4
    }

    /// Whether it is one of 80 to BF, with which a character goes on.
    @inline(__always)
    private static func follows(_ byte: UInt8) -> Bool { byte & 0xc0 == 0x80 }

    /// Checks and passes one number (RFC 8259 section 6).
    mutating func skipNumber() throws(JSONFault) {
        let start = position
        var index = start
        if byte(at: index) == UInt8(ascii: "-") { index &+= 1 }
        if index < count, byte(at: index) == UInt8(ascii: "0") {
            index &+= 1
        } else {
            index = try endOfDigits(from: index, of: start)
        }
        if index < count, byte(at: index) == UInt8(ascii: ".") {
            index = try endOfDigits(from: index &+ 1, of: start)
        }
        if index < count, byte(at: index) | 0x20 == UInt8(ascii: "e") {
            index &+= 1
            if index < count, byte(at: index) == UInt8(ascii: "+") || byte(at: index) == UInt8(ascii: "-") {
                index &+= 1
            }
            index = try endOfDigits(from: index, of: start)
        }
        position = index
    }

    @inline(__always)
    private func endOfDigits(from first: Int, of start: Int) throws(JSONFault) -> Int {
        var index = first
        while index < count, byte(at: index) &- UInt8(ascii: "0") <= 9 { index &+= 1 }
        guard index > first else { throw JSONFault("this is not a number", at: start) }
        return index
    }

    /// The value of `\uXXXX` at a backslash; nil if it is anything else.
    private static func hexadecimalEscape(_ bytes: UnsafeRawBufferPointer, at backslash: Int) -> UInt32? {
        guard backslash + 6 <= bytes.count, bytes[backslash] == UInt8(ascii: "\\"),
            bytes[backslash + 1] == UInt8(ascii: "u")
        else { return nil }
        var value: UInt32 = 0
        for index in backslash + 2..<backslash + 6 {
            guard let digit = hexadecimalValue(of: bytes[index]) else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    // MARK: Text

    /// Reads one string with its escapes resolved; nil, and nothing read, for any other value. A surrogate without
    /// its other half is refused: it stands for no character, and readers differ on what they make of it.
    public mutating func takeText() throws(JSONFault) -> String? {
        guard peek() == UInt8(ascii: "\"") else { return nil }
        let start = position &+ 1
        let end = Self.endOfPlainText(base, count, from: start)
        guard end < count, byte(at: end) == UInt8(ascii: "\"") else {
            try skipRest(from: end)
            return String(decoding: try unescaped(start..<position &- 1), as: UTF8.self)
        }
        position = end &+ 1
        return String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<end]), as: UTF8.self)
    }

    /// The bytes that the inside of a string stands for; `range` was passed by ``skipString()`` before.
    func unescaped(_ range: Range<Int>) throws(JSONFault) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = bytes[index]
            guard byte == UInt8(ascii: "\\") else {
                out.append(byte)
                index += 1
                continue
            }
            switch bytes[index + 1] {
            case UInt8(ascii: "b"): out.append(0x08)
            case UInt8(ascii: "f"): out.append(0x0c)
            case UInt8(ascii: "n"): out.append(0x0a)
            case UInt8(ascii: "r"): out.append(0x0d)
            case UInt8(ascii: "t"): out.append(0x09)
            case UInt8(ascii: "u"):
                let (scalar, length) = try escapedScalar(at: index)
                out.append(contentsOf: Array(String(Character(scalar)).utf8))
                index += length
                continue
            case let other: out.append(other)
            }
            index += 2
        }
        return out
    }

    /// One `\uXXXX`, or the two that make a surrogate pair, with the count of bytes they take.
    private func escapedScalar(at index: Int) throws(JSONFault) -> (UnicodeScalar, Int) {
        guard let high = Self.hexadecimalEscape(bytes, at: index) else {
            throw JSONFault("'\\u' needs four hexadecimal digits", at: index)
        }
        if let scalar = UnicodeScalar(high) { return (scalar, 6) }
        guard (0xd800...0xdbff).contains(high), let low = Self.hexadecimalEscape(bytes, at: index + 6),
            (0xdc00...0xdfff).contains(low),
            let scalar = UnicodeScalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00))
        else { throw JSONFault("half of a surrogate pair stands alone", at: index) }
        return (scalar, 12)
    }
}

import Domain

// Strings and numbers. Most bytes of a call are prompt text, so plain ASCII text is passed eight bytes at a time.

extension JSONScanner {
    /// Checks and passes one string; `position` stands on its opening quote.
    mutating func skipString() throws(JSONFault) {
        let bytes = bytes
        var index = position + 1
        while true {
            index = Self.endOfPlainText(bytes, from: index)
            guard index < bytes.count else {
                throw JSONFault("a string that begins here has no end", at: position)
            }
            switch bytes[index] {
            case UInt8(ascii: "\""):
                position = index &+ 1
                return
            case UInt8(ascii: "\\"): index = try Self.endOfEscape(bytes, at: index)
            case 0..<0x20: throw JSONFault("a control character in a string must be escaped", at: index)
            default: index = try Self.endOfMultibyteText(bytes, from: index)
            }
        }
    }

    /// The first byte from `start` on that is a quote, a backslash, a control character or not ASCII.
    @inline(__always)
    private static func endOfPlainText(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        let count = bytes.count
        guard let base = bytes.baseAddress else { return start }
        var index = start
        while index &+ 8 <= count {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            // Each term sets the top bit of the bytes it means, and of others only above a first hit (by a borrow) or
            // where the last term sets it too: so the lowest bit is the first hit.
            let hits =
                (((word ^ (ones &* 0x22)) &- ones) | ((word ^ (ones &* 0x5c)) &- ones)
                    | (word &- (ones &* 0x20)) | word) & tops
            if hits != 0 { return index &+ hits.trailingZeroBitCount / 8 }
            index &+= 8
        }
        while index < count {
            let byte = bytes[index]
            if byte == 0x22 || byte == 0x5c || byte < 0x20 || byte >= 0x80 { return index }
            index &+= 1
        }
        return index
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

    /// The first byte from `start` on that is ASCII, after checking the UTF-8 before it (Unicode 16, table 3-7:
    /// no overlong forms, no surrogates, nothing above U+10FFFF).
    private static func endOfMultibyteText(
        _ bytes: UnsafeRawBufferPointer, from start: Int
    ) throws(JSONFault) -> Int {
        var index = start
        while index < bytes.count, bytes[index] >= 0x80 {
            let length = multibyteLength(bytes, at: index)
            guard length > 0 else { throw JSONFault("the text is not UTF-8", at: index) }
            index &+= length
        }
        return index
    }

    @inline(__always)
    private static func multibyteLength(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Int {
        let left = bytes.count &- index
        func follows(_ offset: Int, from low: UInt8 = 0x80, to high: UInt8 = 0xbf) -> Bool {
            let byte = bytes[index &+ offset]
            return byte >= low && byte <= high
        }
        switch bytes[index] {
        case 0xc2...0xdf: return left > 1 && follows(1) ? 2 : 0
        case 0xe0: return left > 2 && follows(1, from: 0xa0) && follows(2) ? 3 : 0
        case 0xed: return left > 2 && follows(1, to: 0x9f) && follows(2) ? 3 : 0
        case 0xe1...0xef: return left > 2 && follows(1) && follows(2) ? 3 : 0
        case 0xf0: return left > 3 && follows(1, from: 0x90) && follows(2) && follows(3) ? 4 : 0
        case 0xf1...0xf3: return left > 3 && follows(1) && follows(2) && follows(3) ? 4 : 0
        case 0xf4: return left > 3 && follows(1, to: 0x8f) && follows(2) && follows(3) ? 4 : 0
        default: return 0
        }
    }

    /// Checks and passes one number (RFC 8259 section 6).
    mutating func skipNumber() throws(JSONFault) {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        if position < bytes.count, bytes[position] == UInt8(ascii: "0") {
            position += 1
        } else {
            try skipDigits(of: start)
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            try skipDigits(of: start)
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count,
                bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
            {
                position += 1
            }
            try skipDigits(of: start)
        }
    }

    private mutating func skipDigits(of start: Int) throws(JSONFault) {
        let first = position
        while position < bytes.count, bytes[position] &- UInt8(ascii: "0") <= 9 { position += 1 }
        guard position > first else { throw JSONFault("this is not a number", at: start) }
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
        let start = position + 1
        try skipString()
        let inner = start..<position - 1
        if Self.endOfPlainText(bytes, from: start) == inner.upperBound {
            return String(decoding: bytes[inner], as: UTF8.self)
        }
        return String(decoding: try unescaped(inner), as: UTF8.self)
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

/// Looks for the two member names that make a chunk of a stream worth reading, and for the word `error` as a value: a
/// byte search, not a parse.
///
/// A quote inside a JSON string is always escaped, so `"usage"` with both quotes bare can only be a member name or a
/// whole string value; which of them, the colon behind it says.
enum MemberSearch {
    /// Whether the text has a member named `usage` or `error` with another value than null, or the value `error`, at any
    /// level.
    static func mayHoldUsageOrError(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        guard let base = bytes.baseAddress else { return false }
        var index = 0
        // Each step looks at eight bytes for a quote and at the eight behind them for the `u` or `e`.
        while index &+ 9 <= bytes.count {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let next = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index &+ 1, as: UInt64.self))
            let quote = word ^ (ones &* 0x22)
            let quotes = (quote &- ones) & ~quote & tops
            if quotes != 0 {
                let letterU = next ^ (ones &* 0x75)
                let letterE = next ^ (ones &* 0x65)
                let letters = ((letterU &- ones) & ~letterU) | ((letterE &- ones) & ~letterE)
                var hits = quotes & letters
                while hits != 0 {
                    if isWanted(bytes, at: index &+ hits.trailingZeroBitCount / 8) { return true }
                    hits &= hits &- 1
                }
            }
            index &+= 8
        }
        // The shortest member, `"usage":0`, has nine bytes; what is left is shorter.
        return false
    }

    private static func isWanted(_ bytes: UnsafeRawBufferPointer, at quote: Int) -> Bool {
        guard quote + 7 < bytes.count else { return false }
        let name = bytes[quote..<quote + 7]
        let isError = bytesEqual(name, "\"error\"")
        guard isError || bytesEqual(name, "\"usage\"") else { return false }
        var scanner = JSONScanner(bytes)
        scanner.position = quote + 7
        guard scanner.peek() == UInt8(ascii: ":") else { return isError }
        scanner.position += 1
        return scanner.peek() != UInt8(ascii: "n")
    }
}

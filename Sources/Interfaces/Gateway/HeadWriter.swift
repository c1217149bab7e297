import Domain

/// Writes texts and numbers one after the other into lent room: an answer's head costs as many copies as it has parts.
///
/// Whoever lends the room says how much there is; writing past it ends the process rather than overwrite memory.
struct HeadWriter {
    private let room: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(_ room: UnsafeMutableRawBufferPointer) { self.room = room }

    @inline(__always)
    mutating func write(_ literal: StaticString) {
        write(UnsafeRawBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    mutating func write(text: String) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }

    /// The text form of an id, without making a text of it.
    mutating func write<Kind>(_ id: Identifier<Kind>) {
        precondition(room.count - count >= Identifier<Kind>.textLength)
        id.writeText(to: UnsafeMutableBufferPointer(rebasing: room.bindMemory(to: UInt8.self)[count...]))
        count += Identifier<Kind>.textLength
    }

    /// Decimal digits, without making a text of them first.
    mutating func write(_ number: Int64) {
        if number < 0 { write("-") }
        writeDigits(number.magnitude, atLeast: 1)
    }

    /// Dollars with all nine decimals, as `Money.description`.
    mutating func write(_ money: Money) {
        if money.nanoUSD < 0 { write("-") }
        writeDigits(money.nanoUSD.magnitude / 1_000_000_000, atLeast: 1)
        write(".")
        writeDigits(money.nanoUSD.magnitude % 1_000_000_000, atLeast: 9)
    }

    @inline(__always)
    private mutating func write(_ bytes: UnsafeRawBufferPointer) {
        precondition(room.count - count >= bytes.count)
        guard let from = bytes.baseAddress, let to = room.baseAddress else { return }
        (to + count).copyMemory(from: from, byteCount: bytes.count)
        count += bytes.count
    }

    /// 20 digits are the most a UInt64 has.
    private mutating func writeDigits(_ value: UInt64, atLeast least: Int) {
        var digits = 1
        var rest = value / 10
        while rest > 0 || digits < least {
            rest /= 10
            digits += 1
        }
        precondition(room.count - count >= digits)
        rest = value
        for place in stride(from: count + digits - 1, through: count, by: -1) {
            room[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count += digits
    }
}

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
        // A native text has its bytes in one piece; another kind is copied.
        let isWritten: Void? = text.utf8.withContiguousStorageIfAvailable {
            write(UnsafeRawBufferPointer($0))
        }
        if isWritten == nil { Array(text.utf8).withUnsafeBytes { write($0) } }
    }

    /// Writes a second time what was written in that place.
    mutating func writeAgain(_ place: Range<Int>) {
        precondition(place.upperBound <= count)
        write(UnsafeRawBufferPointer(rebasing: room[place]))
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

    /// 20 digits are the most a UInt64 has. They are counted by comparing, as a division costs several times as much.
    private mutating func writeDigits(_ value: UInt64, atLeast least: Int) {
        var digits = 1
        var limit: UInt64 = 10
        while digits < 20, value >= limit {
            digits &+= 1
            limit &*= 10
        }
        digits = max(digits, least)
        precondition(room.count - count >= digits)
        var rest = value
        var place = count + digits
        while place > count {
            place &-= 1
            room[place] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count += digits
    }
}

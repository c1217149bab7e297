/// Which slots of the usage journal are free and which are written, in the order of their writing.
///
/// A value without memory of its own growth: all lists are links between slot numbers, made once.
struct JournalSlots {
    /// No slot.
    private static let none: Int32 = -1

    let capacity: Int
    private(set) var reserved = 0
    private(set) var written = 0
    private var next: [Int32]
    private var previous: [Int32]
    private var firstFree: Int32 = none
    private var oldest: Int32 = none
    private var newest: Int32 = none
    private var sequence: UInt64 = 0

    /// `written`: slots that hold rows from before, oldest first; `sequence`: the highest number among them.
    init(capacity: Int, written: [Int] = [], sequence: UInt64 = 0) {
        self.capacity = capacity
        self.sequence = sequence
        next = Array(repeating: Self.none, count: capacity)
        previous = next
        let taken = Set(written)
        for slot in stride(from: capacity - 1, through: 0, by: -1) where !taken.contains(slot) {
            next[slot] = firstFree
            firstFree = Int32(slot)
        }
        for slot in written { link(Int32(slot)) }
    }

    var used: Int { reserved + written }

    mutating func reserve() -> Bool {
        guard used < capacity else { return false }
        reserved += 1
        return true
    }

    mutating func release() { reserved = max(0, reserved - 1) }

    /// Turns a reserved place into a slot, now the newest, and numbers it. nil when every slot is written, which
    /// a caller that reserved does not meet.
    mutating func take() -> (slot: Int, sequence: UInt64)? {
        guard firstFree != Self.none else { return nil }
        let slot = firstFree
        firstFree = next[Int(slot)]
        release()
        link(slot)
        sequence += 1
        return (Int(slot), sequence)
    }

    /// Makes a written slot free again.
    mutating func retire(_ slot: Int) {
        let (before, after) = (previous[slot], next[slot])
        if before == Self.none { oldest = after } else { next[Int(before)] = after }
        if after == Self.none { newest = before } else { previous[Int(after)] = before }
        written -= 1
        next[slot] = firstFree
        firstFree = Int32(slot)
    }

    /// The first slots in the order of their writing.
    func oldest(_ limit: Int) -> [Int] {
        var slots: [Int] = []
        slots.reserveCapacity(max(0, min(limit, written)))
        var slot = oldest
        while slot != Self.none, slots.count < limit {
            slots.append(Int(slot))
            slot = next[Int(slot)]
        }
        return slots
    }

    private mutating func link(_ slot: Int32) {
        next[Int(slot)] = Self.none
        previous[Int(slot)] = newest
        if newest == Self.none { oldest = slot } else { next[Int(newest)] = slot }
        newest = slot
        written += 1
    }
}

import Domain

/// Which slots of the usage journal gave out their rows and wait for the confirmation, found by the row's call.
///
/// A value without memory of its own growth: chains of slot numbers, made once. The chains are as many as the slots or
/// more, chosen by bits of the call's id, which is ours and random.
struct GivenSlots {
    /// No slot.
    private static let none: Int32 = -1

    private var first: [Int32]
    private var next: [Int32]
    /// By slot: the call of the row that it gave; nil = it gave none.
    private var calls: [CallID?]
    private let mask: UInt64

    init(capacity: Int) {
        var chains = 1
        while chains < capacity { chains *= 2 }
        mask = UInt64(chains - 1)
        first = Array(repeating: Self.none, count: chains)
        next = Array(repeating: Self.none, count: capacity)
        calls = Array(repeating: nil, count: capacity)
    }

    /// A slot gives out its row; again and again, until it is taken or forgotten.
    mutating func give(_ slot: Int, of call: CallID) {
        guard calls[slot] != call else { return }
        forget(slot)
        let chain = chain(of: call)
        next[slot] = first[chain]
        first[chain] = Int32(slot)
        calls[slot] = call
    }

    /// Takes a slot that gave a row of this call; nil when there is none, or no further one.
    mutating func take(_ call: CallID) -> Int? {
        var slot = first[chain(of: call)]
        while slot != Self.none {
            if calls[Int(slot)] == call {
                forget(Int(slot))
                return Int(slot)
            }
            slot = next[Int(slot)]
        }
        return nil
    }

    /// A slot that has another row from now on, or none.
    mutating func forget(_ slot: Int) {
        guard let call = calls[slot] else { return }
        calls[slot] = nil
        let chain = chain(of: call)
        guard first[chain] != Int32(slot) else {
            first[chain] = next[slot]
            return
        }
        var before = first[chain]
        while before != Self.none {
            if next[Int(before)] == Int32(slot) {
                next[Int(before)] = next[slot]
                return
            }
            before = next[Int(before)]
        }
    }

    private func chain(of call: CallID) -> Int { Int(truncatingIfNeeded: call.low & mask) }
}

import Domain

/// What is to happen, by time; what is due at the same moment happens in the order in which it was noted.
struct Agenda {
    private struct Entry {
        let at: Instant
        let number: UInt64
        let work: () -> Void

        func isBefore(_ other: Entry) -> Bool { (at, number) < (other.at, other.number) }
    }

    /// A binary heap.
    private var entries: [Entry] = []
    private var numbers: UInt64 = 0

    var isEmpty: Bool { entries.isEmpty }
    var next: Instant? { entries.first?.at }

    mutating func add(at moment: Instant, _ work: @escaping () -> Void) {
        numbers += 1
        entries.append(Entry(at: moment, number: numbers, work: work))
        var place = entries.count - 1
        while place > 0, entries[place].isBefore(entries[(place - 1) / 2]) {
            entries.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    mutating func take() -> (at: Instant, work: () -> Void)? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        guard !entries.isEmpty else { return (first.at, first.work) }
        entries[0] = last
        var place = 0
        while true {
            let left = 2 * place + 1
            guard left < entries.count else { break }
            let right = left + 1
            let child = right < entries.count && entries[right].isBefore(entries[left]) ? right : left
            guard entries[child].isBefore(entries[place]) else { break }
            entries.swapAt(place, child)
            place = child
        }
        return (first.at, first.work)
    }
}

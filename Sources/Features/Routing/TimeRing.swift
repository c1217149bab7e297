import Domain

/// Tallies of the last while, in a ring of small time buckets: constant memory whatever the load.
///
/// A bucket leaves whole, so the span covered is between 29 and 30 thirtieths of the one asked for.
struct TimeRing<Bucket: Sendable>: Sendable {
    static var size: Int64 { 30 }

    private var ring: InlineArray<30, Bucket>
    private let empty: Bucket
    /// Number of the newest bucket, counted from instant zero.
    private var newest: Int64
    /// Nanoseconds a bucket spans.
    private let width: Int64

    init(span: Duration, empty: Bucket, at now: Instant) {
        width = max(1, span.wholeNanoseconds / Self.size)
        self.empty = empty
        ring = InlineArray(repeating: empty)
        newest = 0
        newest = number(at: now)
    }

    /// Changes the bucket of this moment; a moment before the newest (threads race by nanoseconds) counts in that.
    mutating func update(at now: Instant, _ change: (inout Bucket) -> Void) {
        moveOn(to: number(at: now))
        change(&ring[place(of: newest)])
    }

    /// Hands over each bucket that time has not passed yet.
    func forEach(at now: Instant, _ body: (Bucket) -> Void) {
        let oldest = max(number(at: now), newest) - Self.size + 1
        guard oldest <= newest else { return }
        for number in oldest...newest { body(ring[place(of: number)]) }
    }

    mutating func clear() { ring = InlineArray(repeating: empty) }

    /// Empties the buckets that time has passed.
    private mutating func moveOn(to number: Int64) {
        guard number > newest else { return }
        for step in 1...min(number - newest, Self.size) { ring[place(of: newest + step)] = empty }
        newest = number
    }

    /// Division rounded down, so that buckets are alike on both sides of zero.
    private func number(at now: Instant) -> Int64 {
        let number = now.nanoseconds / width
        return now.nanoseconds % width < 0 ? number - 1 : number
    }

    private func place(of number: Int64) -> Int {
        let place = number % Self.size
        return Int(place < 0 ? place + Self.size : place)
    }
}

package import Domain

/// Calls and failures of the last while, in a ring of small time buckets: constant memory whatever the load.
///
/// A bucket leaves whole, so the span covered is between 29 and 30 thirtieths of the window.
package struct FailureWindow: Sendable {
    /// How a call counts.
    package enum Mark: Sendable {
        case answered
        /// No answer at all: connect failure or timeout.
        case silent
        /// The provider answered that it cannot: 5xx, overloaded.
        case serverError
        /// The answer broke off.
        case broken
    }

    /// Sums over the window.
    package struct Counts: Sendable, Hashable {
        package var calls = 0
        package var silent = 0
        package var serverErrors = 0
        package var broken = 0

        package var failures: Int { silent + serverErrors + broken }
        /// Share of failures, rounded down; 0 without calls.
        package var failurePercent: Int { calls == 0 ? 0 : failures * 100 / calls }

        package init() {}
    }

    private struct Bucket: Sendable {
        var calls: UInt32 = 0
        var silent: UInt32 = 0
        var serverErrors: UInt32 = 0
        var broken: UInt32 = 0
    }

    private static var size: Int64 { 30 }

    private var ring = InlineArray<30, Bucket>(repeating: Bucket())
    /// Number of the newest bucket, counted from instant zero.
    private var newest: Int64
    /// Nanoseconds a bucket spans.
    private let width: Int64

    package init(span: Duration, at now: Instant) {
        width = max(1, span.wholeNanoseconds / Self.size)
        newest = 0
        newest = number(at: now)
    }

    package mutating func record(_ mark: Mark, at now: Instant) {
        moveOn(to: number(at: now))
        let place = place(of: newest)
        ring[place].calls &+= 1
        switch mark {
        case .answered: break
        case .silent: ring[place].silent &+= 1
        case .serverError: ring[place].serverErrors &+= 1
        case .broken: ring[place].broken &+= 1
        }
    }

    package func counts(at now: Instant) -> Counts {
        var sums = Counts()
        let oldest = max(number(at: now), newest) - Self.size + 1
        guard oldest <= newest else { return sums }
        for number in oldest...newest {
            let bucket = ring[place(of: number)]
            sums.calls += Int(bucket.calls)
            sums.silent += Int(bucket.silent)
            sums.serverErrors += Int(bucket.serverErrors)
            sums.broken += Int(bucket.broken)
        }
        return sums
    }

    package mutating func clear() { ring = InlineArray(repeating: Bucket()) }

    /// Empties the buckets that time has passed; a moment before the newest (threads race by nanoseconds) stays in it.
    private mutating func moveOn(to number: Int64) {
        guard number > newest else { return }
        for step in 1...min(number - newest, Self.size) { ring[place(of: newest + step)] = Bucket() }
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

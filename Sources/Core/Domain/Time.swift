/// A moment on the monotonic clock, for measuring and for deadlines; nanoseconds since an arbitrary start.
package struct Instant: Hashable, Sendable, Comparable, Codable {
    @usableFromInline package var nanoseconds: Int64

    @inlinable package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    @inlinable package static func < (left: Self, right: Self) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
    @inlinable package static func + (left: Self, right: Duration) -> Self {
        Self(nanoseconds: left.nanoseconds &+ right.wholeNanoseconds)
    }
    @inlinable package static func - (left: Self, right: Self) -> Duration {
        .nanoseconds(left.nanoseconds &- right.nanoseconds)
    }
}

/// A moment of civil time, for records and people; milliseconds since 1970-01-01T00:00:00Z.
package struct WallTime: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    @usableFromInline package var milliseconds: Int64

    @inlinable package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    @inlinable package static func < (left: Self, right: Self) -> Bool {
        left.milliseconds < right.milliseconds
    }
    @inlinable package static func + (left: Self, right: Duration) -> Self {
        Self(milliseconds: left.milliseconds &+ right.wholeMilliseconds)
    }
    @inlinable package static func - (left: Self, right: Self) -> Duration {
        .milliseconds(left.milliseconds &- right.milliseconds)
    }

    /// Year, month, day, hour, minute, second, millisecond in UTC (proleptic Gregorian calendar).
    package var civil: CivilTime {
        // Rounded down, without a product that could overflow at the ends of the range.
        let (whole, rest) = milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
        let days = rest < 0 ? whole - 1 : whole
        let inDay = rest < 0 ? rest + 86_400_000 : rest
        // Days to date after H. Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return CivilTime(
            year: Int(yearOfEra + era * 400 + (month <= 2 ? 1 : 0)), month: Int(month),
            day: Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1), hour: Int(inDay / 3_600_000),
            minute: Int(inDay / 60_000 % 60), second: Int(inDay / 1_000 % 60), millisecond: Int(inDay % 1_000)
        )
    }

    /// RFC 3339 in UTC with milliseconds, `2026-11-23T12:04:31.118Z`.
    package var description: String { "\(civil.date)T\(civil.clock).\(padded(civil.millisecond, to: 3))Z" }
}

/// A moment split into calendar fields, UTC.
package struct CivilTime: Hashable, Sendable {
    package let year: Int
    package let month: Int
    package let day: Int
    package let hour: Int
    package let minute: Int
    package let second: Int
    package let millisecond: Int

    /// `2026-11-23`
    package var date: String { "\(padded(year, to: 4))-\(padded(month, to: 2))-\(padded(day, to: 2))" }
    /// `12:04:31`
    package var clock: String { "\(padded(hour, to: 2)):\(padded(minute, to: 2)):\(padded(second, to: 2))" }
}

/// A number with leading zeros.
package func padded(_ number: Int, to width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

extension Duration {
    /// Whole nanoseconds, saturating at the ends of `Int64`.
    @inlinable package var wholeNanoseconds: Int64 {
        // Up to nine seconds fit 64 bits, whose division is several times cheaper.
        if let small = Int64(exactly: attoseconds) { return small / 1_000_000_000 }
        let parts = components
        let (product, overflow) = parts.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return parts.seconds < 0 ? .min : .max }
        let (sum, overflowed) = product.addingReportingOverflow(parts.attoseconds / 1_000_000_000)
        return overflowed ? (parts.seconds < 0 ? .min : .max) : sum
    }
    /// Whole milliseconds, rounded towards zero.
    @inlinable package var wholeMilliseconds: Int64 { wholeNanoseconds / 1_000_000 }
    /// Seconds with their fraction: for figures that are smoothed or compared, never for moments.
    @inlinable package var inSeconds: Double { Double(wholeNanoseconds) / 1e9 }
    /// Whole seconds, rounded up: what a `retry-after` header says.
    package var secondsRoundedUp: Int64 { max(0, (wholeMilliseconds + 999) / 1_000) }
}

/// Where the engine reads the time; state machines get it passed in.
package protocol GatewayClock: Sendable {
    var now: Instant { get }
    var wall: WallTime { get }
}

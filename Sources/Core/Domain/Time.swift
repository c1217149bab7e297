/// A moment on the monotonic clock, for measuring and for deadlines; nanoseconds since an arbitrary start.
public struct Instant: Hashable, Sendable, Comparable, Codable {
    public var nanoseconds: Int64

    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    @inlinable public static func < (left: Self, right: Self) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
    @inlinable public static func + (left: Self, right: Duration) -> Self {
        Self(nanoseconds: left.nanoseconds &+ right.wholeNanoseconds)
    }
    @inlinable public static func - (left: Self, right: Self) -> Duration {
        .nanoseconds(left.nanoseconds &- right.nanoseconds)
    }
}

/// A moment of civil time, for records and people; milliseconds since 1970-01-01T00:00:00Z.
public struct WallTime: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    public var milliseconds: Int64

    @inlinable public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    @inlinable public static func < (left: Self, right: Self) -> Bool {
        left.milliseconds < right.milliseconds
    }
    @inlinable public static func + (left: Self, right: Duration) -> Self {
        Self(milliseconds: left.milliseconds &+ right.wholeMilliseconds)
    }
    @inlinable public static func - (left: Self, right: Self) -> Duration {
        .milliseconds(left.milliseconds &- right.milliseconds)
    }

    /// Year, month, day, hour, minute, second, millisecond in UTC (proleptic Gregorian calendar).
    public var civil: CivilTime {
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
    public var description: String { "\(civil.date)T\(civil.clock).\(padded(civil.millisecond, to: 3))Z" }
}

/// A moment split into calendar fields, UTC.
public struct CivilTime: Hashable, Sendable {
    public let year: Int
    public let month: Int
    public let day: Int
    public let hour: Int
    public let minute: Int
    public let second: Int
    public let millisecond: Int

    /// `2026-11-23`
    public var date: String { "\(padded(year, to: 4))-\(padded(month, to: 2))-\(padded(day, to: 2))" }
    /// `12:04:31`
    public var clock: String { "\(padded(hour, to: 2)):\(padded(minute, to: 2)):\(padded(second, to: 2))" }
}

/// A number with leading zeros.
public func padded(_ number: Int, to width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

extension Duration {
    /// Whole nanoseconds, saturating at the ends of `Int64`.
    @inlinable public var wholeNanoseconds: Int64 {
        // Up to nine seconds fit 64 bits, whose division is several times cheaper.
        if let small = Int64(exactly: attoseconds) { return small / 1_000_000_000 }
        let parts = components
        let (product, overflow) = parts.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return parts.seconds < 0 ? .min : .max }
        let (sum, overflowed) = product.addingReportingOverflow(parts.attoseconds / 1_000_000_000)
        return overflowed ? (parts.seconds < 0 ? .min : .max) : sum
    }
    /// Whole milliseconds, rounded towards zero.
    @inlinable public var wholeMilliseconds: Int64 { wholeNanoseconds / 1_000_000 }
    /// Seconds with their fraction: for figures that are smoothed or compared, never for moments.
    @inlinable public var inSeconds: Double { Double(wholeNanoseconds) / 1e9 }
    /// Whole seconds, rounded up: what a `retry-after` header says.
    public var secondsRoundedUp: Int64 { max(0, (wholeMilliseconds + 999) / 1_000) }
}

/// Where the engine reads the time; state machines get it passed in.
public protocol GatewayClock: Sendable {
    var now: Instant { get }
    var wall: WallTime { get }
}

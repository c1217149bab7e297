public import Domain

/// Reads from an upstream's headers how long to leave a provider key alone.
public enum RetryAfter {
    /// The longest wait believed: a provider that says more is asked again after this, one small refusal an hour.
    public static var most: Duration { .seconds(3_600) }

    /// The longest wait that any header asks for, at most ``most``; nil if none could be read.
    ///
    /// Understood: `retry-after` in seconds, with decimals or as an HTTP date (RFC 9110 section 10.2.3, IMF-fixdate
    /// only), `retry-after-ms` (Azure OpenAI), and, where the answer is about a limit of the key,
    /// `x-ratelimit-reset-…` as durations such as `2m30s`, `6ms` or plain seconds (OpenAI, Groq), and
    /// `x-ratelimit-reset` as seconds (Together AI) or as milliseconds since 1970 (OpenRouter). Unreadable values are
    /// passed over.
    ///
    /// - Parameter ofKey: whether the key was limited: these providers send the reset headers with every answer, and
    ///   what they say has nothing to do with a fault of their own.
    public static func parse(
        _ headers: some Sequence<(name: String, value: String)>, ofKey: Bool, now: WallTime
    ) -> Duration? {
        var longest: Duration?
        for (name, value) in headers {
            guard let wait = wait(name, Array(value.utf8), ofKey, now) else { continue }
            longest = max(longest ?? .zero, min(wait, most))
        }
        return longest
    }

    private static func wait(
        _ name: String, _ value: [UInt8], _ ofKey: Bool, _ now: WallTime
    ) -> Duration? {
        let name = name.utf8.map(lowered)
        if name.elementsEqual("retry-after".utf8) {
            if let seconds = DurationText(value).number(of: .seconds(1)) { return seconds }
            return HTTPDate.parse(value).map { max(.zero, $0 - now) }
        }
        if name.elementsEqual("retry-after-ms".utf8) {
            return DurationText(value).number(of: .milliseconds(1))
        }
        guard ofKey, name.starts(with: "x-ratelimit-reset".utf8) else { return nil }
        if name.count == "x-ratelimit-reset".utf8.count {
            return DurationText(value).number(of: .seconds(1))
                ?? DurationText(value).moment.map { max(.zero, $0 - now) }
        }
        guard name["x-ratelimit-reset".utf8.count] == UInt8(ascii: "-") else { return nil }
        return DurationText(value).number(of: .seconds(1)) ?? DurationText(value).sum()
    }

    /// A duration with its unit, such as `34.07s` (protobuf's JSON mapping, `google.protobuf.Duration`), at most
    /// ``most``.
    static func duration(_ text: String) -> Duration? {
        DurationText(Array(text.utf8)).sum().map { min($0, most) }
    }
}

/// A text of decimal numbers, each with a unit or not.
private struct DurationText {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        let isBlank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        rest = bytes.drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest.removeLast() }
    }

    /// The whole text as one number of a unit.
    func number(of unit: Duration) -> Duration? {
        var copy = self
        guard let value = copy.nextNumber(of: unit), copy.rest.isEmpty else { return nil }
        return value
    }

    /// The whole text as milliseconds since 1970; thirteen digits, as they were from 2001 and will be until 2286.
    var moment: WallTime? {
        guard rest.count == 13, rest.allSatisfy(Self.isDigit) else { return nil }
        return WallTime(milliseconds: rest.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) })
    }

    /// The whole text as numbers with units, largest first or not, such as `1h2m3.5s`.
    func sum() -> Duration? {
        var copy = self
        var sum = Duration.zero
        guard !copy.rest.isEmpty else { return nil }
        while !copy.rest.isEmpty {
            let digits = copy.rest.prefix { Self.isDigit($0) || $0 == UInt8(ascii: ".") }
            copy.rest = copy.rest.dropFirst(digits.count)
            let letters = copy.rest.prefix { !Self.isDigit($0) }
            copy.rest = copy.rest.dropFirst(letters.count)
            guard let unit = Self.unit(letters), let part = Self(Array(digits)).number(of: unit) else {
                return nil
            }
            sum += part
        }
        return sum
    }

    /// Up to nine digits before and nine behind the point: more than the longest wait needs, and no overflow.
    private mutating func nextNumber(of unit: Duration) -> Duration? {
        let whole = takeDigits()
        guard (1...9).contains(whole.count) else { return nil }
        var value = unit * Self.value(whole)
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            let fraction = takeDigits()
            guard (1...18).contains(fraction.count) else { return nil }
            var scale = 1
            let kept = fraction.prefix(9)
            for _ in kept { scale *= 10 }
            value += unit * Self.value(kept) / scale
        }
        return value
    }

    private mutating func takeDigits() -> ArraySlice<UInt8> {
        let digits = rest.prefix(while: Self.isDigit)
        rest = rest.dropFirst(digits.count)
        return digits
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }

    private static func value(_ digits: ArraySlice<UInt8>) -> Int {
        digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private static func unit(_ letters: ArraySlice<UInt8>) -> Duration? {
        let units: [(StaticString, Duration)] = [
            ("ms", .milliseconds(1)), ("s", .seconds(1)), ("m", .seconds(60)), ("h", .seconds(3_600)),
            ("d", .seconds(86_400)), ("us", .microseconds(1)), ("ns", .nanoseconds(1)),
        ]
        return letters.withUnsafeBytes { bytes in units.first { bytesEqual(bytes, $0.0) }?.1 }
    }
}

/// The preferred form of an HTTP date: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
private enum HTTPDate {
    static func parse(_ text: [UInt8]) -> WallTime? {
        guard text.count == 29, text[3...4].elementsEqual(", ".utf8), text[25...].elementsEqual(" GMT".utf8),
            text[7] == UInt8(ascii: " "), text[11] == UInt8(ascii: " "), text[16] == UInt8(ascii: " "),
            text[19] == UInt8(ascii: ":"), text[22] == UInt8(ascii: ":"),
            let day = number(text[5..<7]), let month = month(text[8..<11]), let year = number(text[12..<16]),
            let hour = number(text[17..<19]), let minute = number(text[20..<22]),
            let second = number(text[23..<25]),
            (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        let seconds = daysSinceEpoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second
        return WallTime(milliseconds: seconds * 1_000)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        var value: Int64 = 0
        for byte in digits {
            guard byte &- UInt8(ascii: "0") <= 9 else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        return value
    }

    private static func month(_ name: ArraySlice<UInt8>) -> Int64? {
        let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return names.firstIndex { name.elementsEqual($0.utf8) }.map { Int64($0 + 1) }
    }

    /// After H. Hinnant, "chrono-compatible low-level date algorithms", days_from_civil.
    private static func daysSinceEpoch(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

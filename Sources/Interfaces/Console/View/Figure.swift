import Domain

/// Writes numbers, times and money the one way they look on every screen.
enum Figure {
    /// A number with a fixed count of decimals (0 to 6), rounded half away from zero.
    static func fixed(_ value: Double, _ decimals: Int) -> String {
        guard value.isFinite, abs(value) < 9e12 else { return "-" }
        var scale: Int64 = 1
        for _ in 0..<decimals { scale *= 10 }
        let whole = Int64((abs(value) * Double(scale)).rounded())
        let sign = value < 0 && whole > 0 ? "-" : ""
        guard decimals > 0 else { return "\(sign)\(whole)" }
        return "\(sign)\(whole / scale).\(padded(Int(whole % scale), to: decimals))"
    }

    /// Requests per second: one decimal below a thousand.
    static func rate(_ value: Double) -> String { fixed(value, value < 999.95 ? 1 : 0) }

    /// A number on an axis: with as few decimals as it needs, three at most.
    static func scale(_ value: Double) -> String {
        var factor = 1.0
        for decimals in 0..<3 {
            if abs(value * factor - (value * factor).rounded()) < 1e-6 { return fixed(value, decimals) }
            factor *= 10
        }
        return fixed(value, 3)
    }

    static func percent(_ value: Double) -> String { fixed(value, value < 99.95 ? 1 : 0) }

    /// Seconds with the unit: `0.61s`, `31.4s`; `-` where nothing was measured.
    static func seconds(_ milliseconds: Double?) -> String {
        guard let milliseconds else { return "-" }
        let seconds = milliseconds / 1_000
        return fixed(seconds, seconds < 9.995 ? 2 : (seconds < 99.95 ? 1 : 0)) + "s"
    }

    /// Digits in groups of three: `182 411`.
    static func grouped(_ value: Int64) -> String {
        let digits = String(value.magnitude)
        var out = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { out.append(" ") }
            out.append(digit)
        }
        return value < 0 ? "-\(out)" : out
    }
    static func grouped(_ value: Int) -> String { grouped(Int64(value)) }

    /// Counts in at most five signs: `912`, `2.1k`, `38.1M`.
    static func short(_ value: Int64) -> String {
        switch value.magnitude {
        case 0..<1_000: "\(value)"
        case 0..<999_950: fixed(Double(value) / 1_000, 1) + "k"
        case 0..<999_950_000: fixed(Double(value) / 1_000_000, 1) + "M"
        default: fixed(Double(value) / 1_000_000_000, 1) + "G"
        }
    }

    /// A ceiling: as short as it is exact, `1 200`, `400k`, `5M`.
    static func limit(_ value: Int) -> String {
        if value >= 1_000_000, value.isMultiple(of: 1_000_000) { return "\(value / 1_000_000)M" }
        if value >= 10_000, value.isMultiple(of: 1_000) { return "\(value / 1_000)k" }
        return grouped(value)
    }

    static func bytes(_ value: Int) -> String {
        switch value {
        case ..<1_024: "\(value) B"
        case ..<1_048_576: fixed(Double(value) / 1_024, 1) + " KiB"
        case ..<1_073_741_824: fixed(Double(value) / 1_048_576, 1) + " MiB"
        default: fixed(Double(value) / 1_073_741_824, 2) + " GiB"
        }
    }

    /// A time span in its two greatest units: `42s`, `3m10s`, `2h04m`, `9d04h`, `31d`.
    static func span(_ duration: Duration) -> String {
        let seconds = max(0, duration.wholeMilliseconds / 1_000)
        switch seconds {
        case ..<60: return "\(seconds)s"
        case ..<3_600: return "\(seconds / 60)m\(padded(Int(seconds % 60), to: 2))s"
        case ..<86_400: return "\(seconds / 3_600)h\(padded(Int(seconds / 60 % 60), to: 2))m"
        case ..<864_000: return "\(seconds / 86_400)d\(padded(Int(seconds / 3_600 % 24), to: 2))h"
        default: return "\(seconds / 86_400)d"
        }
    }

    /// A time span in its greatest unit: `42s`, `4m`, `31d`.
    static func age(_ duration: Duration) -> String {
        let seconds = max(0, duration.wholeMilliseconds / 1_000)
        switch seconds {
        case ..<60: return "\(seconds)s"
        case ..<3_600: return "\(seconds / 60)m"
        case ..<86_400: return "\(seconds / 3_600)h"
        default: return "\(seconds / 86_400)d"
        }
    }

    /// `12:04:27.118`
    static func precise(_ time: WallTime) -> String {
        let civil = time.civil
        return "\(civil.clock).\(padded(civil.millisecond, to: 3))"
    }

    /// The clock today, the date before: `12:04:27` or `11-21`.
    static func moment(_ time: WallTime, now: WallTime) -> String {
        let (then, today) = (time.civil, now.civil)
        let sameDay = then.day == today.day && then.month == today.month && then.year == today.year
        return sameDay ? then.clock : "\(padded(then.month, to: 2))-\(padded(then.day, to: 2))"
    }

    /// Dollars with two decimals and groups: `14.10`, `1 204.00`.
    static func dollars(_ money: Money, decimals: Int = 2) -> String {
        let text = money.dollars(decimals: decimals)
        guard money.nanoUSD.magnitude >= 1_000_000_000_000, let dot = text.firstIndex(of: ".") else {
            return text
        }
        return grouped(Int64(text[..<dot]) ?? 0) + text[dot...]
    }

    /// `1 target`, `3 targets`.
    static func count(_ number: Int, _ noun: String) -> String {
        "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")"
    }
}

import Domain
import Foundation
import Testing

@Suite struct WallTimeTests {
    /// Foundation's Gregorian calendar is the Julian one before 1582; ISO 8601 is proleptic, as ours.
    private static let calendar: Calendar = {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = .gmt
        return calendar
    }()

    private func expected(_ milliseconds: Int64) -> [Int] {
        let seconds = milliseconds.floorDivided(by: 1_000)
        let date = Date(timeIntervalSince1970: Double(seconds))
        let parts = Self.calendar.dateComponents(
            [.year, .month, .day, .hour, .minute, .second], from: date)
        return [
            parts.year ?? 0, parts.month ?? 0, parts.day ?? 0, parts.hour ?? 0, parts.minute ?? 0,
            parts.second ?? 0,
            Int(milliseconds - seconds * 1_000),
        ]
    }

    private func fields(_ milliseconds: Int64) -> [Int] {
        let civil = WallTime(milliseconds: milliseconds).civil
        return [
            civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second, civil.millisecond,
        ]
    }

    @Test func `civil fields equal Foundation's for random instants of the years 1583 to 9999`() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SplitMix(seed: seed)
        for _ in 0..<20_000 {
            // 1583-01-01 and 9999-12-31
            let moment = Int64.random(in: -12_212_553_600_000...253_402_300_799_999, using: &generator)
            #expect(fields(moment) == expected(moment), "seed \(seed): \(moment)")
        }
    }

    @Test func `civil fields are right on both sides of every midnight of four centuries' ends`() {
        for year in [1_600, 1_700, 1_899, 1_900, 1_969, 1_970, 1_999, 2_000, 2_024, 2_100, 2_400] {
            let start = Self.calendar.date(from: DateComponents(year: year, month: 1, day: 1)) ?? .distantPast
            let first = Int64(start.timeIntervalSince1970) * 1_000
            for day in 0..<366 {
                for offset in [-1, 0, 1] as [Int64] {
                    let moment = first + Int64(day) * 86_400_000 + offset
                    #expect(fields(moment) == expected(moment), "\(moment)")
                }
            }
        }
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"), (1_795_435_471_118, "2026-11-23T12:04:31.118Z"),
        (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
    ])
    func `a moment is written as RFC 3339 with milliseconds`(milliseconds: Int64, text: String) {
        #expect(WallTime(milliseconds: milliseconds).description == text)
    }

    @Test(arguments: [Int64.min, .min + 1, .max - 1, .max])
    func `the ends of the range have fields within their bounds`(milliseconds: Int64) {
        let civil = WallTime(milliseconds: milliseconds).civil
        #expect((1...12).contains(civil.month) && (1...31).contains(civil.day))
    }

    @Test func `moments add, subtract and compare in milliseconds`() {
        let start = WallTime(milliseconds: 1_000)
        #expect(start + .seconds(2) == WallTime(milliseconds: 3_000))
        #expect(WallTime(milliseconds: 3_500) - start == .milliseconds(2_500))
        #expect(start < WallTime(milliseconds: 1_001))
    }

    @Test func `numbers are padded to a width and never cut`() {
        #expect(padded(7, to: 3) == "007")
        #expect(padded(12_345, to: 3) == "12345")
    }
}

@Suite struct InstantTests {
    @Test func `instants add, subtract and compare in nanoseconds`() {
        let start = Instant(nanoseconds: 5)
        #expect(start + .microseconds(1) == Instant(nanoseconds: 1_005))
        #expect(Instant(nanoseconds: 1_005) - start == .nanoseconds(1_000))
        #expect(start < Instant(nanoseconds: 6))
    }
}

@Suite struct DurationTests {
    @Test func `whole nanoseconds saturate at both ends`() {
        #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max)
        #expect(Duration.seconds(Int64.min).wholeNanoseconds == .min)
        #expect(Duration.nanoseconds(Int64.max).wholeNanoseconds == .max)
        #expect(Duration.nanoseconds(Int64.min).wholeNanoseconds == .min)
        #expect((Duration.nanoseconds(Int64.max) + .nanoseconds(1)).wholeNanoseconds == .max)
        #expect((Duration.nanoseconds(Int64.min) - .nanoseconds(1)).wholeNanoseconds == .min)
    }

    @Test func `whole units are rounded towards zero`() {
        #expect(Duration(secondsComponent: 0, attosecondsComponent: 1_999_999_999).wholeNanoseconds == 1)
        #expect(Duration(secondsComponent: 0, attosecondsComponent: -1_999_999_999).wholeNanoseconds == -1)
        #expect(Duration.microseconds(1_999).wholeMilliseconds == 1)
        #expect(Duration.microseconds(-1_999).wholeMilliseconds == -1)
    }

    @Test(arguments: [
        (0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2), (59_999, 60), (-5_000, 0),
    ])
    func `a wait is rounded up to whole seconds, and is never negative`(milliseconds: Int64, seconds: Int64) {
        #expect(Duration.milliseconds(milliseconds).secondsRoundedUp == seconds)
    }

    @Test func `an endless wait has a finite number of seconds`() {
        #expect(Duration.seconds(Int64.max).secondsRoundedUp > 9_000_000_000)
    }
}

extension Int64 {
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

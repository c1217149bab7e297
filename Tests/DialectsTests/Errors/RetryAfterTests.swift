import Dialects
import Domain
import Testing

@Suite struct RetryAfterTests {
    /// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
    private let now = WallTime(milliseconds: 784_111_777_000)

    private func parse(_ headers: [(name: String, value: String)], ofKey: Bool = true) -> Duration? {
        RetryAfter.parse(headers, ofKey: ofKey, now: now)
    }

    @Test(arguments: [
        ("retry-after", "7", Duration.seconds(7)), ("Retry-After", " 1.5 ", .milliseconds(1_500)),
        ("retry-after", "0", .zero), ("retry-after", "86400", .seconds(3_600)),
        ("retry-after", "999999999", .seconds(3_600)),
        ("retry-after", "Sun, 06 Nov 1994 08:50:00 GMT", .seconds(23)),
        ("retry-after", "Sun, 06 Nov 1994 08:49:00 GMT", .zero),
        ("retry-after", "Mon, 07 Nov 1994 08:49:37 GMT", .seconds(3_600)),
        ("retry-after-ms", "250", .milliseconds(250)),
        ("x-ratelimit-reset-tokens", "6ms", .milliseconds(6)),
        ("x-ratelimit-reset-requests", "2m30s", .seconds(150)),
        ("X-RateLimit-Reset-Requests", "1m2.5s", .milliseconds(62_500)),
        ("x-ratelimit-reset-requests", "1d2h", .seconds(3_600)),
        ("x-ratelimit-reset-tokens", "12", .seconds(12)),
        ("x-ratelimit-reset", "7", .seconds(7)), ("X-RateLimit-Reset", "0784111780000", .seconds(3)),
        ("x-ratelimit-reset", "0784111770000", .zero),
    ])
    func `each form of a wait is read`(name: String, value: String, expected: Duration) {
        #expect(parse([(name, value)]) == expected)
    }

    @Test(arguments: [
        "", "soon", "-1", "1,5", "1.", ".5", "1e3", "12345678901234567890", "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Xxx 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "1s",
    ])
    func `what cannot be read is passed over`(value: String) {
        #expect(parse([("retry-after", value)]) == nil)
    }

    @Test(arguments: ["", "5x", "m", "2m30q", "1.2.3s", "s5"])
    func `a duration that cannot be read is passed over`(value: String) {
        #expect(parse([("x-ratelimit-reset-requests", value)]) == nil)
    }

    @Test(arguments: ["78411178000", "soon", "99999999999999"])
    func `a moment that is none is passed over`(value: String) {
        #expect(parse([("x-ratelimit-reset", value)]) == nil)
        #expect(parse([("x-ratelimit-resets", "1")]) == nil)
    }

    @Test func `a limit's reset says nothing about a fault of the provider`() {
        #expect(parse([("x-ratelimit-reset-requests", "1h")], ofKey: false) == nil)
        #expect(
            parse([("x-ratelimit-reset-requests", "1h"), ("retry-after", "2")], ofKey: false) == .seconds(2))
    }

    @Test func `the longest wait wins`() {
        #expect(
            parse([("x-ratelimit-reset-requests", "1s"), ("retry-after", "60"), ("retry-after-ms", "500")])
                == .seconds(60))
        #expect(parse([("retry-after", "soon"), ("x-ratelimit-reset-tokens", "3s")]) == .seconds(3))
        #expect(parse([("x-ratelimit-remaining-tokens", "3"), ("date", "x")]) == nil)
    }
}

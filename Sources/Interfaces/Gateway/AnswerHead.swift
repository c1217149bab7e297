import Dialects
import Domain
import Limits
import NIOCore
import NIOHTTP1

/// Writes answers as bytes: head and body in one buffer.
///
/// Every value written here is our own or was checked; nothing from an upstream but the content type goes in, and
/// that only when it is visible ASCII.
struct AnswerHead {
    var status: Int
    var contentType = "application/json"
    /// nil = the length is not known: chunks.
    var length: Int?
    var request: CallID
    var target: Target?
    var attempts: Int?
    var payer = Payer.tenant
    var cache: CacheOutcome?
    var cost: Money?
    var limits: LimitFacts?
    var retryAfter: Duration?
    /// The method that a wrong one should have been.
    var allow: HTTPMethod?
    var closes = false
    /// The provider's format, where the answer was said anew in the caller's.
    var translatedFrom: WireFormat?
    /// The request's fields that were left out on the way.
    var dropped: [String] = []

    /// Writes piece by piece: a head is written for every call, and joining texts first costs ten times as much.
    func write(into out: inout ByteBuffer) {
        out.writeStaticString("HTTP/1.1 ")
        out.writeDecimal(Int64(status))
        out.writeStaticString(" ")
        out.writeStaticString(Self.reason(status))
        out.writeStaticString("\r\ncontent-type: ")
        out.writeString(contentType)
        if let length {
            out.writeStaticString("\r\ncontent-length: ")
            out.writeDecimal(Int64(length))
        } else {
            out.writeStaticString("\r\ntransfer-encoding: chunked\r\ncache-control: no-cache")
        }
        let id = request.text
        out.writeStaticString("\r\nx-request-id: ")
        out.writeString(id)
        out.writeStaticString("\r\nrequest-id: ")
        out.writeString(id)
        if let target {
            out.writeStaticString("\r\nx-gatehouse-target: ")
            out.writeString(target.provider.text)
            out.writeStaticString("/")
            out.writeString(target.model.text)
        }
        if let attempts {
            out.writeStaticString("\r\nx-gatehouse-attempts: ")
            out.writeDecimal(Int64(attempts))
        }
        if payer == .platform { out.writeStaticString("\r\nx-gatehouse-payer: platform") }
        if let cache {
            out.writeStaticString("\r\nx-gatehouse-cache: ")
            out.writeString(cache.rawValue)
        }
        if let translatedFrom {
            out.writeStaticString("\r\nx-gatehouse-translated: ")
            out.writeString(translatedFrom.rawValue)
        }
        if !dropped.isEmpty {
            out.writeStaticString("\r\nx-gatehouse-dropped: ")
            out.writeString(dropped.map(Self.safeFieldName).joined(separator: ", "))
        }
        if let cost {
            out.writeStaticString("\r\nx-gatehouse-cost-usd: ")
            out.writeMoney(cost)
        }
        writeLimit(limits?.requests, "requests", into: &out)
        writeLimit(limits?.tokens, "tokens", into: &out)
        if let retryAfter {
            out.writeStaticString("\r\nretry-after: ")
            out.writeDecimal(max(1, Int64(retryAfter.secondsRoundedUp)))
            out.writeStaticString("\r\nretry-after-ms: ")
            out.writeDecimal(max(1, retryAfter.wholeMilliseconds))
        }
        if let allow {
            out.writeStaticString("\r\nallow: ")
            out.writeString(allow.rawValue)
        }
        out.writeStaticString(closes ? "\r\nconnection: close\r\n\r\n" : "\r\n\r\n")
    }

    /// OpenAI's names (platform.openai.com/docs/guides/rate-limits, seen 2026-11-23).
    private func writeLimit(_ line: LimitFacts.Fact?, _ what: StaticString, into out: inout ByteBuffer) {
        guard let line else { return }
        out.writeStaticString("\r\nx-ratelimit-limit-")
        out.writeStaticString(what)
        out.writeStaticString(": ")
        out.writeDecimal(Int64(line.limit))
        out.writeStaticString("\r\nx-ratelimit-remaining-")
        out.writeStaticString(what)
        out.writeStaticString(": ")
        out.writeDecimal(Int64(line.remaining))
        out.writeStaticString("\r\nx-ratelimit-reset-")
        out.writeStaticString(what)
        out.writeStaticString(": ")
        out.writeDecimal(line.reset.wholeMilliseconds)
        out.writeStaticString("ms")
    }

    /// RFC 9110 section 15; a status without a name of its own gets an empty phrase.
    private static func reason(_ status: Int) -> StaticString {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 413: "Content Too Large"
        case 415: "Unsupported Media Type"
        case 422: "Unprocessable Content"
        case 424: "Failed Dependency"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: ""
        }
    }

    /// The name of a request's field as it may stand in a header: what a caller wrote there must not begin a line.
    static func safeFieldName(_ name: String) -> String {
        String(
            decoding: name.utf8.prefix(64).map { (0x21..<0x7f).contains($0) && $0 != 0x2c ? $0 : 0x3f },
            as: UTF8.self)
    }

    /// A content type that may stand in a header; anything odd becomes JSON's.
    static func safeContentType(_ value: String?) -> String {
        guard let value, value.utf8.count <= 100, value.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) else {
            return "application/json"
        }
        return value
    }
}

extension ByteBuffer {
    /// Decimal digits, without making a text of them first.
    mutating func writeDecimal(_ value: Int64) {
        if value < 0 { writeInteger(UInt8(ascii: "-")) }
        writeDigits(value.magnitude, atLeast: 1)
    }

    /// Dollars with all nine decimals, as `Money.description`.
    mutating func writeMoney(_ money: Money) {
        if money.nanoUSD < 0 { writeInteger(UInt8(ascii: "-")) }
        writeDigits(money.nanoUSD.magnitude / 1_000_000_000, atLeast: 1)
        writeInteger(UInt8(ascii: "."))
        writeDigits(money.nanoUSD.magnitude % 1_000_000_000, atLeast: 9)
    }

    private mutating func writeDigits(_ value: UInt64, atLeast least: Int) {
        // 20 digits are the most a UInt64 has.
        writeWithUnsafeMutableBytes(minimumWritableBytes: 20) { out in
            var count = least
            var rest = value
            for _ in 0..<least { rest /= 10 }
            while rest > 0 {
                rest /= 10
                count += 1
            }
            rest = value
            for place in (0..<count).reversed() {
                out[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            return count
        }
    }
}

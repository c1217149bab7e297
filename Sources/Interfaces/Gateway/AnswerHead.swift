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

    /// Writes piece by piece into room reserved once: a head is written for every call, and joining texts first costs
    /// ten times as much.
    func write(into out: inout ByteBuffer) {
        let dropped = dropped.isEmpty ? "" : dropped.map(Self.safeFieldName).joined(separator: ", ")
        var room = Self.ownBytesMost + contentType.utf8.count + dropped.utf8.count
        if let target { room += target.provider.text.utf8.count + target.model.text.utf8.count }
        out.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { bytes in
            var line = HeadWriter(bytes)
            write(into: &line, dropped: dropped)
            return line.count
        }
    }

    /// More than all that is written besides the texts above: some 20 lines of names of at most 40 bytes and of numbers
    /// of at most 21 digits, the id twice, a method's and a format's name.
    private static let ownBytesMost = 1_536

    private func write(into out: inout HeadWriter, dropped: String) {
        out.write("HTTP/1.1 ")
        out.write(Int64(status))
        out.write(" ")
        out.write(Self.reason(status))
        out.write("\r\ncontent-type: ")
        out.write(text: contentType)
        if let length {
            out.write("\r\ncontent-length: ")
            out.write(Int64(length))
        } else {
            out.write("\r\ntransfer-encoding: chunked\r\ncache-control: no-cache")
        }
        out.write("\r\nx-request-id: ")
        let id = out.count
        out.write(request)
        out.write("\r\nrequest-id: ")
        out.writeAgain(id..<id + CallID.textLength)
        if let target {
            out.write("\r\nx-gatehouse-target: ")
            out.write(text: target.provider.text)
            out.write("/")
            out.write(text: target.model.text)
        }
        if let attempts {
            out.write("\r\nx-gatehouse-attempts: ")
            out.write(Int64(attempts))
        }
        if payer == .platform { out.write("\r\nx-gatehouse-payer: platform") }
        if let cache {
            out.write("\r\nx-gatehouse-cache: ")
            out.write(text: cache.rawValue)
        }
        if let translatedFrom {
            out.write("\r\nx-gatehouse-translated: ")
            out.write(text: translatedFrom.rawValue)
        }
        if !dropped.isEmpty {
            out.write("\r\nx-gatehouse-dropped: ")
            out.write(text: dropped)
        }
        if let cost {
            out.write("\r\nx-gatehouse-cost-usd: ")
            out.write(cost)
        }
        writeLimit(limits?.requests, "requests", into: &out)
        writeLimit(limits?.tokens, "tokens", into: &out)
        if let retryAfter {
            out.write("\r\nretry-after: ")
            out.write(max(1, Int64(retryAfter.secondsRoundedUp)))
            out.write("\r\nretry-after-ms: ")
            out.write(max(1, retryAfter.wholeMilliseconds))
        }
        if let allow {
            out.write("\r\nallow: ")
            out.write(text: allow.rawValue)
        }
        out.write(closes ? "\r\nconnection: close\r\n\r\n" : "\r\n\r\n")
    }

    /// OpenAI's names (platform.openai.com/docs/guides/rate-limits, seen 2026-11-23).
    private func writeLimit(_ line: LimitFacts.Fact?, _ what: StaticString, into out: inout HeadWriter) {
        guard let line else { return }
        out.write("\r\nx-ratelimit-limit-")
        out.write(what)
        out.write(": ")
        out.write(Int64(line.limit))
        out.write("\r\nx-ratelimit-remaining-")
        out.write(what)
        out.write(": ")
        out.write(Int64(line.remaining))
        out.write("\r\nx-ratelimit-reset-")
        out.write(what)
        out.write(": ")
        out.write(line.reset.wholeMilliseconds)
        out.write("ms")
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

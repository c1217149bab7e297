import Domain
import Limits
import NIOCore

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
    var cache: CacheOutcome?
    var cost: Money?
    var limits: LimitFacts?
    var retryAfter: Duration?
    var closes = false

    func write(into out: inout ByteBuffer) {
        out.writeStaticString("HTTP/1.1 ")
        out.writeString("\(status) \(Self.reason(status))\r\ncontent-type: \(contentType)\r\n")
        if let length {
            out.writeString("content-length: \(length)\r\n")
        } else {
            out.writeStaticString("transfer-encoding: chunked\r\ncache-control: no-cache\r\n")
        }
        let id = request.text
        out.writeString("x-request-id: \(id)\r\nrequest-id: \(id)\r\n")
        if let target { out.writeString("x-gatehouse-target: \(target)\r\n") }
        if let attempts { out.writeString("x-gatehouse-attempts: \(attempts)\r\n") }
        if let cache { out.writeString("x-gatehouse-cache: \(cache.rawValue)\r\n") }
        if let cost { out.writeString("x-gatehouse-cost-usd: \(cost)\r\n") }
        writeLimit(limits?.requests, "requests", into: &out)
        writeLimit(limits?.tokens, "tokens", into: &out)
        if let retryAfter {
            out.writeString(
                "retry-after: \(max(1, retryAfter.secondsRoundedUp))\r\nretry-after-ms: \(max(1, retryAfter.wholeMilliseconds))\r\n"
            )
        }
        out.writeString(closes ? "connection: close\r\n\r\n" : "\r\n")
    }

    /// OpenAI's names (platform.openai.com/docs/guides/rate-limits, seen 2026-11-23).
    private func writeLimit(_ line: LimitFacts.Fact?, _ what: String, into out: inout ByteBuffer) {
        guard let line else { return }
        out.writeString(
            """
            x-ratelimit-limit-\(what): \(line.limit)\r
            x-ratelimit-remaining-\(what): \(line.remaining)\r
            x-ratelimit-reset-\(what): \(line.reset.wholeMilliseconds)ms\r\n
            """)
    }

    /// RFC 9110 section 15; a status without a name of its own gets an empty phrase.
    private static func reason(_ status: Int) -> String {
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
        case 500: "Internal Server Error"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: ""
        }
    }

    /// A content type that may stand in a header; anything odd becomes JSON's.
    static func safeContentType(_ value: String?) -> String {
        guard let value, value.utf8.count <= 100, value.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) else {
            return "application/json"
        }
        return value
    }
}

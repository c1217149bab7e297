import Access
import Cipher
import Dialects
import Domain
import Engine
import NIOHTTP1

/// What the request's headers say to us, read once in one pass.
struct CallHeaders {
    private(set) var authorization: String?
    private(set) var apiKey: String?
    private(set) var azureKey: String?
    private(set) var repeated = false
    private(set) var cache = CacheDirective()
    private(set) var tags = ""
    /// Forwarded headers that change what a provider answers: they tell cached answers apart.
    private(set) var shaping = ""
    private(set) var timeout: Duration?
    private(set) var wishes = CallWishes()
    private(set) var contentLength: Int?
    private(set) var chunked = false
    private(set) var expectsContinue = false
    private(set) var asksForUpgrade = false

    /// A tag list longer than this is refused: it stands on every ledger row.
    private static let tagBytesMost = 128

    init(_ headers: HTTPHeaders) throws(CallFailure) {
        for (name, value) in headers {
            // Names are told apart by their length first: most headers are none of ours.
            switch name.utf8.count {
            case 6 where name.isHeader("expect"): expectsContinue = true
            case 7 where name.isHeader("api-key"): Self.set(&azureKey, value, &repeated)
            case 7 where name.isHeader("upgrade"): asksForUpgrade = true
            case 9 where name.isHeader("x-api-key"): Self.set(&apiKey, value, &repeated)
            case 11 where name.isHeader("openai-beta"): shaping += "openai-beta:\(value)\n"
            case 13 where name.isHeader("authorization"): Self.set(&authorization, value, &repeated)
            case 14 where name.isHeader("anthropic-beta"): shaping += "anthropic-beta:\(value)\n"
            case 14 where name.isHeader("content-length"): contentLength = Int(value)
            case 16 where name.isHeader("content-encoding"):
                guard value.isHeader("identity") else {
                    throw CallFailure(
                        .invalidRequest, source: .caller, "send the body without content-encoding",
                        field: "content-encoding",
                        status: 415)
                }
            case 16 where name.isHeader("x-gatehouse-tags"): tags = try Self.tags(value)
            case 17 where name.isHeader("anthropic-version"): shaping += "anthropic-version:\(value)\n"
            case 17 where name.isHeader("x-gatehouse-cache"): cache = try CacheDirective(header: value)
            case 17 where name.isHeader("transfer-encoding"): chunked = true
            case 17 where name.isHeader("x-gatehouse-route"): try wishes.readRoute(header: value)
            case 20 where name.isHeader("x-gatehouse-priority"): wishes.callClass = try Self.callClass(value)
            case 24 where name.isHeader("x-gatehouse-conversation"):
                wishes.conversation = try Self.conversation(value)
            case 19 where name.isHeader("x-gatehouse-timeout"): timeout = try Self.timeout(value)
            default: break
            }
        }
    }

    private static func set(_ place: inout String?, _ value: String, _ repeated: inout Bool) {
        if place != nil { repeated = true }
        place = value
    }

    /// Lends the credential headers to one call, which finds out who calls.
    mutating func withCredential<Output>(
        _ body: (PresentedCredential) throws(CallFailure) -> Output
    )
        throws(CallFailure) -> Output
    {
        try Self.lend(&authorization) { (first) throws(CallFailure) in
            try Self.lend(&apiKey) { (second) throws(CallFailure) in
                try Self.lend(&azureKey) { (third) throws(CallFailure) in
                    try body(
                        PresentedCredential(
                            authorization: first, xAPIKey: second, apiKey: third, repeated: repeated))
                }
            }
        }
    }

    private static func lend<Output>(
        _ text: inout String?, _ body: (UnsafeRawBufferPointer?) throws(CallFailure) -> Output
    ) throws(CallFailure) -> Output {
        guard var bytes = text else { return try body(nil) }
        // `withUTF8` does not carry typed errors through.
        return try bytes.withUTF8 { utf8 in
            Result { () throws(CallFailure) in try body(UnsafeRawBufferPointer(utf8)) }
        }.get()
    }

    /// `name=value` pairs separated by commas, of letters, digits and `. _ -`.
    private static func tags(_ value: String) throws(CallFailure) -> String {
        let bytes = Array(value.utf8.filter { $0 != 0x20 })
        let pairs = bytes.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        let good =
            bytes.count <= tagBytesMost
            && pairs.allSatisfy { pair in
                let parts = pair.split(separator: UInt8(ascii: "="), omittingEmptySubsequences: false)
                return parts.count == 2 && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(isTagByte) }
            }
        guard good else {
            throw CallFailure(
                .invalidRequest, source: .caller,
                "x-gatehouse-tags is name=value,name=value of letters, digits, '.', '_' and '-', at most \(tagBytesMost) bytes",
                field: "x-gatehouse-tags")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isTagByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private static func callClass(_ value: String) throws(CallFailure) -> CallClass {
        guard let found = CallClass(rawValue: value) else {
            throw CallFailure(
                .invalidRequest, source: .caller, "x-gatehouse-priority is interactive or batch",
                field: "x-gatehouse-priority")
        }
        return found
    }

    /// Any text of the caller's; only told apart, never kept.
    private static func conversation(_ value: String) throws(CallFailure) -> UInt64 {
        guard (1...256).contains(value.utf8.count) else {
            throw CallFailure(
                .invalidRequest, source: .caller, "x-gatehouse-conversation is 1 to 256 bytes",
                field: "x-gatehouse-conversation")
        }
        // FNV-1a (Fowler, Noll, Vo).
        return value.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// Seconds, `30`, `30s`, or milliseconds, `1500ms`.
    private static func timeout(_ value: String) throws(CallFailure) -> Duration {
        let text = value.utf8
        let milliseconds: Int64?
        if text.ends(with: "ms".utf8) {
            milliseconds = Int64(value.dropLast(2))
        } else {
            milliseconds = Int64(text.ends(with: "s".utf8) ? value.dropLast() : value[...]).map {
                // What does not fit is refused below.
                $0.multipliedReportingOverflow(by: 1_000).overflow ? -1 : $0 * 1_000
            }
        }
        guard let milliseconds, (1...7_200_000).contains(milliseconds) else {
            throw CallFailure(
                .invalidRequest, source: .caller,
                "x-gatehouse-timeout is seconds (30, 30s) or milliseconds (1500ms)",
                field: "x-gatehouse-timeout")
        }
        return .milliseconds(milliseconds)
    }
}

extension Sequence<UInt8> where Self: BidirectionalCollection {
    func ends(with suffix: some BidirectionalCollection<UInt8>) -> Bool {
        reversed().starts(with: suffix.reversed())
    }
}

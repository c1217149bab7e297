import Foundation

/// A provider's answer as a file has it: status line and headers, a blank line, the body as it is.
///
/// Written from the providers' public documentation and from what their SDKs read; see ``AdapterEntry`` for whose. Ids
/// and figures are made up, and length and framing are added here.
struct RecordedAnswer: Sendable {
    let statusLine: String
    let headers: [String]
    let body: [UInt8]

    /// - Parameter name: below the folder of the fixtures, such as `openai/unary.http`.
    init(_ name: String) throws {
        let bytes = try Self.bytes(name)
        let blank = Array("\n\n".utf8)
        guard let end = bytes.firstRange(of: blank) else { throw CocoaError(.fileReadCorruptFile) }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\n")
        statusLine = String(head[0])
        headers = head.dropFirst().map(String.init)
        body = Array(bytes[end.upperBound...])
    }

    static func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: url(name))) }

    /// The files of a folder, by name.
    static func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: url(folder).path).sorted()
    }

    private static func url(_ name: String) throws -> URL {
        guard let folder = Bundle.module.url(forResource: "Fixtures", withExtension: nil) else {
            throw CocoaError(.fileNoSuchFile)
        }
        return folder.appending(path: name)
    }

    var status: Int { Int(statusLine.split(separator: " ")[1]) ?? 0 }

    func header(_ name: String) -> String? {
        headers.first { $0.hasPrefix("\(name): ") }.map { String($0.dropFirst(name.utf8.count + 2)) }
    }

    // MARK: On the wire

    /// With its length.
    var counted: [UInt8] { head("content-length: \(body.count)") + body }

    /// Its events, each with the blank line or the checksum that ends it.
    var events: [[UInt8]] {
        guard header("content-type")?.hasPrefix("text/event-stream") == true else { return messages }
        var events: [[UInt8]] = []
        var rest = body[...]
        while let end = rest.firstRange(of: Array("\n\n".utf8)) {
            events.append(Array(rest[..<end.upperBound]))
            rest = rest[end.upperBound...]
        }
        return events
    }

    /// Messages of `application/vnd.amazon.eventstream`: each begins with its length.
    private var messages: [[UInt8]] {
        var events: [[UInt8]] = []
        var rest = body[...]
        while rest.count >= 4 {
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            events.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return events
    }

    /// As a stream of its first events, one a chunk; whole only with all of them.
    func streamed(_ count: Int? = nil) -> [UInt8] {
        let all = events
        let sent = all.prefix(count ?? all.count)
        let chunks = sent.flatMap {
            Array("\(String($0.count, radix: 16))\r\n".utf8) + $0 + Array("\r\n".utf8)
        }
        return head("transfer-encoding: chunked") + chunks + (count == nil ? Array("0\r\n\r\n".utf8) : [])
    }

    private func head(_ framing: String) -> [UInt8] {
        Array((([statusLine] + headers + [framing]).joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }
}

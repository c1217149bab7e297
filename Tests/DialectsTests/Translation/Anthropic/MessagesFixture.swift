import Dialects
import Domain
import Foundation
import Testing

/// What the tests of Anthropic's messages read and share.
enum MessagesFixture {
    static func text(_ name: String) throws -> String {
        let folder = Bundle.module.url(forResource: "Fixtures", withExtension: nil)
        guard let folder else { throw CocoaError(.fileNoSuchFile) }
        let data = try Data(contentsOf: folder.appending(path: "translation/anthropic/\(name)"))
        return String(decoding: data, as: UTF8.self)
    }

    static func node(_ name: String) throws -> JSONNode { try JSONNode.read(try text(name)) }

    static let context = AnswerContext(
        id: "01J", model: "fast", created: WallTime(milliseconds: 0), inputEstimate: 12)

    static let usage = Usage(
        input: 30, cacheRead: 3_000, cacheWrite: 12_000, cacheWriteHour: 304, output: 628)

    /// What comes of a stream in these chunks.
    static func pieces(_ chunks: [[UInt8]]) throws -> [AnswerPiece] {
        var decoder = MessagesStreamDecoder()
        var pieces: [AnswerPiece] = []
        for chunk in chunks {
            try lend(chunk) { (lent) throws(StreamFault) in try decoder.read(lent) { pieces.append($0) } }
        }
        decoder.finish { pieces.append($0) }
        return pieces
    }

    /// The stream that pieces become, event by event.
    static func written(_ pieces: [AnswerPiece], _ context: AnswerContext = context) -> [String] {
        var encoder = MessagesStreamEncoder(context)
        var out: [UInt8] = []
        for piece in pieces { encoder.write(piece, into: &out) }
        return dialectEvents(out)
    }

    private static func dialectEvents(_ bytes: [UInt8]) -> [String] {
        String(decoding: bytes, as: UTF8.self).split(separator: "\n\n").map(String.init)
    }

    /// The data of events, as values.
    static func data(_ events: [String]) throws -> [JSONNode] {
        try events.map { event in
            let lines = event.split(separator: "\n").map(String.init)
            #expect(lines.count == 2)
            let node = try JSONNode.read(String(lines[1].dropFirst("data: ".count)))
            #expect(lines[0] == "event: \(node["type"]?.text ?? "")")
            return node
        }
    }
}

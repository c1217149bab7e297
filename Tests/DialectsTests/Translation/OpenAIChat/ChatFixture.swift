import Dialects
import Domain
import Foundation
import Testing

/// What the tests of OpenAI's chat completions read and share.
enum ChatFixture {
    static func text(_ name: String) throws -> String {
        let folder = Bundle.module.url(forResource: "Fixtures", withExtension: nil)
        guard let folder else { throw CocoaError(.fileNoSuchFile) }
        let data = try Data(contentsOf: folder.appending(path: "translation/openai-chat/\(name)"))
        return String(decoding: data, as: UTF8.self)
    }

    static func node(_ name: String) throws -> JSONNode { try JSONNode.read(try text(name)) }

    static let context = AnswerContext(
        id: "01J", model: "fast", created: WallTime(milliseconds: 1_694_268_190_999))

    /// What `answer.json` and `stream.sse` report.
    static let usage = Usage(input: 86, cacheRead: 1_920, output: 172, reasoning: 128)

    static func own(_ text: String) -> OpaqueToken { OpaqueToken(text, of: .openAIChat) }

    /// What comes of a stream in these chunks.
    static func pieces(_ chunks: [[UInt8]]) throws -> [AnswerPiece] {
        var decoder = ChatStreamDecoder()
        var pieces: [AnswerPiece] = []
        for chunk in chunks {
            try lend(chunk) { (lent) throws(StreamFault) in try decoder.read(lent) { pieces.append($0) } }
        }
        decoder.finish { pieces.append($0) }
        return pieces
    }

    /// What comes of events with these data.
    static func pieces(data events: [String]) throws -> [AnswerPiece] {
        try pieces(events.map { Array("data: \($0)\n\n".utf8) })
    }

    /// The data of the stream that pieces become, event by event.
    static func written(_ pieces: [AnswerPiece], _ context: AnswerContext = context) -> [String] {
        var encoder = ChatStreamEncoder(context)
        var out: [UInt8] = []
        for piece in pieces { encoder.write(piece, into: &out) }
        return String(decoding: out, as: UTF8.self).split(separator: "\n\n").map { event in
            #expect(event.utf8.starts(with: "data: ".utf8) && !event.contains("\n"))
            return String(event.dropFirst("data: ".count))
        }
    }
}

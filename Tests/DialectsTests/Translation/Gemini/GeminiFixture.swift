import Dialects
import Domain
import Foundation
import Testing

/// What the tests of Gemini's format read and share.
enum GeminiFixture {
    static func text(_ name: String) throws -> String {
        let folder = Bundle.module.url(forResource: "Fixtures", withExtension: nil)
        guard let folder else { throw CocoaError(.fileNoSuchFile) }
        let data = try Data(contentsOf: folder.appending(path: "translation/gemini/\(name)"))
        return String(decoding: data, as: UTF8.self)
    }

    static func node(_ name: String) throws -> JSONNode { try JSONNode.read(try text(name)) }

    static let context = AnswerContext(
        id: "01J", model: "fast", created: WallTime(milliseconds: 1_694_268_190_999), inputEstimate: 12)

    static let target = WireTarget(model: "gemini-3.6-flash")

    /// What `answer.json` and the end of `stream.sse` report.
    static let usage = Usage(input: 92, cacheRead: 1_920, output: 44, reasoning: 128)

    static func own(_ text: String) -> OpaqueToken { OpaqueToken(text, of: .geminiContents) }

    /// What a call without an id is called in `answer.json` and `stream.sse`.
    static let givenID = "gemini_xmogxnj0glkz_1"

    /// What comes of a stream in these chunks.
    static func pieces(_ chunks: [[UInt8]]) throws -> [AnswerPiece] {
        var decoder = GeminiStreamDecoder()
        var pieces: [AnswerPiece] = []
        for chunk in chunks {
            try lend(chunk) { (lent) throws(StreamFault) in try decoder.read(lent) { pieces.append($0) } }
        }
        decoder.finish { pieces.append($0) }
        return pieces
    }

    /// What comes of events with these data.
    static func pieces(data events: String...) throws -> [AnswerPiece] {
        try pieces(events.map { Array("data: \($0)\n\n".utf8) })
    }

    /// A response with these parts, as an event has it.
    static func event(_ parts: String, reason: String? = nil) -> String {
        let end = reason.map { #","finishReason":"\#($0)""# } ?? ""
        return #"{"candidates":[{"content":{"parts":[\#(parts)],"role":"model"}\#(end)}]}"#
    }
}

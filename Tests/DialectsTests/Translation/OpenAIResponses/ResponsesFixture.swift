import Dialects
import Domain
import Foundation
import Testing

/// What the tests of OpenAI's responses read and share.
enum ResponsesFixture {
    static func text(_ name: String) throws -> String {
        let folder = Bundle.module.url(forResource: "Fixtures", withExtension: nil)
        guard let folder else { throw CocoaError(.fileNoSuchFile) }
        let data = try Data(contentsOf: folder.appending(path: "translation/openai-responses/\(name)"))
        return String(decoding: data, as: UTF8.self)
    }

    static func node(_ name: String) throws -> JSONNode { try JSONNode.read(try text(name)) }

    static let context = AnswerContext(
        id: "01J", model: "fast", created: WallTime(milliseconds: 1_700_000_000_999), inputEstimate: 12)

    static let usage = Usage(
        input: 30, cacheRead: 3_000, cacheWrite: 12_000, cacheWriteHour: 304, output: 128, reasoning: 500)

    /// An answer with everything that one can hold.
    static let parts: [Conversation.Part] = [
        .reasoning(
            .init(text: "The user asks.", token: OpaqueToken("EqoB", of: .anthropicMessages))),
        .reasoning(.init(text: "", token: OpaqueToken("RW5j", of: .anthropicMessages), isHidden: true)),
        .reasoning(.init(text: "", token: OpaqueToken("sig", of: .bedrockConverse))),
        .text("Grüße aus \"Paris\" 🌦"), .refusal("No more."),
        .toolCall(
            .init(
                id: "call_1", name: "get_weather", arguments: #"{"city":"Paris"}"#,
                signature: OpaqueToken("Cp==", of: .geminiContents))),
        .toolCall(.init(id: "call_2", name: "get_time", arguments: "{}")),
        .text("Done."),
    ]

    /// The same as a stream.
    static let pieces: [AnswerPiece] = [
        .began(id: "x"), .usage(Usage(input: 30), isFinal: false), .reasoning("The user "),
        .reasoning("asks."), .reasoningToken(OpaqueToken("EqoB", of: .anthropicMessages)),
        .hiddenReasoning(OpaqueToken("RW5j", of: .anthropicMessages)),
        .reasoningToken(OpaqueToken("sig", of: .bedrockConverse)), .text("Grüße aus "),
        .text("\"Paris\" 🌦"), .refusal("No "), .refusal("more."),
        .callBegan(
            index: 0, id: "call_1", name: "get_weather", signature: OpaqueToken("Cp==", of: .geminiContents)),
        .callBegan(index: 1, id: "call_2", name: "get_time", signature: nil),
        .callArguments(index: 0, #"{"city":"#), .callArguments(index: 0, #""Paris"}"#),
        .callEnded(index: 0), .callEnded(index: 1), .text("Done."), .stopped(.finished, sequence: nil),
        .usage(usage, isFinal: true), .ended,
    ]

    /// The stream that pieces become, event by event.
    static func written(_ pieces: [AnswerPiece], _ context: AnswerContext = context) -> [String] {
        var encoder = ResponsesStreamEncoder(context)
        var out: [UInt8] = []
        for piece in pieces { encoder.write(piece, into: &out) }
        let whole = String(decoding: out, as: UTF8.self)
        #expect(whole.isEmpty || whole.hasSuffix("\n\n"))
        return whole.split(separator: "\n\n").map(String.init)
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

    /// What the items of an output say when a caller hands them back.
    static func handedBack(_ output: JSONNode?) throws -> ([Conversation.Part], [String]) {
        var losses = Losses()
        let request = JSONNode.object(["model": .string("m"), "input": output])
        let turns = try ResponsesRequestDecoder.decode(request, losses: &losses).turns
        #expect(turns.allSatisfy { $0.role == .assistant })
        return (turns.flatMap(\.parts), losses.fields)
    }
}

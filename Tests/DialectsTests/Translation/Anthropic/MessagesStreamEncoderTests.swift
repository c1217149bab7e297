import Dialects
import Domain
import Testing

@Suite struct MessagesStreamEncoderTests {
    /// The form that every stream of this format has, whole or not; a caller's SDK counts on it.
    static func check(_ events: [String], _ note: Comment) throws {
        var open: Int64?
        var blocks: Int64 = 0
        var isStopped = false
        for (position, event) in try MessagesFixture.data(events).enumerated() {
            switch event["type"]?.text {
            case "message_start": #expect(position == 0, note)
            case "content_block_start":
                #expect(open == nil && event["index"]?.whole == blocks && !isStopped, note)
                open = blocks
                blocks += 1
            case "content_block_delta": #expect(open != nil && event["index"]?.whole == open, note)
            case "content_block_stop":
                #expect(open != nil && event["index"]?.whole == open, note)
                open = nil
            case "message_delta":
                #expect(open == nil && !isStopped, note)
                isStopped = true
            case "message_stop": #expect(isStopped && position == events.count - 1, note)
            case "error": #expect(position == events.count - 1, note)
            default: Issue.record(note)
            }
        }
    }

    private func types(_ events: [String]) throws -> [String] {
        try MessagesFixture.data(events).compactMap { event in
            let inner = event["content_block"]?["type"] ?? event["delta"]?["type"]
            return inner?.text ?? event["type"]?.text
        }
    }

    private let usage = Usage(input: 3, output: 9)

    @Test func `a stream that is read and written is read again as it was`() throws {
        let pieces = try MessagesFixture.pieces([Array(try MessagesFixture.text("stream.sse").utf8)])
        let events = MessagesFixture.written(pieces)
        try Self.check(events, "whole")
        var again = try MessagesFixture.pieces(events.map { Array(($0 + "\n\n").utf8) })
        #expect(again.removeFirst() == .began(id: "msg_01J"))
        #expect(again == Array(pieces.dropFirst()))
    }

    @Test func `the smallest stream has the API's events`() {
        let events = MessagesFixture.written([
            .began(id: "x"), .text("Hi"), .stopped(.finished, sequence: nil), .usage(usage, isFinal: true),
            .ended,
        ])
        let figures =
            #""cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0}"#
        #expect(
            events == [
                "event: message_start\ndata: "
                    + #"{"type":"message_start","message":{"id":"msg_01J","type":"message","role":"assistant","model":"fast","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":12,\#(figures),"output_tokens":0}}}"#,
                "event: content_block_start\ndata: "
                    + #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
                "event: content_block_delta\ndata: "
                    + #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#,
                "event: content_block_stop\ndata: " + #"{"type":"content_block_stop","index":0}"#,
                "event: message_delta\ndata: "
                    + #"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":3,\#(figures),"output_tokens":9}}"#,
                "event: message_stop\ndata: " + #"{"type":"message_stop"}"#,
            ])
    }

    @Test func `the usage may come before, with or after the stop`() throws {
        let early = MessagesFixture.written([
            .began(id: nil), .usage(Usage(input: 3), isFinal: false), .text("Hi"),
            .usage(usage, isFinal: true),
            .stopped(.length, sequence: nil),
        ])
        #expect(try MessagesFixture.data(early)[0]["message"]?["usage"]?["input_tokens"]?.whole == 3)
        #expect(try types(early).last == "message_delta")
        let held = MessagesFixture.written([.began(id: nil), .text("Hi"), .stopped(.length, sequence: nil)])
        #expect(try types(held).last == "content_block_stop")
        let none = MessagesFixture.written([
            .began(id: nil), .stopped(.stopSequence, sequence: "END"), .ended,
        ])
        let data = try MessagesFixture.data(none)
        #expect(try types(none) == ["message_start", "message_delta", "message_stop"])
        #expect(data[1]["delta"]?.json == #"{"stop_reason":"stop_sequence","stop_sequence":"END"}"#)
        #expect(data[1]["usage"]?["output_tokens"]?.whole == 0)
        #expect(
            try types(MessagesFixture.written([.ended])) == [
                "message_start", "message_delta", "message_stop",
            ])
    }

    @Test func `what comes in turns is written one after the other`() throws {
        let events = MessagesFixture.written([
            .began(id: nil), .reasoning("Hm"), .text("Hi"), .refusal("!"),
            .callBegan(index: 0, id: "a", name: "f", signature: nil),
            .callBegan(index: 1, id: "b", name: "g", signature: OpaqueToken("s", of: .geminiContents)),
            .callArguments(index: 1, "{\"x\""), .callArguments(index: 0, "{"), .text("More"),
            .callArguments(index: 1, ":1}"), .callArguments(index: 0, "}"), .callEnded(index: 0),
            .callArguments(index: 7, "lost"), .callEnded(index: 1), .stopped(.toolCalls, sequence: nil),
            .ended,
        ])
        try Self.check(events, "in turns")
        #expect(
            try types(events) == [
                "message_start", "thinking", "thinking_delta", "content_block_stop", "text", "text_delta",
                "text_delta", "content_block_stop", "tool_use", "input_json_delta", "input_json_delta",
                "content_block_stop", "thinking", "signature_delta", "content_block_stop", "tool_use",
                "input_json_delta", "content_block_stop", "text", "text_delta", "content_block_stop",
                "message_delta", "message_stop",
            ])
        let data = try MessagesFixture.data(events)
        #expect(data[13]["delta"]?["signature"]?.text == "tool_call:gemini-contents:s")
        #expect(data[16]["delta"]?["partial_json"]?.text == #"{"x":1}"#)
    }

    @Test func `foreign reasoning goes with its maker's name`() throws {
        let events = MessagesFixture.written([
            .began(id: nil), .reasoningToken(OpaqueToken("s", of: .geminiContents)),
            .hiddenReasoning(OpaqueToken("t", of: .openAIResponses)), .reasoning("Hm"),
            .reasoningToken(OpaqueToken("u", of: .anthropicMessages)), .reasoning("again"),
        ])
        try Self.check(events, "reasoning")
        #expect(
            try types(events) == [
                "message_start", "thinking", "signature_delta", "content_block_stop", "redacted_thinking",
                "content_block_stop", "thinking", "thinking_delta", "signature_delta", "content_block_stop",
                "thinking", "thinking_delta",
            ])
        let data = try MessagesFixture.data(events)
        #expect(data[2]["delta"]?["signature"]?.text == "gemini-contents:s")
        #expect(data[4]["content_block"]?["data"]?.text == "openai-responses:t")
        #expect(data[8]["delta"]?["signature"]?.text == "u")
    }

    @Test func `nothing is written for a failure or behind it`() throws {
        let events = MessagesFixture.written([
            .began(id: nil), .text("Hi"), .failed(UpstreamError(message: "x")), .text("Ho"), .ended,
        ])
        #expect(try types(events) == ["message_start", "text", "text_delta"])
    }

    @Test func `what waits is bounded, and what is too much ends in an error`() throws {
        let piece = String(repeating: "a", count: 1_000)
        var pieces: [AnswerPiece] = [
            .began(id: nil), .callBegan(index: 0, id: "a", name: "f", signature: nil),
            .callBegan(index: 1, id: "b", name: "f", signature: nil),
        ]
        pieces += (0..<1_040).map { _ in .callArguments(index: 1, piece) }
        let within = MessagesFixture.written(pieces + [.stopped(.toolCalls, sequence: nil), .ended])
        try Self.check(within, "within")
        #expect(try types(within).last == "message_stop")
        pieces += (0..<10).map { _ in .callArguments(index: 1, piece) }
        let beyond = MessagesFixture.written(pieces + [.stopped(.toolCalls, sequence: nil), .ended])
        #expect(try types(beyond) == ["message_start", "tool_use", "error"])
        // What went out makes room again.
        var many: [AnswerPiece] = [.began(id: nil)]
        for index in 0..<20 {
            many.append(.callBegan(index: index, id: "a", name: "f", signature: nil))
            if index > 0 {
                many += (0..<100).map { _ in .callArguments(index: index, piece) }
                many.append(.callEnded(index: index - 1))
            }
        }
        #expect(
            try types(MessagesFixture.written(many + [.stopped(.toolCalls, sequence: nil), .ended])).last
                == "message_stop")
    }

    @Test func `random pieces become a stream of the format that says the same`() throws {
        let seed: UInt64 = 0xa27_0005
        var random = SplitMix(seed: seed)
        for round in 0..<1_000 {
            var pieces: [AnswerPiece] = [.began(id: nil)]
            var open: [Int] = []
            var arguments: [String] = []
            var texts = ""
            for step in 0..<Int(random.next() % 30) {
                switch random.next() % 6 {
                case 0:
                    pieces.append(.text("t\(step)"))
                    texts += "t\(step)"
                case 1: pieces.append(.reasoning("r\(step)"))
                case 2: pieces.append(.reasoningToken(OpaqueToken("s", of: .geminiContents)))
                case 3:
                    pieces.append(
                        .callBegan(index: arguments.count, id: "c\(step)", name: "f", signature: nil))
                    open.append(arguments.count)
                    arguments.append("")
                case 4:
                    guard let call = open.randomElement(using: &random) else { continue }
                    pieces.append(.callArguments(index: call, "a\(step)"))
                    arguments[call] += "a\(step)"
                default:
                    guard let call = open.randomElement(using: &random) else { continue }
                    open.removeAll { $0 == call }
                    pieces.append(.callEnded(index: call))
                }
            }
            pieces += [.usage(usage, isFinal: true), .stopped(.finished, sequence: nil), .ended]
            let events = MessagesFixture.written(pieces)
            try Self.check(events, "seed \(seed), round \(round)")
            let again = try MessagesFixture.pieces(events.map { Array(($0 + "\n\n").utf8) })
            #expect(again.last == .ended, "seed \(seed), round \(round)")
            var found = Array(repeating: "", count: arguments.count)
            var foundTexts = ""
            for piece in again {
                if case .callArguments(let index, let more) = piece { found[index] += more }
                if case .text(let more) = piece { foundTexts += more }
            }
            #expect(found == arguments && foundTexts == texts, "seed \(seed), round \(round)")
        }
    }
}

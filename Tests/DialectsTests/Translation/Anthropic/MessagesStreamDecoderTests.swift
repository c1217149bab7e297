import Dialects
import Domain
import Testing

@Suite struct MessagesStreamDecoderTests {
    private func pieces(_ events: String...) throws -> [AnswerPiece] {
        try MessagesFixture.pieces(
            events.map { event in
                let type = (try? JSONNode.read(event))?["type"]?.text ?? "message_stop"
                return Array("event: \(type)\ndata: \(event)\n\n".utf8)
            })
    }

    private var expected: [AnswerPiece] {
        var early = MessagesFixture.usage
        early.output = 1
        return [
            .began(id: "msg_1"), .usage(early, isFinal: false), .reasoning("The user "), .reasoning("asks."),
            .reasoningToken(OpaqueToken("EqoBCkgIBBABGAI=", of: .anthropicMessages)),
            .hiddenReasoning(OpaqueToken("RW5jcnlwdGVk", of: .anthropicMessages)),
            .text("Grüße "), .text("aus Paris 🌦"),
            .callBegan(index: 0, id: "toolu_1", name: "get_weather", signature: nil),
            .callArguments(index: 0, #"{"city": "#), .callArguments(index: 0, #""Paris"}"#),
            .callEnded(index: 0), .callBegan(index: 1, id: "toolu_2", name: "get_time", signature: nil),
            .callArguments(index: 1, #"{"zone":"CET"}"#), .callEnded(index: 1),
            .usage(MessagesFixture.usage, isFinal: true), .stopped(.toolCalls, sequence: nil), .ended,
        ]
    }

    @Test func `a stream cut at every byte gives the same pieces`() throws {
        let stream = Array(try MessagesFixture.text("stream.sse").utf8)
        #expect(try MessagesFixture.pieces([stream]) == expected)
        for cut in 1..<stream.count {
            let found = try MessagesFixture.pieces([Array(stream[..<cut]), Array(stream[cut...])])
            #expect(found == expected, "cut at \(cut)")
        }
        #expect(try MessagesFixture.pieces(stream.map { [$0] }) == expected)
    }

    private let start =
        #"{"type":"message_start","message":{"id":"m","usage":{"input_tokens":3,"output_tokens":1}}}"#
    private let text =
        #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"Hi"}}"#
    private let stop = #"{"type":"message_stop"}"#

    private func delta(_ reason: String, output: Int = 2) -> String {
        #"{"type":"message_delta","delta":{"stop_reason":"\#(reason)","stop_sequence":"END"},"usage":{"output_tokens":\#(output)}}"#
    }

    @Test func `the last stop reason and the last usage count`() throws {
        let found = try pieces(
            start, text, delta("end_turn"), delta("stop_sequence", output: 9), stop, text, stop)
        #expect(
            found == [
                .began(id: "m"), .usage(Usage(input: 3, output: 1), isFinal: false), .text("Hi"),
                .usage(Usage(input: 3, output: 2), isFinal: true),
                .usage(Usage(input: 3, output: 9), isFinal: true), .stopped(.stopSequence, sequence: "END"),
                .ended,
            ])
    }

    @Test func `a stream that was cut has no end`() throws {
        #expect(
            try pieces(start, text, delta("end_turn")).last
                == .usage(Usage(input: 3, output: 2), isFinal: true))
        #expect(try pieces(start, text).last == .text("Hi"))
    }

    @Test func `blocks that stay open end with the message`() throws {
        let call =
            #"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}}"#
        let thinking =
            #"{"type":"content_block_start","index":2,"content_block":{"type":"thinking","thinking":"","signature":"s"}}"#
        #expect(
            try pieces(call, thinking, stop) == [
                .began(id: nil), .callBegan(index: 0, id: "a", name: "f", signature: nil),
                .callEnded(index: 0),
                .reasoning(""), .reasoningToken(OpaqueToken("s", of: .anthropicMessages)),
                .stopped(.finished, sequence: nil), .ended,
            ])
    }

    @Test func `an error ends the stream with what it says`() throws {
        let error = #"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#
        let found = try pieces(start, text, error, text, stop)
        #expect(found.last == .failed(UpstreamError(type: "overloaded_error", message: "Overloaded")))
        #expect(found.count == 4)
        #expect(
            try pieces(start, "{", stop).last
                == .failed(UpstreamError(message: "the stream holds an event that is not JSON")))
        #expect(
            try pieces(#"{"type":"content_block_start","content_block":{"type":"tool_use"}}"#).last
                == .failed(UpstreamError(message: "the stream holds a tool call without id or name")))
    }

    @Test func `no stream can open blocks without end`() throws {
        let blocks = (0..<300).map { index in
            let event = #"{"type":"content_block_start","index":\#(index),"content_block":{"type":"other"}}"#
            return Array("data: \(event)\n\n".utf8)
        }
        #expect(
            try MessagesFixture.pieces(blocks) == [
                .began(id: nil), .failed(UpstreamError(message: "the stream has too many blocks at once")),
            ])
    }

    @Test func `changed events never crash the decoder and keep its promises`() throws {
        let seed: UInt64 = 0xa27_0004
        var random = SplitMix(seed: seed)
        let events = try MessagesFixture.text("stream.sse").split(separator: "\n\n").map(String.init)
        var ended = 0
        for round in 0..<1_500 {
            var stream: [[UInt8]] = []
            for event in events where random.next() % 20 != 0 {
                let lines = event.split(separator: "\n").map(String.init)
                var data = try JSONNode.read(String(lines[1].dropFirst(6)))
                if random.next() % 4 == 0 { data = ConverseMutation.changed(data, &random) }
                let bytes = Array("\(lines[0])\ndata: \(data.json)\n\n".utf8)
                stream.insert(bytes, at: random.next() % 10 == 0 ? stream.count / 2 : stream.count)
            }
            let found = try MessagesFixture.pieces(stream)
            PieceRules.check(found, "seed \(seed), round \(round)")
            if found.last == .ended { ended += 1 }
            // Whatever came, what is written of it is a stream of this format.
            let written = MessagesFixture.written(found)
            try MessagesStreamEncoderTests.check(written, "seed \(seed), round \(round)")
        }
        #expect(ended > 0 && ended < 1_500, "seed \(seed)")
    }
}

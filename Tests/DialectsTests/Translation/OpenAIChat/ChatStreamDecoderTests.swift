import Dialects
import Domain
import Testing

@Suite struct ChatStreamDecoderTests {
    static let signed =
        #"{"type":"reasoning.text","format":"anthropic-claude-v1","index":0,"signature":"c2ln"}"#
    static let hidden =
        #"{"type":"reasoning.encrypted","id":"rs_1","format":"anthropic-claude-v1","index":1,"data":"gAAA"}"#

    /// What `stream.sse` says.
    static let expected: [AnswerPiece] = [
        .began(id: "chatcmpl-123"), .reasoning("The user "), .reasoning("asks."),
        .reasoningToken(ChatFixture.own(signed)), .hiddenReasoning(ChatFixture.own(hidden)),
        .text("Grüße "), .text("aus Paris 🌦"),
        .callBegan(index: 0, id: "call_1", name: "get_weather", signature: ChatFixture.own("Cp0B")),
        .callArguments(index: 0, #"{"city": "#),
        .callBegan(index: 1, id: "call_2", name: "get_time", signature: nil),
        .callArguments(index: 1, #"{"zone":"#), .callArguments(index: 0, #""Paris"}"#),
        .callArguments(index: 1, #""CET"}"#), .callEnded(index: 0), .callEnded(index: 1),
        .stopped(.toolCalls, sequence: nil), .usage(ChatFixture.usage, isFinal: true), .ended,
    ]

    /// What comes of chunks with these deltas, but for the beginning and the end.
    private func pieces(_ deltas: String...) throws -> [AnswerPiece] {
        let events = deltas.map { #"{"id":"c","choices":[{"index":0,"delta":\#($0)}]}"# }
        let found = try ChatFixture.pieces(data: events + ["[DONE]"])
        #expect(found.first == .began(id: "c"))
        #expect(found.last == .ended)
        return Array(found.dropFirst().dropLast())
    }

    private func pieces(data events: String...) throws -> [AnswerPiece] {
        try ChatFixture.pieces(data: events)
    }

    @Test func `a stream cut at every byte gives the same pieces`() throws {
        let stream = Array(try ChatFixture.text("stream.sse").utf8)
        #expect(try ChatFixture.pieces([stream]) == Self.expected)
        for cut in 1..<stream.count {
            let found = try ChatFixture.pieces([Array(stream[..<cut]), Array(stream[cut...])])
            #expect(found == Self.expected, "cut at \(cut)")
        }
        #expect(try ChatFixture.pieces(stream.map { [$0] }) == Self.expected)
    }

    @Test func `plain reasoning knows the member it came in`() throws {
        #expect(
            try pieces(
                #"{"reasoning_content":"a","content":null}"#, #"{"reasoning_content":"b","content":""}"#,
                #"{"content":"c"}"#, #"{"reasoning":"d","reasoning_details":[]}"#)
                == [
                    .reasoning("a"), .reasoning("b"), .reasoningToken(ChatFixture.own("reasoning_content")),
                    .text("c"), .reasoning("d"), .reasoningToken(ChatFixture.own("reasoning")),
                    .stopped(.finished, sequence: nil),
                ])
    }

    @Test func `details end where another begins, and may be signed without a text`() throws {
        func detail(_ members: String) -> String { #"{"reasoning_details":[{\#(members)}]}"# }
        #expect(
            try pieces(
                detail(#""type":"reasoning.summary","summary":"a","index":0,"format":"f""#),
                detail(#""type":"reasoning.summary","summary":"b","index":1"#),
                detail(#""type":"reasoning.text","text":"c","index":1"#),
                detail(#""type":"reasoning.text","text":"","index":1,"format":"f""#),
                detail(#""type":"reasoning.text","signature":"bedrock-converse:s","index":2"#),
                detail(#""type":"reasoning.new""#), detail(#""type":"reasoning.encrypted""#),
                #"{"refusal":"No."}"#)
                == [
                    .reasoning("a"),
                    .reasoningToken(
                        ChatFixture.own(#"{"type":"reasoning.summary","format":"f","index":0}"#)),
                    .reasoning("b"), .reasoning("c"), .reasoning(""),
                    .reasoningToken(OpaqueToken("s", of: .bedrockConverse)), .refusal("No."),
                    .stopped(.refusal, sequence: nil),
                ])
    }

    /// Each with the names and arguments that its calls have in the end.
    @Test(
        arguments: [
            // No index: the id tells, then the name, then the order.
            (
                [
                    #"[{"id":"a","function":{"name":"f","arguments":"{"}}]"#,
                    #"[{"function":{"arguments":"}"}}]"#,
                    #"[{"id":"b","function":{"name":"g","arguments":"{"}}]"#,
                    #"[{"id":"a","function":{"arguments":" "}}]"#,
                    #"[{"id":"b","function":{"name":"g","arguments":"}"}}]"#,
                ], ["a f {} ", "b g {}"]
            ),
            // The id and the name in every piece.
            (
                [
                    #"[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}]"#,
                    #"[{"index":0,"id":"a","function":{"name":"f","arguments":"}"}}]"#,
                    #"[{"index":0,"id":"","function":{"name":null,"arguments":" "}}]"#,
                ], ["a f {} "]
            ),
            // Another id in every piece, but no name.
            (
                [
                    #"[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}]"#,
                    #"[{"index":0,"id":"b","function":{"arguments":"}"}}]"#,
                ], ["a f {}"]
            ),
            // Every call has the index 0.
            (
                [
                    #"[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]"#,
                    #"[{"index":0,"id":"b","function":{"name":"g","arguments":"{"}}]"#,
                    #"[{"index":0,"function":{"arguments":"}"}}]"#,
                ], ["a f {}", "b g {}"]
            ),
            // Whole calls without ids, and arguments that are an object.
            (
                [
                    #"[{"function":{"name":"f","arguments":{"x":1}}},{"function":{"name":"f","arguments":{}}},1]"#
                ], [#"c_0 f {"x":1}"#, "c_1 f {}"]
            ),
            // Indexes that do not begin at 0.
            (
                [
                    #"[{"index":3,"id":"a","function":{"name":"f"}}]"#,
                    #"[{"index":5,"id":"b","function":{"name":"g","arguments":"{}"}}]"#,
                    #"[{"index":3,"function":{"arguments":"{}"}}]"#,
                ], ["a f {}", "b g {}"]
            ),
        ] as [([String], [String])])
    func `the calls of compatible servers are told apart`(deltas: [String], calls: [String]) throws {
        let events = deltas.map { #"{"id":"c","choices":[{"delta":{"tool_calls":\#($0)}}]}"# }
        let found = try ChatFixture.pieces(data: events + ["[DONE]"])
        PieceRules.check(found, "\(deltas)")
        var names: [String] = []
        for piece in found {
            switch piece {
            case .callBegan(_, let id, let name, _): names.append("\(id) \(name) ")
            case .callArguments(let index, let json): names[index] += json
            default: continue
            }
        }
        #expect(names == calls)
        #expect(found.suffix(2) == [.stopped(.toolCalls, sequence: nil), .ended])
    }

    @Test func `the usage counts from the finish on, in whichever chunk it comes`() throws {
        let figures = #""usage":{"prompt_tokens":3,"completion_tokens":2}"#
        let usage = Usage(input: 3, output: 2)
        #expect(
            try pieces(
                data: #"{"id":"a","choices":[{"delta":{"content":"x"}}],\#(figures)}"#,
                #"{"choices":[{"delta":{},"finish_reason":"length"}],\#(figures)}"#,
                #"{"choices":[{"delta":{"content":"late"},"finish_reason":"stop"}]}"#, "[DONE]",
                #"{"choices":[],\#(figures)}"#)
                == [
                    .began(id: "a"), .text("x"), .usage(usage, isFinal: false),
                    .stopped(.length, sequence: nil),
                    .usage(usage, isFinal: true), .ended,
                ])
    }

    @Test func `only the first answer of several is read, and a stop sequence is named`() throws {
        #expect(
            try pieces(
                data:
                    #"{"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"x"}}]}"#,
                #"{"choices":[{"index":0,"delta":{},"finish_reason":"stop","stop_reason":"END"}]}"#)
                == [.began(id: nil), .text("x"), .stopped(.stopSequence, sequence: "END")])
    }

    @Test func `a stream that was cut has no end`() throws {
        let stop = #"{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}"#
        #expect(try pieces(data: stop).last == .stopped(.finished, sequence: nil))
        #expect(try ChatFixture.pieces(data: []).isEmpty)
    }

    @Test(
        arguments: [
            (
                #"{"error":{"message":"Slow down","type":"rate_limit_error","code":429}}"#,
                UpstreamError(type: "rate_limit_error", code: "429", message: "Slow down")
            ),
            (
                #"{"id":"x","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"Broke"}}"#,
                UpstreamError(code: "502", message: "Broke")
            ),
            (
                #"{"choices":[{"index":0,"delta":{"content":""},"error":{"code":502,"message":"Broke"}}]}"#,
                UpstreamError(code: "502", message: "Broke")
            ),
            (#"{"error":"out of memory"}"#, UpstreamError(message: "out of memory")),
            (
                #"{"object":"error","message":"bad","type":"BadRequestError","code":400}"#,
                UpstreamError(type: "BadRequestError", code: "400", message: "bad")
            ),
            (
                #"{"choices":[{"delta":{},"finish_reason":"error"}]}"#,
                UpstreamError(message: "the model's provider broke the answer off")
            ),
            (
                #"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a"}]}}]}"#,
                UpstreamError(message: "the stream holds a tool call without a name")
            ),
            ("{", UpstreamError(message: "the stream holds an event that is not JSON")),
        ])
    func `an error ends the stream with what it says`(event: String, error: UpstreamError) throws {
        let text = #"{"id":"a","choices":[{"delta":{"content":"x"}}]}"#
        #expect(
            try pieces(data: text, event, text, "[DONE]")
                == [.began(id: "a"), .text("x"), .failed(error)])
    }

    @Test func `an event that is named error is one`() throws {
        let event = Array("event: error\ndata: {\"message\":\"x\",\"code\":\"y\"}\n\n".utf8)
        #expect(try ChatFixture.pieces([event]) == [.failed(UpstreamError(code: "y", message: "x"))])
    }

    @Test func `no stream can call tools without end`() throws {
        let events = (0..<300).map {
            #"{"choices":[{"delta":{"tool_calls":[{"index":\#($0),"id":"\#($0)","function":{"name":"f"}}]}}]}"#
        }
        let found = try ChatFixture.pieces(data: events)
        #expect(found.count == 258)
        #expect(
            found.last == .failed(UpstreamError(message: "the model called too many tools at once")))
    }

    @Test func `changed events never crash the decoder and keep its promises`() throws {
        let seed: UInt64 = 0xc4a7_0004
        var random = SplitMix(seed: seed)
        let events = try ChatFixture.text("stream.sse").split(separator: "\n\n")
            .filter { $0.utf8.starts(with: "data: {".utf8) }.map { String($0.dropFirst(6)) }
        var ended = 0
        for round in 0..<1_500 {
            var stream: [String] = []
            for event in events where random.next() % 20 != 0 {
                var data = try JSONNode.read(event)
                if random.next() % 4 == 0 { data = ConverseMutation.changed(data, &random) }
                stream.insert(
                    data.json, at: random.next() % 10 == 0 ? stream.count / 2 : stream.count)
            }
            let found = try ChatFixture.pieces(data: stream + ["[DONE]"])
            PieceRules.check(found, "seed \(seed), round \(round)")
            guard found.last == .ended else { continue }
            ended += 1
            // What is written of it is read again as the same.
            let again = try ChatFixture.pieces(data: ChatFixture.written(found))
            #expect(
                ChatPieceRules.content(again) == ChatPieceRules.content(found),
                "seed \(seed), round \(round)")
        }
        #expect(ended > 0 && ended < 1_500, "seed \(seed)")
    }
}

/// What of an answer's pieces a second reading must give again.
enum ChatPieceRules {
    /// The pieces but for the id and the usage, which the gateway has from elsewhere.
    static func content(_ pieces: [AnswerPiece]) -> [AnswerPiece] {
        pieces.filter { piece in
            switch piece {
            case .began, .usage: false
            default: true
            }
        }
    }
}

import Dialects
import Domain
import Testing

@Suite struct ChatStreamEncoderTests {
    private let usage = Usage(input: 3, output: 9)

    /// The deltas of a stream of these pieces, between the first chunk and the end.
    private func deltas(_ pieces: AnswerPiece...) throws -> [String] {
        let events = ChatFixture.written([.began(id: nil)] + pieces)
        return try events.dropFirst().map { event in
            try JSONNode.read(event)["choices"]?.elements?.first?["delta"]?.json ?? ""
        }
    }

    @Test func `a stream that is read and written is read again as it was`() throws {
        let events = ChatFixture.written(ChatStreamDecoderTests.expected)
        var again = try ChatFixture.pieces(data: events)
        #expect(again.removeFirst() == .began(id: "chatcmpl-01J"))
        #expect(again == Array(ChatStreamDecoderTests.expected.dropFirst()))
    }

    @Test func `every kind of piece is read again as it was`() throws {
        let pieces: [AnswerPiece] = [
            .began(id: "chatcmpl-01J"), .reasoning("unsigned"), .text("a"), .reasoning("b"),
            .reasoning("c"), .reasoningToken(OpaqueToken("x:1", of: .anthropicMessages)), .reasoning(""),
            .reasoningToken(OpaqueToken("y", of: .bedrockConverse)),
            .hiddenReasoning(OpaqueToken("z", of: .openAIResponses)), .reasoning("d"), .refusal("No."),
            .callBegan(
                index: 0, id: "1", name: "f", signature: OpaqueToken("Cp:1", of: .geminiContents)),
            .callBegan(index: 1, id: "2", name: "g", signature: nil), .callArguments(index: 1, "{"),
            .callArguments(index: 0, "{}"), .callArguments(index: 1, "}"), .callEnded(index: 0),
            .callEnded(index: 1), .stopped(.toolCalls, sequence: nil), .usage(usage, isFinal: true), .ended,
        ]
        #expect(try ChatFixture.pieces(data: ChatFixture.written(pieces)) == pieces)
    }

    @Test func `the smallest stream has the API's chunks`() {
        let pieces: [AnswerPiece] = [
            .began(id: "x"), .usage(Usage(input: 1), isFinal: false), .text("Hi"), .text(""),
            .usage(usage, isFinal: true), .stopped(.finished, sequence: nil), .ended, .text("late"),
        ]
        let head =
            #"{"id":"chatcmpl-01J","object":"chat.completion.chunk","created":1694268190,"model":"fast","choices":["#
        let figures =
            #""usage":{"prompt_tokens":3,"completion_tokens":9,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}"#
        func chunks(_ rest: String) -> [String] {
            [
                #"{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]"#,
                #"{"index":0,"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null}]"#,
                #"{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]"#,
            ].map { head + $0 + rest + "}" }
        }
        #expect(
            ChatFixture.written(pieces)
                == chunks(#","usage":null"#) + [head + "],\(figures)}", "[DONE]"])
        var context = ChatFixture.context
        context.wantsStreamUsage = false
        #expect(ChatFixture.written(pieces, context) == chunks("") + ["[DONE]"])
    }

    @Test func `nothing is written before the first content, and nothing for a failure`() {
        let began: [AnswerPiece] = [.began(id: "x"), .usage(usage, isFinal: false)]
        #expect(ChatFixture.written(began).isEmpty)
        #expect(ChatFixture.written(began + [.failed(UpstreamError()), .text("a"), .ended]).isEmpty)
        #expect(ChatFixture.written(began + [.text("a"), .failed(UpstreamError()), .ended]).count == 2)
    }

    @Test func `an end without a stop, and a stop without content, are whole streams`() throws {
        for pieces in [[AnswerPiece.ended], [.stopped(.finished, sequence: nil), .ended]] {
            let events = ChatFixture.written(pieces)
            #expect(events.count == 3)
            #expect(
                try ChatFixture.pieces(data: events)
                    == [.began(id: "chatcmpl-01J"), .stopped(.finished, sequence: nil), .ended])
        }
    }

    @Test func `reasoning goes as text and as details, each entry with its own index`() throws {
        #expect(
            try deltas(
                .reasoning("a"), .reasoningToken(OpaqueToken("s", of: .anthropicMessages)),
                .hiddenReasoning(OpaqueToken("h", of: .anthropicMessages)), .reasoning("b"), .text("c"),
                .reasoning("d"))
                == [
                    #"{"reasoning_content":"a","reasoning_details":[{"type":"reasoning.text","text":"a","index":0}]}"#,
                    #"{"reasoning_details":[{"type":"reasoning.text","signature":"anthropic-messages:s","index":0}]}"#,
                    #"{"reasoning_details":[{"type":"reasoning.encrypted","data":"anthropic-messages:h","index":1}]}"#,
                    #"{"reasoning_content":"b","reasoning_details":[{"type":"reasoning.text","text":"b","index":2}]}"#,
                    #"{"content":"c"}"#,
                    #"{"reasoning_content":"d","reasoning_details":[{"type":"reasoning.text","text":"d","index":3}]}"#,
                ])
    }

    @Test func `calls have their index, and id and name once`() throws {
        #expect(
            try deltas(
                .callBegan(index: 0, id: "a", name: "f", signature: OpaqueToken("s", of: .geminiContents)),
                .callArguments(index: 0, "{}"), .callArguments(index: 0, ""), .callEnded(index: 0),
                .stopped(.finished, sequence: nil))
                == [
                    #"{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""},"extra_content":{"google":{"thought_signature":"gemini-contents:s"}}}]}"#,
                    #"{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}"#, "{}",
                ])
    }

    @Test func `every stop reason has a word of the API`() throws {
        func reason(_ stop: StopReason, _ before: AnswerPiece...) throws -> String? {
            let events = ChatFixture.written(before + [.stopped(stop, sequence: nil)])
            return try events.last.flatMap { try JSONNode.read($0) }?["choices"]?.elements?.first?[
                "finish_reason"]?.text
        }
        #expect(
            try StopReason.allCases.map { try reason($0) } == [
                "stop", "stop", "length", "tool_calls", "content_filter", "content_filter", "stop",
            ])
        #expect(try reason(.refusal, .refusal("No.")) == "stop")
        let call = AnswerPiece.callBegan(index: 0, id: "a", name: "f", signature: nil)
        #expect(try reason(.finished, call) == "tool_calls")
    }
}

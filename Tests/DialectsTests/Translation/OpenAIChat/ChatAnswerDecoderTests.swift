import Dialects
import Domain
import Testing

@Suite struct ChatAnswerDecoderTests {
    private func decoded(_ json: String) throws -> TranslatedAnswer? {
        ChatAnswerDecoder.decode(try JSONNode.read(json))
    }

    /// An answer with this message.
    private func decoded(message: String, reason: String = "stop") throws -> TranslatedAnswer? {
        try decoded(#"{"choices":[{"index":0,"message":\#(message),"finish_reason":"\#(reason)"}]}"#)
    }

    @Test func `an answer with everything in it is read part by part`() throws {
        let summary = #"{"type":"reasoning.summary","format":"openai-responses-v1","index":0}"#
        let signed =
            #"{"type":"reasoning.text","format":"anthropic-claude-v1","index":1,"signature":"c2ln"}"#
        let hidden =
            #"{"type":"reasoning.encrypted","id":"rs_1","format":"openai-responses-v1","index":2,"data":"gAAAAAB"}"#
        #expect(
            try decoded(try ChatFixture.text("answer.json"))
                == TranslatedAnswer(
                    id: "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
                    parts: [
                        .reasoning(.init(text: "The user asks", token: ChatFixture.own(summary))),
                        .reasoning(.init(text: " for the weather.", token: ChatFixture.own(signed))),
                        .reasoning(.init(text: "", token: ChatFixture.own(hidden), isHidden: true)),
                        .text("Let me look."),
                        .toolCall(
                            .init(
                                id: "call_1", name: "get_weather",
                                arguments: #"{"city":"Paris","days":1.50}"#,
                                signature: ChatFixture.own("Cp0B"))),
                    ], stop: .toolCalls, usage: ChatFixture.usage))
    }

    @Test(
        arguments: [
            ("stop", .finished), ("length", .length), ("tool_calls", .toolCalls),
            ("function_call", .toolCalls), ("content_filter", .contentFilter), ("something_new", .finished),
        ] as [(String, StopReason)])
    func `a finish reason has its meaning`(reason: String, meaning: StopReason) throws {
        let answer = try decoded(message: #"{"content":null}"#, reason: reason)
        #expect(answer == TranslatedAnswer(parts: [], stop: meaning))
    }

    @Test func `what compatible servers do otherwise is understood`() throws {
        let parts = try decoded(message: #"{"content":[{"type":"text","text":"a"},{"text":"b"},1]}"#)
        #expect(parts?.parts == [.text("ab")])
        let plain = try decoded(message: #"{"reasoning_content":"","reasoning":"r","content":"a"}"#)
        #expect(
            plain?.parts
                == [.reasoning(.init(text: "r", token: ChatFixture.own("reasoning"))), .text("a")])
        let call = try decoded(message: #"{"tool_calls":[{"function":{"name":"f","arguments":{"x":1}}}]}"#)
        #expect(call?.parts == [.toolCall(.init(id: "call_0", name: "f", arguments: #"{"x":1}"#))])
        #expect(call?.stop == .toolCalls)
        let refused = try decoded(message: #"{"content":null,"refusal":"No."}"#)
        #expect(refused == TranslatedAnswer(parts: [.refusal("No.")], stop: .refusal))
        let stopped = try decoded(
            #"{"id":"","choices":[{"message":{"content":"a"},"finish_reason":"stop","stop_reason":"END"}]}"#)
        #expect(
            stopped == TranslatedAnswer(parts: [.text("a")], stop: .stopSequence, stopSequence: "END"))
        #expect(
            try decoded(#"{"choices":[{"message":{"content":"a"},"finish_reason":null,"stop_reason":7}]}"#)
                == TranslatedAnswer(parts: [.text("a")], stop: .finished))
    }

    @Test(arguments: [
        "{}", "[]", #"{"error":{"message":"x"}}"#, #"{"choices":[]}"#, #"{"choices":{}}"#,
        #"{"choices":[{"finish_reason":"stop"}]}"#, #"{"choices":[{"message":"x"}]}"#,
        #"{"choices":[{"message":{"tool_calls":[{"id":"a","function":{}}]}}]}"#,
        #"{"choices":[{"message":{"tool_calls":[1]}}]}"#,
        #"{"choices":[{"message":{"content":"x"},"finish_reason":"error"}]}"#,
    ])
    func `what is no answer is none`(json: String) throws {
        #expect(try decoded(json) == nil)
    }

    @Test func `changed answers never crash the decoder`() throws {
        let seed: UInt64 = 0xc4a7_0003
        var random = SplitMix(seed: seed)
        let whole = try ChatFixture.node("answer.json")
        var read = 0
        for round in 0..<3_000 {
            var changed = whole
            for _ in 0...random.next() % 3 { changed = ConverseMutation.changed(changed, &random) }
            guard let answer = ChatAnswerDecoder.decode(changed) else { continue }
            read += 1
            // Whatever was read is written as an answer that is read again as the same.
            let written = ChatAnswerEncoder.encode(answer, in: ChatFixture.context)
            let again = ChatAnswerDecoder.decode(try JSONNode.read(text(written)))
            #expect(again?.parts == answer.parts, "seed \(seed), round \(round)")
        }
        #expect(read > 0 && read < 3_000, "seed \(seed)")
    }
}

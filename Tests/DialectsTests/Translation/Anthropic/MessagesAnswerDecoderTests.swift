import Dialects
import Domain
import Testing

@Suite struct MessagesAnswerDecoderTests {
    private func decoded(_ json: String) throws -> TranslatedAnswer? {
        MessagesAnswerDecoder.decode(try JSONNode.read(json))
    }

    private let own = { (text: String) in OpaqueToken(text, of: .anthropicMessages) }

    @Test func `an answer with everything in it is read part by part`() throws {
        #expect(
            try decoded(try MessagesFixture.text("answer.json"))
                == TranslatedAnswer(
                    id: "msg_013Zva2CMHLNnXjNJJKqJ2EF",
                    parts: [
                        .reasoning(
                            .init(text: "The user asks for the weather.", token: own("EqoBCkgIBBABGAI="))),
                        .reasoning(.init(text: "", token: own("RW5jcnlwdGVk"), isHidden: true)),
                        .text("Let me look."),
                        .toolCall(
                            .init(
                                id: "toolu_1", name: "get_weather",
                                arguments: #"{"city":"Paris","days":1.50}"#)),
                    ], stop: .toolCalls, usage: MessagesFixture.usage))
    }

    @Test(
        arguments: [
            ("end_turn", .finished), ("max_tokens", .length), ("stop_sequence", .stopSequence),
            ("tool_use", .toolCalls), ("pause_turn", .paused), ("refusal", .refusal),
            ("model_context_window_exceeded", .length), ("something_new", .finished),
        ] as [(String, StopReason)])
    func `a stop reason has its meaning`(reason: String, meaning: StopReason) throws {
        let answer = try decoded(
            #"{"type":"message","content":[],"stop_reason":"\#(reason)","stop_sequence":"END"}"#)
        #expect(answer == TranslatedAnswer(parts: [], stop: meaning, stopSequence: "END"))
    }

    @Test(arguments: [
        "{}", "[]", #"{"type":"error","error":{"type":"x"}}"#, #"{"content":[]}"#,
        #"{"content":{},"stop_reason":"end_turn"}"#,
        #"{"content":[{"type":"text"}],"stop_reason":"end_turn"}"#,
        #"{"content":[{"type":"tool_use","name":"f"}],"stop_reason":"end_turn"}"#,
        #"{"content":[{"type":"thinking"}],"stop_reason":"end_turn"}"#,
        #"{"content":[{"type":"redacted_thinking","data":""}],"stop_reason":"end_turn"}"#,
    ])
    func `what is no answer is none`(json: String) throws {
        #expect(try decoded(json) == nil)
    }

    @Test func `changed answers never crash the decoder`() throws {
        let seed: UInt64 = 0xa27_0003
        var random = SplitMix(seed: seed)
        let whole = try MessagesFixture.node("answer.json")
        var read = 0
        for _ in 0..<3_000 {
            var changed = whole
            for _ in 0...random.next() % 3 { changed = ConverseMutation.changed(changed, &random) }
            if MessagesAnswerDecoder.decode(changed) != nil { read += 1 }
        }
        #expect(read > 0 && read < 3_000, "seed \(seed)")
    }
}

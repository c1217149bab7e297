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

@Suite struct ChatAnswerEncoderTests {
    private func encoded(_ answer: TranslatedAnswer) -> String {
        text(ChatAnswerEncoder.encode(answer, in: ChatFixture.context))
    }

    private let everything: [Conversation.Part] = [
        .reasoning(.init(text: "a", token: OpaqueToken("x", of: .bedrockConverse))),
        .reasoning(.init(text: "", token: OpaqueToken("y", of: .openAIResponses), isHidden: true)),
        .reasoning(.init(text: "unsigned")),
        .reasoning(.init(text: "own", token: OpaqueToken("reasoning_content", of: .openAIChat))),
        .reasoning(.init(text: "", token: OpaqueToken("z:1", of: .anthropicMessages))),
        .text("Hi"), .refusal("No."),
        .toolCall(
            .init(
                id: "a", name: "f", arguments: #"{"x":1}"#,
                signature: OpaqueToken("Cp:1", of: .geminiContents)
            )),
        .toolCall(.init(id: "b", name: "f", arguments: "{}")),
    ]

    @Test func `the envelope and the usage are as the API documents them`() {
        let usage = Usage(
            input: 1, cacheRead: 2, cacheWrite: 3, cacheWriteHour: 4, output: 5, reasoning: 6)
        let answer = TranslatedAnswer(
            parts: [.text("Hi"), .text("!")], stop: .stopSequence, stopSequence: "END", usage: usage)
        #expect(
            encoded(answer)
                == #"{"id":"chatcmpl-01J","object":"chat.completion","created":1694268190,"model":"fast","choices":[{"index":0,"message":{"role":"assistant","content":"Hi!","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":11,"total_tokens":21,"prompt_tokens_details":{"cached_tokens":2,"cache_write_tokens":7},"completion_tokens_details":{"reasoning_tokens":6}}}"#
        )
        let bare = encoded(TranslatedAnswer(parts: [], stop: .finished))
        #expect(
            bare
                == #"{"id":"chatcmpl-01J","object":"chat.completion","created":1694268190,"model":"fast","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":null},"logprobs":null,"finish_reason":"stop"}]}"#
        )
    }

    @Test func `reasoning and signatures are as OpenRouter and Gemini have them`() throws {
        let node = try JSONNode.read(encoded(TranslatedAnswer(parts: everything, stop: .toolCalls)))
        let message = try #require(node["choices"]?.elements?.first?["message"])
        #expect(message["reasoning_content"]?.text == "aunsignedown")
        #expect(
            message["reasoning_details"]?.elements?.map(\.json) == [
                #"{"type":"reasoning.text","text":"a","signature":"bedrock-converse:x","index":0}"#,
                #"{"type":"reasoning.encrypted","data":"openai-responses:y","index":1}"#,
                #"{"type":"reasoning.text","text":"unsigned","index":2}"#,
                #"{"type":"reasoning.text","text":"own","signature":"openai-chat:reasoning_content","index":3}"#,
                #"{"type":"reasoning.text","text":"","signature":"anthropic-messages:z:1","index":4}"#,
            ])
        #expect(
            message["tool_calls"]?.elements?[0].json
                == #"{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"},"extra_content":{"google":{"thought_signature":"gemini-contents:Cp:1"}}}"#
        )
    }

    @Test func `a message that is handed back is read as the answer it was`() throws {
        let answer = TranslatedAnswer(
            id: "chatcmpl-01J", parts: everything, stop: .toolCalls, usage: ChatFixture.usage)
        let node = try JSONNode.read(encoded(answer))
        #expect(ChatAnswerDecoder.decode(node) == answer)
        let message = try #require(node["choices"]?.elements?.first?["message"])
        var losses = Losses()
        let request = JSONNode.object(["messages": .array([message])])
        let turns = try ChatRequestDecoder.decode(request, losses: &losses).turns
        #expect(turns == [.init(.assistant, everything)])
        #expect(losses.fields.isEmpty)
    }

    @Test func `every stop reason has a word of the API`() throws {
        func reason(_ stop: StopReason, _ parts: [Conversation.Part] = []) throws -> String? {
            let node = try JSONNode.read(encoded(TranslatedAnswer(parts: parts, stop: stop)))
            return node["choices"]?.elements?.first?["finish_reason"]?.text
        }
        #expect(
            try StopReason.allCases.map { try reason($0) } == [
                "stop", "stop", "length", "tool_calls", "content_filter", "content_filter", "stop",
            ])
        #expect(try reason(.refusal, [.refusal("No.")]) == "stop")
        #expect(try reason(.finished, [everything[8]]) == "tool_calls")
    }
}

import Dialects
import Domain
import Testing

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

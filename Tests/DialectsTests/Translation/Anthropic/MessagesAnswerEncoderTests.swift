import Dialects
import Domain
import Testing

@Suite struct MessagesAnswerEncoderTests {
    private func encoded(_ answer: TranslatedAnswer) -> String {
        text(MessagesAnswerEncoder.encode(answer, in: MessagesFixture.context))
    }

    @Test func `an answer with everything in it is read again as it was`() throws {
        var answer = try #require(MessagesAnswerDecoder.decode(try MessagesFixture.node("answer.json")))
        let written = encoded(answer)
        answer.id = "msg_01J"
        #expect(MessagesAnswerDecoder.decode(try JSONNode.read(written)) == answer)
    }

    @Test func `the envelope and the usage are as the API documents them`() {
        let usage = Usage(
            input: 1, cacheRead: 2, cacheWrite: 3, cacheWriteHour: 4, output: 5, reasoning: 6)
        let answer = TranslatedAnswer(
            parts: [.text("Hi", cache: nil), .refusal("No."), .text("")], stop: .stopSequence,
            stopSequence: "END", usage: usage)
        #expect(
            encoded(answer)
                == #"{"id":"msg_01J","type":"message","role":"assistant","model":"fast","content":[{"type":"text","text":"Hi"},{"type":"text","text":"No."}],"stop_reason":"stop_sequence","stop_sequence":"END","usage":{"input_tokens":1,"cache_creation_input_tokens":7,"cache_read_input_tokens":2,"cache_creation":{"ephemeral_5m_input_tokens":3,"ephemeral_1h_input_tokens":4},"output_tokens":11,"output_tokens_details":{"thinking_tokens":6}}}"#
        )
    }

    @Test func `an answer without usage has the estimate`() throws {
        let node = try JSONNode.read(encoded(TranslatedAnswer(parts: [], stop: .finished)))
        #expect(node["usage"]?["input_tokens"]?.whole == 12)
        #expect(node["usage"]?["output_tokens"]?.whole == 0)
        #expect(node["content"]?.elements?.isEmpty == true)
        #expect(node["stop_reason"]?.text == "end_turn")
    }

    @Test func `every stop reason has a word of the API`() throws {
        let words = try StopReason.allCases.map { stop in
            try JSONNode.read(encoded(TranslatedAnswer(parts: [], stop: stop)))["stop_reason"]?.text
        }
        #expect(
            words == [
                "end_turn", "stop_sequence", "max_tokens", "tool_use", "refusal", "refusal", "pause_turn",
            ])
        let call = Conversation.ToolCall(id: "a", name: "f", arguments: "")
        let called = try JSONNode.read(
            encoded(TranslatedAnswer(parts: [.toolCall(call)], stop: .finished)))
        #expect(called["stop_reason"]?.text == "tool_use")
    }

    @Test func `foreign signatures travel in thinking blocks and come back`() throws {
        let parts: [Conversation.Part] = [
            .reasoning(.init(text: "a", token: OpaqueToken("x", of: .bedrockConverse))),
            .reasoning(.init(text: "", token: OpaqueToken("y", of: .openAIResponses), isHidden: true)),
            .reasoning(.init(text: "unsigned")),
            .toolCall(
                .init(
                    id: "a", name: "f", arguments: #"{"x":1}"#,
                    signature: OpaqueToken("Cp:1", of: .geminiContents))),
            .toolCall(.init(id: "b", name: "f", arguments: "{}")),
        ]
        let node = try JSONNode.read(encoded(TranslatedAnswer(parts: parts, stop: .toolCalls)))
        let content = try #require(node["content"])
        #expect(
            content.elements?[3].json
                == #"{"type":"thinking","thinking":"","signature":"tool_call:gemini-contents:Cp:1"}"#)
        // The caller hands the content back as it is.
        let request = JSONNode.object([
            "max_tokens": .whole(9),
            "messages": .array([.object(["role": .string("assistant"), "content": content])]),
        ])
        var losses = Losses()
        let turns = try MessagesRequestDecoder.decode(request, losses: &losses).turns
        #expect(turns == [.init(.assistant, parts)])
        #expect(losses.fields.isEmpty)
    }

    @Test func `arguments that are no object are wrapped, and empty reasoning is left out`() throws {
        let parts: [Conversation.Part] = [
            .reasoning(.init(text: "")), .reasoning(.init(text: "", isHidden: true)),
            .toolCall(.init(id: "a", name: "f", arguments: #"{"x":"#)),
        ]
        let node = try JSONNode.read(encoded(TranslatedAnswer(parts: parts, stop: .length)))
        #expect(
            node["content"]?.json
                == #"[{"type":"tool_use","id":"a","name":"f","input":{"INVALID_JSON":"{\"x\":"}}]"#)
    }
}

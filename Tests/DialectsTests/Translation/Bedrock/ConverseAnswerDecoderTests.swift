import Dialects
import Domain
import Testing

@Suite struct ConverseAnswerDecoderTests {
    private func decoded(_ json: String) throws -> TranslatedAnswer? {
        ConverseAnswerDecoder.decode(try JSONNode.read(json))
    }

    private func answer(_ stopReason: String) -> String {
        #"{"output":{"message":{"role":"assistant","content":[{"text":"Hi"}]}},"stopReason":"\#(stopReason)"}"#
    }

    @Test func `an answer with everything in it is read part by part`() throws {
        let answer = try #require(try decoded(try BedrockFixture.text("answer.json")))
        #expect(
            answer
                == TranslatedAnswer(
                    parts: [
                        .reasoning(
                            .init(
                                text: "The user asks for the weather.",
                                token: OpaqueToken("EqoBCkgIBBABGAI=", of: .bedrockConverse))),
                        .reasoning(
                            .init(
                                text: "", token: OpaqueToken("RW5jcnlwdGVk", of: .bedrockConverse),
                                isHidden: true)
                        ),
                        .text("Let me look."), .text("Cited."),
                        .toolCall(
                            .init(
                                id: "tooluse_1", name: "get_weather",
                                arguments: #"{"city":"Paris","days":1.50}"#)),
                    ], stop: .toolCalls,
                    usage: Usage(
                        input: 30, cacheRead: 3_000, cacheWrite: 12_000, cacheWriteHour: 304, output: 628)))
    }

    @Test(
        arguments: [
            ("end_turn", .finished), ("tool_use", .toolCalls), ("max_tokens", .length),
            ("stop_sequence", .stopSequence), ("guardrail_intervened", .contentFilter),
            ("content_filtered", .contentFilter), ("model_context_window_exceeded", .length),
            ("refusal", .refusal), ("something_new", .finished), ("malformed_model_output", nil),
            ("malformed_tool_use", nil),
        ] as [(String, StopReason?)])
    func `a stop reason has its meaning, and broken output is no answer`(
        reason: String, meaning: StopReason?
    ) throws {
        #expect(try decoded(answer(reason))?.stop == meaning)
    }

    @Test func `an answer without usage has none, and odd figures are held in bounds`() throws {
        #expect(try decoded(answer("end_turn"))?.usage == nil)
        func usage(_ json: String) throws -> Usage? {
            try decoded(
                #"{"output":{"message":{"content":[]}},"stopReason":"end_turn","usage":\#(json)}"#)?.usage
        }
        #expect(try usage("{}") == nil)
        #expect(try usage("[]") == nil)
        #expect(
            try usage(#"{"inputTokens":-1,"outputTokens":9223372036854775807,"cacheReadInputTokens":"x"}"#)
                == Usage(output: 1 << 32))
        // No more can be written for an hour than was written.
        #expect(
            try usage(
                #"{"inputTokens":1,"cacheWriteInputTokens":5,"cacheDetails":[{"ttl":"1h","inputTokens":9}]}"#)
                == Usage(input: 1, cacheWriteHour: 5))
    }

    @Test(arguments: [
        "{}", "[]", "null", #"{"message":"no"}"#, #"{"output":{"message":{"content":[]}}}"#,
        #"{"output":{"message":{"content":{}}},"stopReason":"end_turn"}"#,
        #"{"output":{"message":{"content":[{"text":1}]}},"stopReason":"end_turn"}"#,
        #"{"output":{"message":{"content":[{"toolUse":{"name":"f"}}]}},"stopReason":"end_turn"}"#,
        #"{"output":{"message":{"content":[{"reasoningContent":{}}]}},"stopReason":"end_turn"}"#,
    ])
    func `what is no answer is none`(json: String) throws {
        #expect(try decoded(json) == nil)
    }

    @Test func `changed answers never crash the decoder`() throws {
        let seed: UInt64 = 0xbed_0003
        var random = SplitMix(seed: seed)
        let whole = try JSONNode.read(try BedrockFixture.text("answer.json"))
        var read = 0
        for _ in 0..<3_000 {
            var changed = whole
            for _ in 0...random.next() % 3 { changed = ConverseMutation.changed(changed, &random) }
            if ConverseAnswerDecoder.decode(changed) != nil { read += 1 }
        }
        #expect(read > 0 && read < 3_000, "seed \(seed)")
    }
}

/// Random edits of JSON values.
enum ConverseMutation {
    static func changed(_ node: JSONNode, _ random: inout SplitMix) -> JSONNode {
        let stays = random.next() % 8 != 0
        switch node {
        case .array(var elements) where stays && !elements.isEmpty:
            let index = Int(random.next() % UInt64(elements.count))
            switch random.next() % 6 {
            case 0: elements.remove(at: index)
            case 1: elements.append(elements[index])
            default: elements[index] = changed(elements[index], &random)
            }
            return .array(elements)
        case .object(var members) where stays && !members.isEmpty:
            let index = Int(random.next() % UInt64(members.count))
            switch random.next() % 8 {
            case 0: members.remove(at: index)
            case 1: members[index].name += "x"
            default: members[index].value = changed(members[index].value, &random)
            }
            return .object(members)
        default:
            let others: [JSONNode] = [
                .null, .bool(true), .number("-1"), .number("1e400"), .number("99999999999999999999"),
                .string(""),
                .string("tool_use"), .array([]), .object([]), .array([.object([])]),
                .string("\u{0}\u{202e}é"),
            ]
            return others[Int(random.next() % UInt64(others.count))]
        }
    }
}

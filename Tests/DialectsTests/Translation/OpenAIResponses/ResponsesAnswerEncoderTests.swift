import Dialects
import Domain
import Testing

@Suite struct ResponsesAnswerEncoderTests {
    private func encoded(_ answer: TranslatedAnswer) throws -> JSONNode {
        try JSONNode.read(text(ResponsesAnswerEncoder.encode(answer, in: ResponsesFixture.context)))
    }

    @Test func `an answer with everything in it has the API's shape`() throws {
        let answer = TranslatedAnswer(
            id: "x", parts: ResponsesFixture.parts, stop: .finished, usage: ResponsesFixture.usage)
        #expect(try encoded(answer) == ResponsesFixture.node("response.json"))
    }

    @Test func `what is handed back says what was answered`() throws {
        let node = try encoded(TranslatedAnswer(parts: ResponsesFixture.parts, stop: .finished))
        let (parts, losses) = try ResponsesFixture.handedBack(node["output"])
        #expect(parts == ResponsesFixture.parts && losses.isEmpty)
    }

    @Test func `random answers are handed back as they were`() throws {
        let seed: UInt64 = 0x0a1_0002
        var random = SplitMix(seed: seed)
        for round in 0..<1_000 {
            let parts = (0..<Int(1 + random.next() % 8)).map { Self.part($0, &random) }
            let node = try encoded(TranslatedAnswer(parts: parts, stop: .finished))
            let (read, losses) = try ResponsesFixture.handedBack(node["output"])
            #expect(read == parts && losses.isEmpty, "seed \(seed), round \(round)")
        }
    }

    /// Any part that a model may answer with and that holds something.
    static func part(_ step: Int, _ random: inout SplitMix) -> Conversation.Part {
        let origin = WireFormat.allCases[Int(random.next() % UInt64(WireFormat.allCases.count))]
        let token = random.next() % 2 == 0 ? OpaqueToken("t\(step):==", of: origin) : nil
        switch random.next() % 6 {
        case 0: return .text("text \(step) \u{1F326}")
        case 1: return .refusal("refusal \(step)")
        case 2: return .reasoning(.init(text: "reasoning \(step)\n", token: token))
        case 3: return .reasoning(.init(text: "", token: OpaqueToken("h\(step)", of: origin), isHidden: true))
        case 4: return .reasoning(.init(text: "", token: OpaqueToken("e\(step)", of: origin)))
        default:
            return .toolCall(
                .init(id: "c\(step)", name: "f", arguments: "{\"x\":\(step)}", signature: token))
        }
    }

    @Test(
        arguments: [
            (.finished, nil, nil), (.stopSequence, nil, nil), (.toolCalls, nil, nil), (.paused, nil, nil),
            (.length, "max_output_tokens", "max_output_tokens"),
            (.contentFilter, "content_filter", "content_filter"), (.refusal, "content_filter", nil),
        ] as [(StopReason, String?, String?)])
    func `a stop reason has its status`(stop: StopReason, reason: String?, refused: String?) throws {
        let said = try encoded(TranslatedAnswer(parts: [.text("a"), .text("b")], stop: stop))
        #expect(said["status"]?.text == (reason == nil ? "completed" : "incomplete"))
        #expect(said["incomplete_details"]?["reason"]?.text == reason)
        #expect(said["output"]?.elements?.last?["status"]?.text == said["status"]?.text)
        let node = try encoded(TranslatedAnswer(parts: [.refusal("No.")], stop: stop))
        #expect(node["incomplete_details"]?["reason"]?.text == refused)
    }

    @Test func `an answer that holds nothing is one with no output and no usage`() throws {
        let parts: [Conversation.Part] = [
            .text(""), .refusal(""), .reasoning(.init(text: "")),
            .reasoning(.init(text: "", isHidden: true)),
        ]
        let node = try encoded(TranslatedAnswer(parts: parts, stop: .finished))
        #expect(node["output"]?.elements?.isEmpty == true)
        #expect(node["usage"] == nil && node["status"]?.text == "completed")
    }

    @Test func `a call without arguments has an empty object`() throws {
        let call = Conversation.ToolCall(id: "a", name: "f", arguments: "")
        let node = try encoded(TranslatedAnswer(parts: [.toolCall(call)], stop: .toolCalls))
        #expect(node["output"]?.elements?.first?["arguments"]?.text == "{}")
    }
}

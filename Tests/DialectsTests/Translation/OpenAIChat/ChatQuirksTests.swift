import Dialects
import Domain
import Testing

/// The one encoder of chat completions, for providers that want something otherwise than OpenAI.
@Suite struct ChatQuirksTests {
    private typealias Turn = Conversation.Turn

    private func encoded(
        _ change: (inout Conversation) -> Void = { _ in }, _ quirk: (inout ChatQuirks) -> Void
    ) throws(TranslationRefusal) -> (body: JSONNode, losses: [String]) {
        var conversation = Conversation()
        conversation.turns = [Turn(.user, [.text("Hi")])]
        change(&conversation)
        var losses = Losses()
        let body = try ChatRequestEncoder.encode(
            conversation, for: WireTarget(model: "m", quirks: ChatQuirks(quirk)), losses: &losses)
        return (body, losses.fields)
    }

    private func messages(
        _ turns: [Turn], _ quirk: (inout ChatQuirks) -> Void
    ) throws -> (messages: [String], losses: [String]) {
        let (body, losses) = try encoded({ $0.turns = turns }, quirk)
        return ((body["messages"]?.elements ?? []).map(\.json), losses)
    }

    @Test func `members go by the provider's own names, and what it does not know is left out`() throws {
        let change: (inout Conversation) -> Void = {
            $0.maxOutputTokens = 9
            $0.seed = "7"
            $0.topK = "5"
            $0.endUser = "u"
            $0.streamed = true
            $0.tools = [.init(name: "f")]
            $0.toolChoice = .any
        }
        let (body, losses) = try encoded(change) {
            $0.asksForUsage = false
            $0.outputBound = .maxTokens
            $0.seed = "random_seed"
            $0.anyTool = "any"
            $0.takesTopK = true
            $0.takesUser = false
            $0.needsToolSchemas = true
        }
        #expect(
            body.json
                == #"{"model":"m","messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"tool_choice":"any","max_tokens":9,"top_k":5,"random_seed":7,"stream":true}"#
        )
        #expect(losses == ["user"])
        let (plain, lost) = try encoded(change) { _ in }
        #expect(
            plain.json
                == #"{"model":"m","messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required","max_completion_tokens":9,"seed":7,"user":"u","stream":true,"stream_options":{"include_usage":true}}"#
        )
        #expect(lost == ["top_k"])
    }

    @Test func `ids of calls become nine letters and digits where they must, the same for call and result`()
        throws
    {
        let ids = ["toolu_01A09q90qw90lq917835lq9", "aB3dE6gH9", "call_1", "123456789_"]
        let calls = ids.map { Conversation.Part.toolCall(.init(id: $0, name: "f", arguments: "{}")) }
        let results = ids.reversed().map {
            Conversation.Part.toolResult(.init(call: $0, parts: [.text("r")]))
        }
        let (body, _) = try encoded({
            $0.turns += [Turn(.assistant, calls), Turn(.user, results)]
        }) { $0.callIDs = .nineAlphanumerics }
        let written = body["messages"]?.elements ?? []
        let expected = ["call00000", "aB3dE6gH9", "call00001", "call00002"]
        #expect(written[1]["tool_calls"]?.elements?.map { $0["id"]?.text } == expected)
        #expect(written.dropFirst(2).map { $0["tool_call_id"]?.text } == expected.reversed())
    }

    @Test func `the user speaks behind an answer only, where a provider wants it so`() throws {
        let turns = [
            Turn(.assistant, [.toolCall(.init(id: "a", name: "f", arguments: "{}"))]),
            Turn(.user, [.toolResult(.init(call: "a", parts: [.text("r")])), .text("Well?")]),
        ]
        let roles = { (quirk: (inout ChatQuirks) -> Void) in
            try encoded({ $0.turns = turns }, quirk).body["messages"]?.elements?.map { $0["role"]?.text }
        }
        #expect(try roles { _ in } == ["assistant", "tool", "user"])
        #expect(
            try roles { $0.needsAnswerToTools = true } == ["assistant", "tool", "assistant", "user"])
        // Nothing is put behind results that stand last, as they do while the model goes on.
        let open = [turns[0], Turn(.user, [.toolResult(.init(call: "a", parts: [.text("r")]))])]
        let (last, _) = try messages(open) { $0.needsAnswerToTools = true }
        #expect(last.count == 2 && last[1].contains(#""role":"tool""#))
    }

    @Test func `what was thought goes back in the provider's own place, and to nobody who would refuse it`()
        throws
    {
        let signed = #"{"type":"reasoning.text","signature":"s","index":0}"#
        let parts: [Conversation.Part] = [
            .reasoning(.init(text: "a", token: ChatFixture.own("reasoning_content"))),
            .reasoning(.init(text: "b", token: ChatFixture.own("reasoning"))),
            .reasoning(.init(text: "c", token: ChatFixture.own(#"{"type":"thinking","signature":"t"}"#))),
            .reasoning(.init(text: "d", token: ChatFixture.own(signed))),
            .reasoning(.init(text: "e", token: OpaqueToken("x", of: .anthropicMessages))),
            .text("z"),
        ]
        func written(_ way: ChatQuirks.ReasoningBack) throws -> String {
            let (written, losses) = try messages([Turn(.assistant, parts)]) { $0.reasoningBack = way }
            #expect(losses == ["reasoning"])
            return written[0]
        }
        #expect(try written(.nowhere) == #"{"role":"assistant","content":"z"}"#)
        #expect(
            try written(.reasoningContent)
                == #"{"role":"assistant","content":"z","reasoning_content":"abcd"}"#)
        #expect(try written(.reasoning) == #"{"role":"assistant","content":"z","reasoning":"abcd"}"#)
        #expect(
            try written(.asItCame)
                == #"{"role":"assistant","content":"z","reasoning_content":"a","reasoning":"b","reasoning_details":[{"type":"reasoning.text","text":"d","index":0,"signature":"s"}]}"#
        )
        func part(_ text: String, _ rest: String = "") -> String {
            #"{"type":"thinking","thinking":[{"type":"text","text":"\#(text)"}]\#(rest)}"#
        }
        #expect(
            try written(.parts)
                == #"{"role":"assistant","content":[\#(part("a")),\#(part("b")),\#(part("c", #","signature":"t""#)),\#(part("d")),{"type":"text","text":"z"}]}"#
        )
    }

    @Test func `a thinking model's calls come with thoughts where the provider insists on them`() throws {
        let call = Conversation.Part.toolCall(.init(id: "a", name: "f", arguments: "{}"))
        func thought(_ wish: Conversation.ReasoningWish?, _ turns: [Turn]) throws -> [String?] {
            let (body, _) = try encoded({
                $0.reasoning = wish
                $0.turns = turns
            }) { $0.reasoningBack = .reasoningContent }
            return (body["messages"]?.elements ?? []).map { $0["reasoning_content"]?.text }
        }
        #expect(try thought(nil, [Turn(.assistant, [call])]) == [nil])
        #expect(try thought(.off, [Turn(.assistant, [call])]) == [nil])
        #expect(try thought(.effort("low"), [Turn(.assistant, [call])]) == [" "])
        #expect(try thought(.effort("low"), [Turn(.assistant, [.text("x")])]) == [nil])
        let own = Conversation.Part.reasoning(.init(text: "t", token: ChatFixture.own("reasoning_content")))
        #expect(
            try thought(
                nil, [Turn(.assistant, [call]), Turn(.assistant, [own, call]), Turn(.assistant, [call])])
                == [nil, "t", " "])
    }

    @Test func `a wish for reasoning comes as close as the provider's words go`() throws {
        func member(
            _ wish: Conversation.ReasoningWish, _ quirk: (inout ChatQuirks) -> Void
        ) throws -> (String?, [String]) {
            let (body, losses) = try encoded({ $0.reasoning = wish }, quirk)
            return (body["reasoning_effort"]?.text ?? body["thinking"]?.json, losses)
        }
        let some: (inout ChatQuirks) -> Void = { $0.efforts = ["none", "low", "high"] }
        #expect(try member(.effort("low"), some) == ("low", []))
        #expect(try member(.effort("minimal"), some) == ("low", ["reasoning"]))
        #expect(try member(.effort("medium"), some) == ("low", ["reasoning"]))
        #expect(try member(.effort("max"), some) == ("high", ["reasoning"]))
        #expect(try member(.budget(4_000), some) == ("low", ["reasoning"]))
        #expect(try member(.off) { $0.reasoningOff = .none } == ("none", []))
        #expect(
            try member(.off) { $0.reasoningOff = .thinkingDisabled } == (#"{"type":"disabled"}"#, []))
        #expect(try member(.off) { $0.reasoningOff = .unknown } == (nil, ["reasoning"]))
        #expect(throws: TranslationRefusal.self) { try member(.effort("much"), some) }
    }

    @Test func `what a provider would refuse is refused here, so that the next target is asked`() throws {
        func refusal(
            _ change: (inout Conversation) -> Void, _ quirk: (inout ChatQuirks) -> Void
        ) -> String? {
            do throws(TranslationRefusal) {
                _ = try encoded(change, quirk)
                return nil
            } catch {
                return error.field
            }
        }
        let schema: (inout Conversation) -> Void = {
            $0.output = .schema(name: "n", description: nil, schema: .object([]), strict: true)
        }
        #expect(refusal(schema) { $0.takesSchemas = false } == "response_format")
        #expect(refusal(schema) { _ in } == nil)
        #expect(refusal({ $0.output = .json }) { $0.takesSchemas = false } == nil)
        let link: (inout Conversation) -> Void = {
            $0.turns = [Turn(.user, [.image(.link("https://example.com/a.png"))])]
        }
        #expect(refusal(link) { $0.takesImageLinks = false } == "messages")
        #expect(refusal(link) { _ in } == nil)
        let own: (inout Conversation) -> Void = {
            $0.turns = [Turn(.user, [.image(.inline(mediaType: "image/png", data: "AA=="))])]
        }
        #expect(refusal(own) { $0.takesImageLinks = false } == nil)
    }

    @Test func `a refusal goes as a text where there is no word for it`() throws {
        let turns = [Turn(.assistant, [.text("a"), .refusal("b")])]
        #expect(
            try messages(turns) { $0.takesRefusals = false }.messages
                == [#"{"role":"assistant","content":"ab"}"#])
        #expect(
            try messages(turns) { _ in }.messages
                == [#"{"role":"assistant","content":"a","refusal":"b"}"#])
    }

    @Test func `thoughts among an answer's parts are read, whole and streamed`() throws {
        let thinking = #"{"type":"thinking","thinking":[{"type":"text","text":"hm"}],"signature":"s"}"#
        let text = #"{"type":"text","text":"Hi"}"#
        let answer = try JSONNode.read(
            #"{"id":"x","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":[\#(thinking),\#(text)]}}]}"#
        )
        let token = ChatFixture.own(#"{"type":"thinking","signature":"s"}"#)
        #expect(
            ChatAnswerDecoder.decode(answer)?.parts
                == [.reasoning(.init(text: "hm", token: token)), .text("Hi")])
        func chunk(_ content: String, _ end: String = "null") -> String {
            #"data: {"id":"x","choices":[{"index":0,"delta":{"content":\#(content)},"finish_reason":\#(end)}]}"#
                + "\n\n"
        }
        var decoder = ChatStreamDecoder()
        var pieces: [AnswerPiece] = []
        let stream =
            chunk(#"[{"type":"thinking","thinking":[{"type":"text","text":"h"}]}]"#)
            + chunk(#"[{"type":"thinking","thinking":[{"type":"text","text":"m"}],"signature":"s"}]"#)
            + chunk(#""Hi""#) + chunk(#""""#, #""stop""#) + "data: [DONE]\n\n"
        try lend(stream) { bytes throws(StreamFault) in try decoder.read(bytes) { pieces.append($0) } }
        #expect(
            pieces == [
                .began(id: "x"), .reasoning("h"), .reasoning("m"), .reasoningToken(token), .text("Hi"),
                .stopped(.finished, sequence: nil), .ended,
            ])
    }
}

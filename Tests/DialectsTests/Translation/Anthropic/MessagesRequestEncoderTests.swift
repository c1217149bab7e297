import Dialects
import Domain
import Testing

@Suite struct MessagesRequestEncoderTests {
    private typealias Turn = Conversation.Turn

    private let early = "claude-sonnet-4-5"
    private let middle = "claude-opus-4-6"
    private let late = "claude-opus-4-8"

    private func encoded(
        _ conversation: Conversation, for model: String
    ) throws(TranslationRefusal) -> (body: JSONNode, losses: [String]) {
        var losses = Losses()
        let body = try MessagesRequestEncoder.encode(
            conversation, for: WireTarget(model: model), losses: &losses)
        return (body, losses.fields)
    }

    private func asked(_ change: (inout Conversation) -> Void = { _ in }) -> Conversation {
        var conversation = Conversation()
        conversation.turns = [Turn(.user, [.text("Hi")])]
        change(&conversation)
        return conversation
    }

    private func refusal(
        _ model: String = "claude-sonnet-4-5", of change: (inout Conversation) -> Void
    ) -> TranslationRefusal? {
        do throws(TranslationRefusal) {
            _ = try encoded(asked(change), for: model)
            return nil
        } catch {
            return error
        }
    }

    /// What a member comes to be.
    private func member(
        _ name: String, for model: String, _ change: (inout Conversation) -> Void
    ) throws -> (String?, [String]) {
        let (body, losses) = try encoded(asked(change), for: model)
        return (body[name]?.json, losses)
    }

    @Test func `a conversation with everything in it is written as the API documents it`() throws {
        let (body, losses) = try encoded(MessagesSample.everything, for: early)
        #expect(body == (try MessagesFixture.node("written.json")))
        #expect(losses == ["top_k"])
    }

    @Test func `what was written is read again as it was`() throws {
        var conversation = MessagesSample.everything
        conversation.temperature = nil
        conversation.topK = nil
        var losses = Losses()
        let body = try encoded(conversation, for: early).body
        #expect(try MessagesRequestDecoder.decode(body, losses: &losses) == conversation)
        #expect(losses.fields.isEmpty)
    }

    @Test func `the smallest conversation gets a limit and nothing else`() throws {
        let (body, losses) = try encoded(asked(), for: late)
        #expect(
            body.json
                == #"{"model":"claude-opus-4-8","max_tokens":4096,"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}"#
        )
        #expect(losses.isEmpty)
    }

    @Test func `turns alternate, the user begins, and results come first`() throws {
        let call = Conversation.ToolCall(id: "functions.f:0", name: "f", arguments: "")
        let turns = [
            Turn(.user, [.text("a")]), Turn(.user, [.text(""), .text("b")]),
            Turn(.assistant, [.toolCall(call)]), Turn(.user, [.text("c")]), Turn(.assistant, [.text(" ")]),
            Turn(.user, [.toolResult(.init(call: "functions.f:0", parts: [], isError: true))]),
        ]
        let (body, losses) = try encoded(asked { $0.turns = turns }, for: late)
        let id = "x66756e6374696f6e732e663a30"
        #expect(
            body["messages"]?.json
                == #"[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},"#
                + #"{"role":"assistant","content":[{"type":"tool_use","id":"\#(id)","name":"f","input":{}}]},"#
                + #"{"role":"user","content":[{"type":"tool_result","tool_use_id":"\#(id)","content":[{"type":"text","text":"error"}],"is_error":true},{"type":"text","text":"c"}]}]"#
        )
        #expect(losses == ["content"])
        #expect(refusal { $0.turns = [Turn(.assistant, [.text("a")])] }?.field == "messages")
        #expect(refusal { $0.turns = [] }?.field == "messages")
        #expect(refusal { $0.turns = [Turn(.user, [.text("\n")])] }?.field == "messages")
    }

    @Test func `only Anthropic's own reasoning goes back`() throws {
        let foreign = OpaqueToken("abc", of: .bedrockConverse)
        let parts: [Conversation.Part] = [
            .reasoning(.init(text: "Hm", token: foreign)), .reasoning(.init(text: "Hm")),
            .reasoning(.init(text: "", token: foreign, isHidden: true)),
            .reasoning(.init(text: "", token: OpaqueToken("abc", of: .anthropicMessages))), .refusal("No."),
        ]
        let (body, losses) = try encoded(asked { $0.turns.append(Turn(.assistant, parts)) }, for: late)
        #expect(
            body["messages"]?.elements?[1]["content"]?.json
                == #"[{"type":"thinking","thinking":"","signature":"abc"},{"type":"text","text":"No."}]"#)
        #expect(losses == ["reasoning"])
    }

    @Test func `what Anthropic cannot say is refused by its name`() {
        #expect(refusal { $0.presencePenalty = "0.5" }?.field == "presence_penalty")
        #expect(refusal { $0.frequencyPenalty = "-1" }?.field == "frequency_penalty")
        #expect(refusal { $0.presencePenalty = "0.0" } == nil)
        #expect(refusal { $0.output = .json }?.field == "response_format")
        #expect(refusal { $0.temperature = "1.5" }?.field == "temperature")
        #expect(refusal { $0.stopSequences = ["\n"] }?.field == "stop")
        #expect(refusal { $0.toolChoice = .any }?.field == "tool_choice")
        #expect(refusal { $0.tools = [.init(name: "a.b")] }?.field == "tools")
        #expect(refusal { $0.system = [.refusal("x")] }?.field == "system")
        #expect(refusal { $0.turns = [Turn(.user, [.image(.link("gs://a/b"))])] }?.field == "messages")
        let tiff = Conversation.Image.inline(mediaType: "image/tiff", data: "")
        #expect(refusal { $0.turns = [Turn(.user, [.image(tiff)])] }?.field == "messages")
        for arguments in ["[]", "{", "null", "{\"a\":1,\"a\":2}"] {
            let call = Conversation.ToolCall(id: "a", name: "f", arguments: arguments)
            #expect(refusal { $0.turns += [Turn(.assistant, [.toolCall(call)])] }?.field == "messages")
        }
    }

    @Test func `what the answer does not depend on is left out by name`() throws {
        let long = String(repeating: "u", count: 257)
        let conversation = asked {
            $0.seed = "7"
            $0.endUser = long
            $0.output = .schema(name: "a", description: "b", schema: .object([]), strict: false)
        }
        let (body, losses) = try encoded(conversation, for: late)
        #expect(losses == ["seed", "strict", "response_format", "user"])
        #expect(body["output_config"]?.json == #"{"format":{"type":"json_schema","schema":{}}}"#)
    }

    @Test func `the choice of a tool has the API's words`() throws {
        func choice(_ choice: Conversation.ToolChoice?, parallel: Bool? = nil) throws -> String? {
            try member("tool_choice", for: late) {
                $0.tools = [.init(name: "f")]
                $0.toolChoice = choice
                $0.parallelToolCalls = parallel
            }.0
        }
        #expect(try choice(nil) == nil)
        #expect(try choice(nil, parallel: true) == nil)
        #expect(try choice(nil, parallel: false) == #"{"type":"auto","disable_parallel_tool_use":true}"#)
        #expect(try choice(.any) == #"{"type":"any"}"#)
        #expect(try choice(Conversation.ToolChoice.none, parallel: false) == #"{"type":"none"}"#)
        #expect(
            try choice(.named("f"), parallel: false)
                == #"{"type":"tool","name":"f","disable_parallel_tool_use":true}"#)
    }

    @Test(
        arguments: [
            ("claude-3-7-sonnet-20250219", true), ("claude-opus-4-20250514", true),
            ("claude-opus-4@20250514", true), ("claude-sonnet-4-0", true), ("claude-opus-4-1-20250805", true),
            ("claude-haiku-4-5-20251001", true), ("anthropic.claude-sonnet-4-5-20250929-v1:0", true),
            ("kimi-k2", true), ("claude-opus-4-6", false), ("claude-opus-4-10", false),
            ("claude-opus-4-10-20270101", false), ("claude-2.1", true),
            ("anthropic/claude-opus-4.1", true),
            ("claude-opus-5-5", false),
            ("claude-sonnet-5", false), ("claude-something-new", false),
        ])
    func `models up to 4_5 think within a budget, later ones with an effort`(
        model: String, hasBudget: Bool
    ) throws {
        let body = try encoded(asked { $0.reasoning = .effort("medium") }, for: model).body
        #expect(
            body["thinking"]?.json
                == (hasBudget ? #"{"type":"enabled","budget_tokens":8192}"# : #"{"type":"adaptive"}"#))
        #expect(body["output_config"]?.json == (hasBudget ? nil : #"{"effort":"medium"}"#))
        #expect(body["max_tokens"]?.whole == (hasBudget ? 12_288 : 4_096))
    }

    @Test func `an effort's budget stays within what the caller allows`() throws {
        func budget(_ effort: String, most: Int64?) throws -> [Int64?] {
            let conversation = asked {
                $0.reasoning = .effort(effort)
                $0.maxOutputTokens = most
            }
            let body = try encoded(conversation, for: early).body
            return [body["thinking"]?["budget_tokens"]?.whole, body["max_tokens"]?.whole]
        }
        #expect(try budget("minimal", most: nil) == [1_024, 5_120])
        #expect(try budget("low", most: nil) == [2_048, 6_144])
        #expect(try budget("high", most: nil) == [16_384, 20_480])
        #expect(try budget("max", most: nil) == [49_152, 53_248])
        #expect(try budget("high", most: 8_000) == [4_000, 8_000])
        #expect(try budget("high", most: 1_025) == [1_024, 1_025])
        #expect(throws: TranslationRefusal.self) { try budget("high", most: 1_024) }
        #expect(refusal { $0.reasoning = .effort("extreme") }?.field == "reasoning_effort")
    }

    @Test func `a caller's budget is kept where the model has budgets`() throws {
        func thinking(_ wish: Conversation.ReasoningWish, _ model: String) throws -> (String?, [String]) {
            try member("thinking", for: model) { $0.reasoning = wish }
        }
        let least = #"{"type":"enabled","budget_tokens":1024}"#
        #expect(try thinking(.budget(512), early) == (least, ["reasoning"]))
        #expect(try thinking(.budget(1_024), middle) == (least, []))
        #expect(try thinking(.budget(0), early) == (#"{"type":"disabled"}"#, []))
        #expect(try thinking(.off, late) == (#"{"type":"disabled"}"#, []))
        #expect(try thinking(.adaptive, middle) == (#"{"type":"adaptive"}"#, []))
        #expect(
            try thinking(.adaptive, early) == (#"{"type":"enabled","budget_tokens":16384}"#, ["reasoning"]))
        #expect(try thinking(.budget(5_000), late) == (#"{"type":"adaptive"}"#, ["reasoning"]))
        #expect(
            try member("output_config", for: late) { $0.reasoning = .budget(5_000) }.0
                == #"{"effort":"medium"}"#)
        #expect(
            try member("output_config", for: late) { $0.reasoning = .effort("minimal") }
                == (#"{"effort":"low"}"#, ["reasoning_effort"]))
        #expect(try member("max_tokens", for: early) { $0.reasoning = .budget(.max) }.0 == "4294971392")
        #expect(
            refusal {
                $0.reasoning = .budget(2_000)
                $0.maxOutputTokens = 2_000
            }?.field == "max_tokens")
    }

    @Test func `thinking forbids sampling and a forced tool`() throws {
        func sampled(_ conversation: inout Conversation) {
            conversation.temperature = "0.5"
            conversation.topP = "0.9"
            conversation.topK = "5"
        }
        let free = try encoded(asked(sampled), for: early)
        #expect(free.losses.isEmpty)
        #expect(free.body["temperature"]?.json == "0.5" && free.body["top_p"]?.json == "0.9")
        #expect(free.body["top_k"]?.json == "5")
        let all = ["temperature", "top_p", "top_k"]
        #expect(try encoded(asked(sampled), for: late).losses == all)
        let thinking = asked {
            sampled(&$0)
            $0.reasoning = .effort("low")
        }
        let bound = try encoded(thinking, for: early)
        #expect(bound.losses == all)
        #expect(all.allSatisfy { bound.body[$0] == nil })
        let forced = {
            (conversation: inout Conversation) in
            conversation.tools = [.init(name: "f")]
            conversation.toolChoice = .any
            conversation.reasoning = .effort("low")
        }
        #expect(refusal(early, of: forced)?.field == "tool_choice")
        #expect(refusal(late, of: forced) == nil)
    }

    @Test func `a call made without thinking is not answered within a budget`() throws {
        let turns = [
            Turn(.user, [.text("Hi")]),
            Turn(.assistant, [.text("Wait."), .toolCall(.init(id: "a", name: "f", arguments: "{}"))]),
            Turn(.user, [.toolResult(.init(call: "a", parts: [.text("1")]))]),
        ]
        let change = { (conversation: inout Conversation) in
            conversation.turns = turns
            conversation.reasoning = .effort("low")
        }
        #expect(try member("thinking", for: early, change) == (nil, ["reasoning"]))
        #expect(try member("thinking", for: late, change) == (#"{"type":"adaptive"}"#, []))
    }

    @Test func `random conversations end in a body or a refusal`() {
        let seed: UInt64 = 0xa27_0002
        var random = SplitMix(seed: seed)
        var written = 0
        for _ in 0..<2_000 {
            let conversation = ConverseSample.random(&random)
            var losses = Losses()
            let model = [early, middle, late, "x"].randomElement(using: &random) ?? early
            guard
                let body = try? MessagesRequestEncoder.encode(
                    conversation, for: WireTarget(model: model), losses: &losses)
            else { continue }
            written += 1
            #expect((try? JSONNode.read(body.json)) == body, "seed \(seed)")
            let roles = body["messages"]?.elements?.compactMap { $0["role"]?.text } ?? []
            #expect(roles.first == "user", "seed \(seed)")
            #expect(zip(roles, roles.dropFirst()).allSatisfy { $0 != $1 }, "seed \(seed)")
            #expect(!body.json.contains(#""text":"""#), "seed \(seed)")
            let budget = body["thinking"]?["budget_tokens"]?.whole ?? 0
            #expect(budget < body["max_tokens"]?.whole ?? 0, "seed \(seed)")
        }
        #expect(written > 100, "seed \(seed)")
    }
}

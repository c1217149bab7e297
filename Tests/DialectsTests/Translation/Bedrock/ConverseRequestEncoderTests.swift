import Dialects
import Domain
import Testing

@Suite struct ConverseRequestEncoderTests {
    private typealias Turn = Conversation.Turn

    private let claude = WireTarget(model: "eu.anthropic.claude-sonnet-4-5-20250929-v1:0")
    private let nova = WireTarget(model: "amazon.nova-pro-v1:0")

    private func encoded(
        _ conversation: Conversation, for target: WireTarget? = nil
    ) throws(TranslationRefusal) -> (body: JSONNode, losses: [String]) {
        var losses = Losses()
        let body = try ConverseRequestEncoder.encode(conversation, for: target ?? nova, losses: &losses)
        return (body, losses.fields)
    }

    private func asked(_ change: (inout Conversation) -> Void = { _ in }) -> Conversation {
        var conversation = Conversation()
        conversation.turns = [Turn(.user, [.text("Hi")])]
        change(&conversation)
        return conversation
    }

    private func refusal(
        _ target: WireTarget? = nil, of change: (inout Conversation) -> Void
    ) -> TranslationRefusal? {
        do throws(TranslationRefusal) {
            _ = try encoded(asked(change), for: target)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a conversation with everything in it is written as the API documents it`() throws {
        let (body, losses) = try encoded(ConverseSample.everything, for: claude)
        #expect(body == (try JSONNode.read(try BedrockFixture.text("request.json"))))
        #expect(losses == ["seed", "user", "temperature", "top_k"])
    }

    @Test func `the smallest conversation has messages and nothing else`() throws {
        let (body, losses) = try encoded(asked())
        #expect(body.json == #"{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}"#)
        #expect(losses.isEmpty)
    }

    @Test func `consecutive turns of a role become one message, also around a blank one`() throws {
        let (body, losses) = try encoded(
            asked {
                $0.turns += [
                    Turn(.user, [.text(""), .text("there")]), Turn(.assistant, [.text(" \n\t")]),
                    Turn(.user, [.text("?")]),
                ]
            })
        #expect(
            body.json
                == #"{"messages":[{"role":"user","content":[{"text":"Hi"},{"text":"there"},{"text":"?"}]}]}"#)
        #expect(losses == ["content"])
    }

    @Test func `a conversation without anything to say is refused`() {
        #expect(refusal { $0.turns = [] }?.field == "messages")
        #expect(refusal { $0.turns = [Turn(.user, [.text(" ", cache: .fiveMinutes)])] }?.field == "messages")
    }

    @Test func `a cache mark on a blank text is named as lost, and no cache point stands first`() throws {
        let (body, losses) = try encoded(
            asked { $0.system = [.text("", cache: .oneHour), .text("Be brief.")] })
        #expect(body["system"]?.json == #"[{"text":"Be brief."}]"#)
        #expect(losses == ["cache_control"])
    }

    @Test func `a refusal of the model goes back as its text`() throws {
        let (body, _) = try encoded(
            asked { $0.turns += [Turn(.assistant, [.refusal("No.")]), Turn(.user, [.text("Why?")])] })
        #expect(body["messages"]?.elements?[1].json == #"{"role":"assistant","content":[{"text":"No."}]}"#)
    }

    @Test func `reasoning that another made, or nobody signed, is left out by name`() throws {
        let foreign = OpaqueToken("abc", of: .anthropicMessages)
        let (body, losses) = try encoded(
            asked {
                $0.turns += [
                    Turn(
                        .assistant,
                        [
                            .reasoning(.init(text: "Hm", token: foreign)), .reasoning(.init(text: "Hm")),
                            .reasoning(.init(text: "", token: foreign, isHidden: true)), .text("Yes?"),
                        ])
                ]
            })
        #expect(body["messages"]?.elements?[1].json == #"{"role":"assistant","content":[{"text":"Yes?"}]}"#)
        #expect(losses == ["reasoning"])
    }

    @Test func `what Converse cannot say is refused by its name`() {
        #expect(refusal { $0.presencePenalty = "0.5" }?.field == "presence_penalty")
        #expect(refusal { $0.frequencyPenalty = "0.5" }?.field == "frequency_penalty")
        #expect(refusal { $0.parallelToolCalls = false }?.field == "parallel_tool_calls")
        #expect(refusal { $0.parallelToolCalls = true } == nil)
        #expect(refusal { $0.output = .json }?.field == "response_format")
        #expect(refusal { $0.system = [.refusal("x")] }?.field == "system")
        #expect(refusal { $0.topK = "5" }?.field == "top_k")
        #expect(refusal { $0.reasoning = .adaptive }?.field == "reasoning")
        #expect(refusal(claude) { $0.topK = "5" } == nil)
        #expect(refusal(WireTarget(model: "anthropic")) { $0.topK = "5" }?.field == "top_k")
    }

    @Test func `images are taken by bytes, of the known types, from the user`() {
        func with(_ image: Conversation.Image, by role: Turn.Role = .user) -> TranslationRefusal? {
            refusal { $0.turns = [Turn(role, [.image(image)])] }
        }
        #expect(with(.link("https://example.com/a.png"))?.problem.contains("base64") == true)
        #expect(with(.inline(mediaType: "image/tiff", data: "AA=="))?.problem.contains("PNG") == true)
        #expect(with(.inline(mediaType: "IMAGE/PNG", data: "AA==")) == nil)
        #expect(with(.inline(mediaType: "image/webp", data: "AA==")) == nil)
        #expect(with(.inline(mediaType: "image/png", data: "AA=="), by: .assistant)?.field == "messages")
    }

    @Test(arguments: ["[]", "1", "{", "{\"a\":1,\"a\":2}", "null"])
    func `arguments that are not an object are refused`(arguments: String) {
        let call = Conversation.ToolCall(id: "a", name: "f", arguments: arguments)
        #expect(refusal { $0.turns = [Turn(.assistant, [.toolCall(call)])] }?.field == "messages")
    }

    @Test func `ids and names that the API does not take are refused`() {
        func with(id: String = "a", name: String = "f") -> TranslationRefusal? {
            refusal {
                $0.tools = [.init(name: "f")]
                $0.turns = [Turn(.assistant, [.toolCall(.init(id: id, name: name, arguments: ""))])]
            }
        }
        #expect(with() == nil)
        #expect(with(id: String(repeating: "a", count: 64)) == nil)
        #expect(with(id: String(repeating: "a", count: 65))?.field == "messages")
        #expect(with(id: "")?.field == "messages")
        #expect(with(id: "a b")?.field == "messages")
        #expect(with(id: "functions.f:0") == nil)
        #expect(with(name: "a.b")?.field == "messages")
        #expect(refusal { $0.tools = [.init(name: "é")] }?.field == "tools")
    }

    @Test func `tools are needed where messages hold calls, and cannot be forbidden there`() throws {
        let called = [
            Turn(.user, [.text("Hi")]),
            Turn(.assistant, [.toolCall(.init(id: "a", name: "f", arguments: "{}"))]),
            Turn(.user, [.toolResult(.init(call: "a", parts: [.text("1")]))]),
        ]
        #expect(refusal { $0.turns = called }?.field == "tools")
        #expect(
            refusal {
                $0.turns = called
                $0.tools = [.init(name: "f")]
                $0.toolChoice = Conversation.ToolChoice.none
            }?.field == "tool_choice")
        let (body, losses) = try encoded(
            asked {
                $0.tools = [.init(name: "f")]
                $0.toolChoice = Conversation.ToolChoice.none
            })
        #expect(body["toolConfig"] == nil)
        #expect(losses == ["tools"])
        #expect(refusal { $0.toolChoice = .any }?.field == "tool_choice")
        #expect(refusal { $0.toolChoice = .auto } == nil)
    }

    @Test func `the choice of a tool has the API's words`() throws {
        func choice(_ choice: Conversation.ToolChoice?) throws -> String? {
            try encoded(
                asked {
                    $0.tools = [.init(name: "f")]
                    $0.toolChoice = choice
                }
            ).body["toolConfig"]?["toolChoice"]?.json
        }
        #expect(try choice(nil) == nil)
        #expect(try choice(.auto) == #"{"auto":{}}"#)
        #expect(try choice(.any) == #"{"any":{}}"#)
        #expect(try choice(.named("f")) == #"{"tool":{"name":"f"}}"#)
    }

    @Test func `a wish for reasoning has the words of the generation of Anthropic's models`() throws {
        func fields(
            _ wish: Conversation.ReasoningWish, _ target: WireTarget
        ) throws(TranslationRefusal) -> [String?] {
            let body = try encoded(asked { $0.reasoning = wish }, for: target).body
            return ["additionalModelRequestFields", "inferenceConfig", "outputConfig"].map { body[$0]?.json }
        }
        #expect(try fields(.off, claude) == [#"{"thinking":{"type":"disabled"}}"#, nil, nil])
        #expect(
            try fields(.budget(1_024), claude) == [
                #"{"thinking":{"type":"enabled","budget_tokens":1024}}"#, #"{"maxTokens":5120}"#, nil,
            ])
        #expect(
            try fields(.effort("low"), claude) == [
                #"{"thinking":{"type":"enabled","budget_tokens":2048}}"#, #"{"maxTokens":6144}"#, nil,
            ])
        #expect(refusal(claude) { $0.reasoning = .effort("tiny") }?.field == "reasoning_effort")
        let later = WireTarget(model: "us.anthropic.claude-opus-4-7")
        #expect(try fields(.adaptive, later) == [#"{"thinking":{"type":"adaptive"}}"#, nil, nil])
        #expect(
            try fields(.effort("high"), later) == [
                #"{"thinking":{"type":"adaptive"}}"#, nil, #"{"effort":"high"}"#,
            ])
    }

    @Test func `a budget gives way to calls made without thought, and forbids a forced one`() throws {
        let call = Conversation.ToolCall(id: "a", name: "f", arguments: "{}")
        let (body, losses) = try encoded(
            asked {
                $0.tools = [.init(name: "f")]
                $0.reasoning = .budget(1_024)
                $0.turns += [
                    Turn(.assistant, [.toolCall(call)]),
                    Turn(.user, [.toolResult(.init(call: "a", parts: [.text("1")]))]),
                ]
            }, for: claude)
        #expect(body["additionalModelRequestFields"] == nil)
        #expect(losses == ["reasoning"])
        let forced = refusal(claude) {
            $0.tools = [.init(name: "f")]
            $0.toolChoice = .any
            $0.reasoning = .budget(1_024)
        }
        #expect(forced?.field == "tool_choice")
    }

    @Test func `sampling goes along as far as a model takes it`() throws {
        func figures(_ target: WireTarget, _ temperature: String, _ topP: String) throws -> String? {
            try encoded(
                asked {
                    $0.temperature = temperature
                    $0.topP = topP
                }, for: target
            ).body["inferenceConfig"]?.json
        }
        #expect(try figures(claude, "0.50", "1") == #"{"temperature":0.50}"#)
        #expect(try figures(claude, "1.0", "0.9") == #"{"topP":0.9}"#)
        #expect(try figures(claude, "0.5", "0.9") == #"{"temperature":0.5,"topP":0.9}"#)
        #expect(try figures(WireTarget(model: "anthropic.claude-opus-4-7"), "0.5", "0.9") == nil)
        let other = WireTarget(model: "amazon.nova-pro-v1:0")
        #expect(try figures(other, "0.5", "1") == #"{"temperature":0.5,"topP":1}"#)
    }

    @Test func `random conversations end in a body or a refusal`() {
        let seed: UInt64 = 0xbed_0002
        var random = SplitMix(seed: seed)
        var written = 0
        for _ in 0..<2_000 {
            let conversation = ConverseSample.random(&random)
            var losses = Losses()
            let target = Bool.random(using: &random) ? claude : nova
            guard let body = try? ConverseRequestEncoder.encode(conversation, for: target, losses: &losses)
            else { continue }
            written += 1
            // What is written is JSON again, without blank texts and with alternating roles.
            #expect((try? JSONNode.read(body.json)) == body, "seed \(seed)")
            let roles = body["messages"]?.elements?.compactMap { $0["role"]?.text } ?? []
            #expect(zip(roles, roles.dropFirst()).allSatisfy { $0 != $1 }, "seed \(seed)")
            #expect(!body.json.contains(#"{"text":""}"#), "seed \(seed)")
        }
        #expect(written > 100, "seed \(seed)")
    }
}

/// Conversations for the tests of Converse's requests.
enum ConverseSample {
    static var everything: Conversation {
        var conversation = Conversation()
        conversation.system = [.text("Be brief.", cache: .oneHour), .text(""), .text("Be kind.")]
        conversation.turns = [
            .init(
                .user,
                [
                    .text("What is in this picture?"),
                    .image(.inline(mediaType: "image/png", data: "iVBORw0KGgo="), cache: .fiveMinutes),
                ]),
            .init(.user, [.text("And the weather in Paris?")]),
            .init(
                .assistant,
                [
                    .reasoning(
                        .init(text: "I need the weather.", token: .init("EqoBCkgIBBAB", of: .bedrockConverse))
                    ),
                    .reasoning(
                        .init(text: "", token: .init("RW5jcnlwdGVk", of: .bedrockConverse), isHidden: true)),
                    .text("Let me look."),
                    .toolCall(
                        .init(
                            id: "tooluse_kZJMlvQmRJ6eAyJE5GIl7Q", name: "get_weather",
                            arguments: #"{"city": "Paris", "days": 1.50}"#)),
                    .toolCall(.init(id: "call:2.b", name: "get-time", arguments: "")),
                ]),
            .init(
                .user,
                [
                    .toolResult(
                        .init(
                            call: "tooluse_kZJMlvQmRJ6eAyJE5GIl7Q",
                            parts: [
                                .text(#"{"temperature": 21}"#),
                                .image(.inline(mediaType: "image/jpg", data: "/9j/4AAQ"), cache: .oneHour),
                            ])),
                    .toolResult(.init(call: "call:2.b", parts: [.text("")], isError: true)),
                    .text("Go on."),
                ]),
        ]
        conversation.tools = [
            .init(
                name: "get_weather", description: "The weather of a city.",
                schema: .object([
                    "type": .string("object"),
                    "properties": .object(["city": .object(["type": .string("string")])]),
                    "required": .array([.string("city")]),
                ]), strict: true),
            .init(name: "get-time", description: "", cache: .fiveMinutes),
        ]
        conversation.toolChoice = .auto
        conversation.output = .schema(
            name: "answer", description: "The answer.",
            schema: .object([
                "type": .string("object"), "properties": .object(["a": .object(["type": .string("string")])]),
            ]), strict: true)
        conversation.maxOutputTokens = 4_096
        conversation.temperature = "0.70"
        conversation.topP = "0.95"
        conversation.topK = "40"
        conversation.seed = "7"
        conversation.stopSequences = ["END", "\n\nHuman:"]
        conversation.reasoning = .budget(2_048)
        conversation.endUser = "u-1"
        conversation.streamed = true
        return conversation
    }

    static func random(_ random: inout SplitMix) -> Conversation {
        var conversation = Conversation()
        let texts = [
            "", " ", "a", "{}", "{\"a\":[1]}", "é\u{0}", "[", String(repeating: "x", count: 70), "f-1",
        ]
        func text() -> String { texts.randomElement(using: &random) ?? "" }
        func flag() -> Bool { random.next() % 4 == 0 }
        func part(_ depth: Int) -> Conversation.Part {
            let mark: Conversation.CacheMark? = flag() ? .oneHour : nil
            switch random.next() % 8 {
            case 0, 1, 2: return .text(text(), cache: mark)
            case 3:
                return .image(.inline(mediaType: flag() ? text() : "image/gif", data: text()), cache: mark)
            case 4:
                return .toolCall(.init(id: "f-1", name: flag() ? text() : "f", arguments: "{}"), cache: mark)
            case 5 where depth == 0:
                let inner = (0..<Int(random.next() % 3)).map { _ in part(1) }
                return .toolResult(.init(call: "f-1", parts: inner, isError: flag()), cache: mark)
            case 6: return .refusal(text())
            default:
                let token = OpaqueToken(text(), of: flag() ? .geminiContents : .bedrockConverse)
                return .reasoning(.init(text: text(), token: flag() ? nil : token, isHidden: flag()))
            }
        }
        conversation.turns = (0..<Int(random.next() % 5)).map { _ in
            .init(flag() ? .assistant : .user, (0..<Int(random.next() % 4)).map { _ in part(0) })
        }
        conversation.system = flag() ? [.text(text(), cache: .fiveMinutes)] : []
        if !flag() { conversation.tools = [.init(name: flag() ? text() : "f", description: text())] }
        if flag() { conversation.toolChoice = flag() ? .any : Conversation.ToolChoice.none }
        if flag() { conversation.reasoning = .effort(flag() ? text() : "high") }
        if flag() { conversation.topK = "1" }
        return conversation
    }
}

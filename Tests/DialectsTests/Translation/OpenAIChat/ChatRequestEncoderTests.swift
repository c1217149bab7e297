import Dialects
import Domain
import Testing

@Suite struct ChatRequestEncoderTests {
    private typealias Turn = Conversation.Turn

    /// Takes everything, thoughts too.
    private static let all = WireTarget(
        model: "gpt-6-sol", quirks: ChatQuirks { $0.reasoningBack = .asItCame })

    private func encoded(
        _ conversation: Conversation, for target: WireTarget = Self.all
    ) throws(TranslationRefusal) -> (body: JSONNode, losses: [String]) {
        var losses = Losses()
        let body = try ChatRequestEncoder.encode(conversation, for: target, losses: &losses)
        return (body, losses.fields)
    }

    private func asked(_ change: (inout Conversation) -> Void = { _ in }) -> Conversation {
        var conversation = Conversation()
        conversation.turns = [Turn(.user, [.text("Hi")])]
        change(&conversation)
        return conversation
    }

    private func refusal(of change: (inout Conversation) -> Void) -> String? {
        do throws(TranslationRefusal) {
            _ = try encoded(asked(change))
            return nil
        } catch {
            #expect(!error.problem.isEmpty)
            return error.field
        }
    }

    /// What a member comes to be.
    private func member(
        _ name: String, for model: String = "gpt-6-sol", _ change: (inout Conversation) -> Void
    ) throws -> (String?, [String]) {
        let (body, losses) = try encoded(asked(change), for: WireTarget(model: model))
        return (body[name]?.json, losses)
    }

    @Test func `a conversation with everything in it is written as the API documents it`() throws {
        let (body, losses) = try encoded(ChatSample.everything)
        #expect(body == (try ChatFixture.node("written.json")))
        #expect(losses == ["top_k", "cache_control", "reasoning"])
    }

    @Test func `what was written is read again as it was`() throws {
        var conversation = asked()
        conversation.system = [.text("Be brief.")]
        conversation.turns.append(
            Turn(
                .assistant,
                [
                    .reasoning(.init(text: "a", token: ChatFixture.own("reasoning_content"))), .text("b"),
                    .refusal("c"),
                    .toolCall(
                        .init(
                            id: "1", name: "f", arguments: "{}", signature: ChatFixture.own("Cp0B"))),
                ]))
        conversation.turns.append(
            Turn(.user, [.toolResult(.init(call: "1", name: "f", parts: [.text("d")]))]))
        conversation.streamed = true
        let (body, lost) = try encoded(conversation)
        #expect(lost.isEmpty)
        var losses = Losses()
        var again = try ChatRequestDecoder.decode(body, losses: &losses)
        #expect(losses.fields.isEmpty)
        // A caller's plain text has no maker.
        #expect(again.turns[1].parts.removeFirst() == .reasoning(.init(text: "a")))
        conversation.turns[1].parts.removeFirst()
        #expect(again == conversation)
    }

    @Test func `the target says how limits are named and whether usage is asked for`() throws {
        let conversation = asked {
            $0.maxOutputTokens = 9
            $0.streamed = true
            $0.wantsStreamUsage = false
        }
        #expect(
            try encoded(conversation).body.json
                == #"{"model":"gpt-6-sol","messages":[{"role":"user","content":"Hi"}],"max_completion_tokens":9,"stream":true,"stream_options":{"include_usage":true}}"#
        )
        let target = WireTarget(
            model: "m", quirks: ChatQuirks { ($0.asksForUsage, $0.outputBound) = (false, .maxTokens) })
        #expect(
            try encoded(conversation, for: target).body.json
                == #"{"model":"m","messages":[{"role":"user","content":"Hi"}],"max_tokens":9,"stream":true}"#)
    }

    @Test func `results come first, and their images in a message of the user`() throws {
        let image = Conversation.Part.image(.link("https://example.com/a.png"))
        let (body, losses) = try encoded(
            asked {
                $0.turns += [
                    Turn(
                        .assistant,
                        [
                            .toolCall(.init(id: "a", name: "f", arguments: "")),
                            .toolCall(.init(id: "b", name: "f", arguments: "{}")),
                        ]),
                    Turn(.user, [.text("Well?"), .toolResult(.init(call: "a", parts: [image]))]),
                    Turn(
                        .user,
                        [
                            .toolResult(
                                .init(call: "b", parts: [.text("x"), image, .text("y")], isError: true)),
                            .toolResult(.init(call: "b", parts: [], isError: true)),
                        ]),
                ]
            })
        let picture = #"{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}"#
        func named(_ id: String) -> String {
            #"{"type":"text","text":"Images from the result of the tool call \#(id):"}"#
        }
        #expect(
            body["messages"]?.elements?.dropFirst(2).map(\.json) == [
                #"{"role":"tool","tool_call_id":"a","content":"The images follow in a message of the user."}"#,
                #"{"role":"tool","tool_call_id":"b","content":"x\n\ny"}"#,
                #"{"role":"tool","tool_call_id":"b","content":"error"}"#,
                #"{"role":"user","content":[\#(named("a")),\#(picture),\#(named("b")),\#(picture)]}"#,
                #"{"role":"user","content":"Well?"}"#,
            ])
        #expect(losses == ["is_error"])
    }

    @Test func `only what this format's providers thought goes back, as it came`() throws {
        let detail =
            #"{"type":"reasoning.text","format":"anthropic-claude-v1","index":0,"signature":"s"}"#
        let hidden = #"{"type":"reasoning.encrypted","id":"rs_1","index":1,"data":"x"}"#
        let foreign = OpaqueToken("s", of: .anthropicMessages)
        let parts: [Conversation.Part] = [
            .reasoning(.init(text: "a", token: ChatFixture.own("reasoning_content"))),
            .reasoning(.init(text: "b", token: ChatFixture.own("reasoning_content"))),
            .reasoning(.init(text: "c", token: ChatFixture.own(detail))),
            .reasoning(.init(text: "", token: ChatFixture.own(hidden), isHidden: true)),
        ]
        let (body, losses) = try encoded(asked { $0.turns.append(Turn(.assistant, parts)) })
        #expect(
            body["messages"]?.elements?[1].json
                == #"{"role":"assistant","content":"","reasoning_content":"ab","reasoning_details":[{"type":"reasoning.text","text":"c","format":"anthropic-claude-v1","index":0,"signature":"s"},\#(hidden)]}"#
        )
        #expect(losses.isEmpty)
        for token in [foreign, nil, ChatFixture.own("x"), ChatFixture.own("{}")] {
            let (body, losses) = try encoded(
                asked { $0.turns.append(Turn(.assistant, [.reasoning(.init(text: "a", token: token))])) })
            #expect(body["messages"]?.elements?.count == 1)
            #expect(losses == ["reasoning"])
        }
        let call = Conversation.ToolCall(id: "a", name: "f", arguments: "", signature: foreign)
        let (written, lost) = try encoded(asked { $0.turns.append(Turn(.assistant, [.toolCall(call)])) })
        #expect(
            written["messages"]?.elements?[1].json
                == #"{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}"#
        )
        #expect(lost == ["reasoning"])
    }

    @Test func `ids that are too long are counted, and stay the same in their results`() throws {
        let long = String(repeating: "x", count: 41)
        let most = String(repeating: "y", count: 40)
        let calls = [long, most, long + "z"].map {
            Conversation.Part.toolCall(.init(id: $0, name: "f", arguments: ""))
        }
        let (body, _) = try encoded(
            asked {
                $0.turns.append(Turn(.assistant, calls))
                $0.turns.append(Turn(.user, [.toolResult(.init(call: long + "z", parts: [.text("r")]))]))
            })
        let written = body["messages"]?.elements?[1]["tool_calls"]?.elements ?? []
        #expect(written.map { $0["id"]?.text } == ["call_with_long_id_0", most, "call_with_long_id_1"])
        #expect(body["messages"]?.elements?[2]["tool_call_id"]?.text == "call_with_long_id_1")
    }

    @Test func `a wish for reasoning becomes an effort`() throws {
        func effort(_ wish: Conversation.ReasoningWish, _ model: String) throws -> (String?, [String]) {
            try member("reasoning_effort", for: model) { $0.reasoning = wish }
        }
        let cases: [(Conversation.ReasoningWish, String, String?, [String])] = [
            (.effort("max"), "m", "max", []), (.adaptive, "gpt-6-sol", nil, []),
            (.off, "gpt-5.1", "none", []), (.off, "openai/gpt-6.2-sol", "none", []),
            (.off, "gpt-10", "none", []), (.off, "gpt-5", nil, ["reasoning"]),
            (.off, "gpt-5-mini", nil, ["reasoning"]), (.off, "gpt-4o", nil, ["reasoning"]),
            (.off, "gpt-35-turbo", nil, ["reasoning"]), (.off, "llama", nil, ["reasoning"]),
            (.budget(0), "gpt-6-sol", "none", []), (.budget(1_024), "m", "low", ["reasoning"]),
            (.budget(2_049), "m", "medium", ["reasoning"]), (.budget(8_193), "m", "high", ["reasoning"]),
        ]
        for (wish, model, expected, losses) in cases {
            let found = try effort(wish, model)
            #expect(found.0 == expected.map { "\"\($0)\"" }, "\(wish) for \(model)")
            #expect(found.1 == losses, "\(wish) for \(model)")
        }
        #expect(refusal { $0.reasoning = .effort("much") } == "reasoning_effort")
    }

    @Test func `tools are chosen in the API's words, if there are any`() throws {
        let tools = [Conversation.Tool(name: "f")]
        let cases: [(Conversation.ToolChoice, String)] = [
            (.auto, #""auto""#), (Conversation.ToolChoice.none, #""none""#), (.any, #""required""#),
            (.named("f"), #"{"type":"function","function":{"name":"f"}}"#),
        ]
        for (choice, expected) in cases {
            let found = try member("tool_choice") {
                $0.tools = tools
                $0.toolChoice = choice
            }
            #expect(found.0 == expected)
        }
        let (body, losses) = try encoded(
            asked {
                $0.toolChoice = .auto
                $0.parallelToolCalls = false
            })
        #expect(body.members?.count == 2)
        #expect(losses.isEmpty)
        #expect(refusal { $0.toolChoice = .any } == "tool_choice")
        #expect(refusal { $0.toolChoice = .named("f") } == "tool_choice")
    }

    @Test func `what the format cannot hold is refused by its name`() {
        let call = Conversation.Part.toolCall(.init(id: "a", name: "f", arguments: ""))
        let result = Conversation.Part.toolResult(.init(call: "a", parts: []))
        let image = Conversation.Part.image(.link("https://example.com"))
        #expect(refusal { $0.turns = [] } == "messages")
        #expect(refusal { $0.turns = [Turn(.user, [])] } == "messages")
        #expect(refusal { $0.turns = [Turn(.user, [call])] } == "messages")
        #expect(refusal { $0.turns = [Turn(.assistant, [result])] } == "messages")
        #expect(refusal { $0.turns = [Turn(.assistant, [image])] } == "messages")
        #expect(
            refusal { $0.turns = [Turn(.user, [.toolResult(.init(call: "a", parts: [call]))])] }
                == "messages")
        #expect(
            refusal { $0.turns = [Turn(.assistant, [.toolCall(.init(id: "", name: "f", arguments: ""))])] }
                == "messages")
        #expect(refusal { $0.system = [image] } == "system")
    }

    @Test func `what is left out without harm is noted`() throws {
        #expect(try member("top_k") { $0.topK = "5" } == (nil, ["top_k"]))
        let cached: [Conversation.Part] = [
            .text("a", cache: .fiveMinutes), .image(.link("https://example.com"), cache: .oneHour),
            .toolResult(.init(call: "a", parts: [.text("b", cache: .oneHour)]), cache: .fiveMinutes),
        ]
        for part in cached {
            #expect(try encoded(asked { $0.turns = [Turn(.user, [part])] }).losses == ["cache_control"])
        }
        #expect(
            try encoded(asked { $0.tools = [.init(name: "f", cache: .oneHour)] }).losses
                == ["cache_control"])
        #expect(
            try encoded(asked { $0.turns.append(Turn(.user, [.reasoning(.init(text: "a"))])) }).losses
                == ["reasoning"])
        #expect(try member("response_format") { $0.output = .json }.0 == #"{"type":"json_object"}"#)
    }
}

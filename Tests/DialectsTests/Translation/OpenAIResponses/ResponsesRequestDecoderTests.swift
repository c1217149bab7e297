import Dialects
import Domain
import Testing

@Suite struct ResponsesRequestDecoderTests {
    private func decoded(_ json: String) throws -> (Conversation, [String]) {
        var losses = Losses()
        let request = try JSONNode.read(json)
        let conversation = try ResponsesRequestDecoder.decode(request, losses: &losses)
        return (conversation, losses.fields)
    }

    /// The refusal of a request with these members besides the needed ones.
    private func refusal(_ members: String, input: String = #""Hi""#) throws -> TranslationRefusal? {
        do {
            _ = try decoded(#"{"model":"m","input":\#(input)\#(members)}"#)
            return nil
        } catch let error as TranslationRefusal {
            #expect(!error.problem.isEmpty)
            return error
        }
    }

    private func losses(_ members: String, input: String = #""Hi""#) throws -> [String] {
        try decoded(#"{"model":"m","input":\#(input)\#(members)}"#).1
    }

    private var everything: Conversation {
        var conversation = Conversation()
        conversation.system = [.text("Be brief."), .text("Be kind."), .text("Be right.")]
        conversation.turns = [
            .init(
                .user,
                [
                    .image(.inline(mediaType: "image/png", data: "iVBORw0KGgo=")),
                    .image(.link("https://example.com/cat.webp")),
                    .text("Which cat, and the weather in Paris?"),
                ]),
            .init(
                .assistant,
                [
                    .reasoning(
                        .init(
                            text: "**Weather**\n\nI need it.",
                            token: OpaqueToken("gAAAAABo", of: .openAIResponses))),
                    .reasoning(
                        .init(
                            text: "", token: OpaqueToken("RW5jcnlwdGVk", of: .anthropicMessages),
                            isHidden: true)),
                    .text("Let me look."), .refusal("I will not name the cat."),
                    .toolCall(
                        .init(
                            id: "call_1", name: "get_weather", arguments: #"{"city":"Paris","days":1.50}"#,
                            signature: OpaqueToken("Cp==", of: .geminiContents))),
                    .toolCall(.init(id: "call_2", name: "get-time", arguments: "{}")),
                ]),
            .init(
                .user,
                [
                    .toolResult(
                        .init(
                            call: "call_1", name: "get_weather",
                            parts: [
                                .text("21 degrees"),
                                .image(.inline(mediaType: "image/jpeg", data: "/9j/4AAQ")),
                            ])),
                    .toolResult(.init(call: "call_2", name: "get-time", parts: [.text("no clock")])),
                    .text("Go on."),
                ]),
            .init(.assistant, [.text("It is warm.")]), .init(.user, [.text("Grüße 🌦")]),
        ]
        conversation.tools = [
            .init(
                name: "get_weather", description: "The weather of a city.",
                schema: .object([
                    "type": .string("object"),
                    "properties": .object(["city": .object(["type": .string("string")])]),
                    "required": .array([.string("city")]),
                ]), strict: true), .init(name: "get-time", strict: false),
        ]
        conversation.toolChoice = .named("get_weather")
        conversation.parallelToolCalls = false
        conversation.output = .schema(
            name: "weather", description: "A report.",
            schema: .object(["type": .string("object"), "properties": .object([])]), strict: true)
        conversation.maxOutputTokens = 4_000
        conversation.temperature = "1.0"
        conversation.topP = "0.95"
        conversation.reasoning = .effort("high")
        conversation.endUser = "u-1"
        conversation.streamed = true
        return conversation
    }

    @Test func `a request with everything in it is read part by part`() throws {
        let (conversation, losses) = try decoded(try ResponsesFixture.text("request.json"))
        #expect(conversation == everything)
        #expect(losses == ["text.verbosity", "metadata", "service_tier"])
    }

    @Test func `a text alone is what the user says`() throws {
        let (conversation, losses) = try decoded(#"{"model":"m","input":"Hi"}"#)
        var expected = Conversation()
        expected.turns = [.init(.user, [.text("Hi")])]
        #expect(conversation == expected && losses.isEmpty)
    }

    @Test(arguments: [
        (#","previous_response_id":"resp_1""#, "previous_response_id"),
        (#","conversation":"conv_1""#, "conversation"), (#","conversation":{"id":"c"}"#, "conversation"),
        (#","prompt":{"id":"pmpt_1"}"#, "prompt"), (#","background":true"#, "background"),
        (#","background":1"#, "background"), (#","max_tool_calls":3"#, "max_tool_calls"),
        (#","top_logprobs":2"#, "top_logprobs"), (#","truncation":"auto""#, "truncation"),
        (#","truncation":1"#, "truncation"), (#","include":"x""#, "include"),
        (#","include":[1]"#, "include[0]"),
        (
            #","include":["reasoning.encrypted_content","message.output_text.logprobs"]"#, "include[1]"
        ),
        (#","include":["web_search_call.action.sources"]"#, "include[0]"),
        (#","context_management":[{"type":"compaction"}]"#, "context_management"),
        (#","prompt_cache_options":{"prewarm":true}"#, "prompt_cache_options.prewarm"),
        (#","prompt_cache_options":"x""#, "prompt_cache_options"),
        (#","moderation":{"model":"omni"}"#, "moderation"), (#","messages":[]"#, "messages"),
        (#","max_tokens":9"#, "max_tokens"), (#","stop":"END""#, "stop"), (#","new_thing":1"#, "new_thing"),
        (#","instructions":1"#, "instructions"), (#","max_output_tokens":0"#, "max_output_tokens"),
        (#","temperature":"1""#, "temperature"), (#","top_p":true"#, "top_p"), (#","user":1"#, "user"),
        (#","metadata":"x""#, "metadata"), (#","store":"x""#, "store"),
        (#","service_tier":1"#, "service_tier"),
        (#","safety_identifier":1"#, "safety_identifier"), (#","prompt_cache_key":1"#, "prompt_cache_key"),
        (#","prompt_cache_retention":1"#, "prompt_cache_retention"), (#","stream":1"#, "stream"),
        (#","stream_options":{"include_usage":true}"#, "stream_options.include_usage"),
        (#","stream_options":{"include_obfuscation":1}"#, "stream_options.include_obfuscation"),
        (#","reasoning":"high""#, "reasoning"), (#","reasoning":{"effort":1}"#, "reasoning.effort"),
        (#","reasoning":{"mode":"pro"}"#, "reasoning.mode"), (#","reasoning":{"new":1}"#, "reasoning.new"),
        (#","reasoning":{"summary":1}"#, "reasoning.summary"), (#","text":"x""#, "text"),
        (#","text":{"verbosity":1}"#, "text.verbosity"), (#","text":{"format":{}}"#, "text.format.type"),
        (#","text":{"format":{"type":"grammar"}}"#, "text.format.type"),
        (#","text":{"format":{"type":"text","x":1}}"#, "text.format.x"),
        (#","text":{"format":{"type":"json_schema","name":"n"}}"#, "text.format.schema"),
        (#","text":{"format":{"type":"json_schema","schema":{}}}"#, "text.format.name"),
        (#","text":{"format":{"type":"json_schema","json_schema":{}}}"#, "text.format.json_schema"),
        (#","tools":{}"#, "tools"), (#","tools":[1]"#, "tools[0]"), (#","tools":[{}]"#, "tools[0].type"),
        (#","tools":[{"type":"web_search"}]"#, "tools[0].type"),
        (#","tools":[{"type":"custom","name":"f"}]"#, "tools[0].type"),
        (#","tools":[{"type":"function","function":{"name":"f"}}]"#, "tools[0].function"),
        (#","tools":[{"type":"function"}]"#, "tools[0].name"),
        (#","tools":[{"type":"function","name":"f","parameters":"x"}]"#, "tools[0].parameters"),
        (#","tools":[{"type":"function","name":"f","strict":"x"}]"#, "tools[0].strict"),
        (#","tools":[{"type":"function","name":"f","defer_loading":true}]"#, "tools[0].defer_loading"),
        (#","tools":[{"type":"function","name":"f","async":true}]"#, "tools[0].async"),
        (#","tools":[{"type":"function","name":"f","output_schema":{}}]"#, "tools[0].output_schema"),
        (
            #","tools":[{"type":"function","name":"f","allowed_callers":["programmatic"]}]"#,
            "tools[0].allowed_callers[0]"
        ),
        (#","tool_choice":"any""#, "tool_choice"), (#","tool_choice":1"#, "tool_choice"),
        (#","tool_choice":{"type":"allowed_tools","mode":"auto","tools":[]}"#, "tool_choice.type"),
        (#","tool_choice":{"type":"web_search"}"#, "tool_choice.type"),
        (#","tool_choice":{"type":"function"}"#, "tool_choice.name"),
        (#","tool_choice":{"type":"function","function":{"name":"f"}}"#, "tool_choice.function"),
        (#","parallel_tool_calls":1"#, "parallel_tool_calls"),
    ])
    func `what cannot be translated is refused by its path`(members: String, field: String) throws {
        #expect(try refusal(members)?.field == field)
    }

    @Test(arguments: [
        ("null", "input"), ("1", "input"), ("[]", "input"), ("{}", "input"), ("[1]", "input[0]"),
        ("[{}]", "input[0].role"), (#"[{"role":"tool","content":"x"}]"#, "input[0].role"),
        (#"[{"role":"user"}]"#, "input[0].content"), (#"[{"role":"user","content":1}]"#, "input[0].content"),
        (#"[{"role":"user","content":["Hi"]}]"#, "input[0].content[0]"),
        (#"[{"role":"user","content":"x","name":"n"}]"#, "input[0].name"),
        (#"[{"role":"user","content":[{"type":"text","text":"x"}]}]"#, "input[0].content[0].type"),
        (#"[{"role":"user","content":[{"type":"output_text","text":"x"}]}]"#, "input[0].content[0].type"),
        (#"[{"role":"user","content":[{"type":"input_file","file_id":"f"}]}]"#, "input[0].content[0].type"),
        (#"[{"role":"user","content":[{"type":"input_text"}]}]"#, "input[0].content[0].text"),
        (
            #"[{"role":"user","content":[{"type":"input_image","file_id":"f"}]}]"#,
            "input[0].content[0].file_id"
        ),
        (#"[{"role":"user","content":[{"type":"input_image"}]}]"#, "input[0].content[0].image_url"),
        (
            #"[{"role":"user","content":[{"type":"input_image","image_url":"ftp://x"}]}]"#,
            "input[0].content[0].image_url"
        ),
        (
            #"[{"role":"user","content":[{"type":"input_image","image_url":"data:image/png,x"}]}]"#,
            "input[0].content[0].image_url"
        ),
        (
            #"[{"role":"assistant","content":[{"type":"input_image","image_url":"https://x"}]}]"#,
            "input[0].content[0].type"
        ),
        (
            #"[{"role":"system","content":[{"type":"input_image","image_url":"https://x"}]}]"#,
            "input[0].content[0].type"
        ),
        (#"[{"role":"user","content":"x"},{"role":"developer","content":"y"}]"#, "input[1].role"),
        (#"[{"type":"item_reference","id":"msg_1"}]"#, "input[0]"), (#"[{"id":"msg_1"}]"#, "input[0]"),
        (#"[{"type":"web_search_call","id":"ws_1"}]"#, "input[0].type"),
        (#"[{"type":"custom_tool_call","call_id":"a"}]"#, "input[0].type"),
        (#"[{"type":1}]"#, "input[0].type"),
        (#"[{"type":"function_call","call_id":"a","name":"f"}]"#, "input[0].arguments"),
        (#"[{"type":"function_call","call_id":"a","arguments":"{}"}]"#, "input[0].name"),
        (#"[{"type":"function_call","name":"f","arguments":"{}"}]"#, "input[0].call_id"),
        (
            #"[{"type":"function_call","call_id":"a","name":"f","arguments":"{}","namespace":"n"}]"#,
            "input[0].namespace"
        ),
        (
            #"[{"type":"function_call","call_id":"a","name":"f","arguments":"{}","async":true}]"#,
            "input[0].async"
        ),
        (
            #"[{"type":"function_call","call_id":"a","name":"f","arguments":"{}","caller":{"type":"program","caller_id":"c"}}]"#,
            "input[0].caller"
        ),
        (#"[{"type":"function_call_output","call_id":"a","output":"x"}]"#, "input[0].call_id"),
        (
            #"[{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a"}]"#,
            "input[1].output"
        ),
        (
            #"[{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":[{"type":"input_file","file_data":"x"}]}]"#,
            "input[1].output[0].type"
        ),
        (#"[{"type":"reasoning","summary":"x"}]"#, "input[0].summary"),
        (#"[{"type":"reasoning","summary":[{"type":"text","text":"x"}]}]"#, "input[0].summary[0].type"),
        (#"[{"type":"reasoning","summary":[],"content":[{"type":"x"}]}]"#, "input[0].content[0].type"),
        (#"[{"type":"reasoning","summary":[],"encrypted_content":1}]"#, "input[0].encrypted_content"),
        (#"[{"type":"reasoning","summary":[],"new":1}]"#, "input[0].new"),
    ])
    func `input of the wrong shape is refused by its path`(input: String, field: String) throws {
        #expect(try refusal("", input: input)?.field == field)
    }

    @Test func `a refusal says what to do, and names a tool of OpenAI's own`() throws {
        let state = try #require(try refusal(#","previous_response_id":"resp_1""#))
        #expect(state.problem.contains("send the whole conversation as 'input'"))
        let tool = try #require(try refusal(#","tools":[{"type":"web_search_preview"}]"#))
        #expect(tool.problem.contains("'web_search_preview'"))
        let odd = try #require(try refusal(#","tools":[{"type":"\u0000<b>"}]"#))
        #expect(odd.problem.contains("this type"))
    }

    @Test func `what the answer does not depend on is named, and defaults are not`() throws {
        #expect(
            try losses(
                #","store":false,"service_tier":"auto","metadata":{},"stream_options":{"include_obfuscation":false},"truncation":"disabled","background":false,"top_logprobs":0,"context_management":[],"text":{"verbosity":"medium","format":{"type":"text"}},"reasoning":{"summary":"auto","context":"auto","mode":"standard"},"include":[],"moderation":null"#
            ).isEmpty)
        #expect(
            try losses(
                #","store":true,"service_tier":"priority","metadata":{"a":"b"},"stream_options":{"include_obfuscation":true},"text":{"verbosity":"high"},"reasoning":{"summary":"detailed","generate_summary":"concise","context":"all_turns"},"safety_identifier":"s","prompt_cache_key":"k","prompt_cache_retention":"24h","prompt_cache_options":{"mode":"explicit"}"#
            ) == [
                "reasoning.summary", "reasoning.generate_summary", "reasoning.context", "text.verbosity",
                "stream_options.include_obfuscation", "metadata", "store", "service_tier",
                "prompt_cache_options", "safety_identifier", "prompt_cache_key", "prompt_cache_retention",
            ])
        let input =
            #"[{"role":"user","content":[{"type":"input_text","text":"x","prompt_cache_breakpoint":{"mode":"explicit"}},{"type":"input_image","image_url":"https://x","detail":"low"}]},{"role":"assistant","phase":"commentary","content":[{"type":"output_text","text":"y","annotations":[{"type":"file_path"}],"logprobs":[{}]}]}]"#
        #expect(
            try losses("", input: input)
                == ["prompt_cache_breakpoint", "detail", "phase", "annotations", "logprobs"])
    }

    @Test func `wishes and choices have one meaning each`() throws {
        func conversation(_ members: String) throws -> Conversation {
            try decoded(#"{"model":"m","input":"Hi"\#(members)}"#).0
        }
        #expect(try conversation(#","reasoning":{"effort":"none"}"#).reasoning == .off)
        #expect(try conversation(#","reasoning":{"effort":"xhigh"}"#).reasoning == .effort("xhigh"))
        #expect(try conversation(#","reasoning":{"summary":"auto"}"#).reasoning == nil)
        #expect(try conversation(#","tool_choice":"auto""#).toolChoice == .auto)
        #expect(try conversation(#","tool_choice":"none""#).toolChoice == Conversation.ToolChoice.none)
        #expect(try conversation(#","tool_choice":"required""#).toolChoice == .any)
        #expect(try conversation(#","parallel_tool_calls":true"#).parallelToolCalls == true)
        #expect(try conversation(#","text":{"format":{"type":"json_object"}}"#).output == .json)
        #expect(try conversation(#","text":{}"#).output == .text)
        #expect(try conversation(#","stream":true"#).wantsStreamUsage)
    }

    @Test func `reasoning is read from its content before its summary`() throws {
        let (parts, losses) = try ResponsesFixture.handedBack(
            try JSONNode.read(
                #"""
                [{"type":"reasoning","id":"a","summary":[{"type":"summary_text","text":"s"}],
                  "content":[{"type":"reasoning_text","text":"one "},{"type":"reasoning_text","text":"two"}]},
                 {"type":"reasoning","id":"b","summary":[]},
                 {"type":"reasoning","id":"c","summary":[{"type":"summary_text","text":""}],
                  "encrypted_content":"openai-responses:x:y"}]
                """#))
        #expect(
            parts == [
                .reasoning(.init(text: "one two")),
                .reasoning(.init(text: "", token: OpaqueToken("x:y", of: .openAIResponses))),
            ])
        #expect(losses == ["summary", "reasoning"])
    }

    @Test func `the signature of a call goes to the call right behind it only`() throws {
        func item(_ token: String) -> String {
            #"{"type":"reasoning","summary":[],"encrypted_content":"tool_call:gemini-contents:\#(token)"}"#
        }
        func call(_ id: String) -> String {
            #"{"type":"function_call","call_id":"\#(id)","name":"f","arguments":"{}"}"#
        }
        func read(_ items: [String]) throws -> ([String?], [String]) {
            let (parts, losses) = try ResponsesFixture.handedBack(
                try JSONNode.read("[\(items.joined(separator: ","))]"))
            let signatures = parts.compactMap { part -> String?? in
                guard case .toolCall(let call, _) = part else { return nil }
                return .some(call.signature?.text)
            }
            return (signatures, losses)
        }
        #expect(try read([item("a"), call("1"), call("2"), item("b"), call("3")]) == (["a", nil, "b"], []))
        #expect(try read([item("a"), item("b"), call("1")]) == (["b"], ["reasoning"]))
        let said = #"{"role":"assistant","content":"Hm"}"#
        #expect(try read([item("a"), said, call("1")]) == ([nil], ["reasoning"]))
        #expect(try read([call("1"), item("a")]) == ([nil], ["reasoning"]))
    }

    @Test func `changed requests never crash the decoder`() throws {
        let seed: UInt64 = 0x0a1_0001
        var random = SplitMix(seed: seed)
        let whole = try ResponsesFixture.node("request.json")
        var read = 0
        for _ in 0..<4_000 {
            var changed = whole
            for _ in 0...random.next() % 3 { changed = ConverseMutation.changed(changed, &random) }
            var losses = Losses()
            do throws(TranslationRefusal) {
                _ = try ResponsesRequestDecoder.decode(changed, losses: &losses)
                read += 1
            } catch {
                #expect(!error.field.isEmpty || changed.members == nil, "seed \(seed)")
            }
        }
        #expect(read > 0 && read < 4_000, "seed \(seed)")
    }
}

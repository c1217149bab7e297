import Dialects
import Domain
import Testing

@Suite struct ChatRequestDecoderTests {
    private func decoded(_ json: String) throws -> (Conversation, [String]) {
        var losses = Losses()
        let request = try JSONNode.read(json)
        let conversation = try ChatRequestDecoder.decode(request, losses: &losses)
        return (conversation, losses.fields)
    }

    /// A request with these members besides the needed ones.
    private func asked(_ members: String) throws -> (Conversation, [String]) {
        try decoded(#"{"model":"m","messages":[{"role":"user","content":"Hi"}]\#(members)}"#)
    }

    private func refusal(_ json: String) throws -> String? {
        do {
            _ = try decoded(json)
            return nil
        } catch let error as TranslationRefusal {
            #expect(!error.problem.isEmpty)
            return error.field
        }
    }

    @Test func `a request with everything in it is read part by part`() throws {
        let (conversation, losses) = try decoded(try ChatFixture.text("request.json"))
        #expect(conversation == ChatSample.everything)
        #expect(
            losses == [
                "image_url.detail", "name", "store", "metadata", "service_tier", "verbosity",
                "safety_identifier", "prompt_cache_key",
            ])
    }

    @Test func `the smallest request wants no usage in its stream`() throws {
        let (conversation, losses) = try asked(#","stream":true"#)
        var expected = Conversation()
        expected.turns = [.init(.user, [.text("Hi")])]
        expected.streamed = true
        expected.wantsStreamUsage = false
        #expect(conversation == expected)
        #expect(losses.isEmpty)
    }

    @Test(arguments: [
        (#","new_thing":1"#, "new_thing"), (#","n":2"#, "n"), (#","n":"1""#, "n"),
        (#","logprobs":true"#, "logprobs"), (#","logprobs":1"#, "logprobs"),
        (#","top_logprobs":3"#, "top_logprobs"), (#","modalities":["text","audio"]"#, "modalities[1]"),
        (#","audio":{"voice":"alloy"}"#, "audio"), (#","prediction":{"type":"content"}"#, "prediction"),
        (#","web_search_options":{}"#, "web_search_options"), (#","moderation":{"model":"m"}"#, "moderation"),
        (#","logit_bias":{"50256":-100}"#, "logit_bias"), (#","logit_bias":[]"#, "logit_bias"),
        (#","functions":[{"name":"f"}]"#, "functions"), (#","function_call":"auto""#, "function_call"),
        (#","max_tokens":0"#, "max_tokens"), (#","max_completion_tokens":1.5"#, "max_completion_tokens"),
        (#","max_completion_tokens":5,"max_tokens":6"#, "max_tokens"),
        (#","temperature":"1""#, "temperature"), (#","top_p":true"#, "top_p"), (#","top_k":[]"#, "top_k"),
        (#","presence_penalty":"x""#, "presence_penalty"),
        (#","frequency_penalty":"x""#, "frequency_penalty"), (#","seed":"x""#, "seed"),
        (#","stop":1"#, "stop"), (#","stop":["a",1]"#, "stop[1]"), (#","user":1"#, "user"),
        (#","stream":1"#, "stream"), (#","stream_options":{"new":1}"#, "stream_options.new"),
        (#","stream_options":{"include_usage":1}"#, "stream_options.include_usage"),
        (#","reasoning_effort":1"#, "reasoning_effort"),
        (#","reasoning_effort":"low","reasoning":{"enabled":true}"#, "reasoning"),
        (#","reasoning":"low""#, "reasoning"), (#","reasoning":{"new":1}"#, "reasoning.new"),
        (#","reasoning":{"effort":"low","max_tokens":9}"#, "reasoning.max_tokens"),
        (#","reasoning":{"max_tokens":0}"#, "reasoning.max_tokens"),
        (#","response_format":{"type":"grammar"}"#, "response_format.type"),
        (#","response_format":{"type":"json_schema"}"#, "response_format.json_schema"),
        (
            #","response_format":{"type":"json_schema","json_schema":{"name":"x"}}"#,
            "response_format.json_schema.schema"
        ),
        (
            #","response_format":{"type":"json_schema","json_schema":{"schema":{}}}"#,
            "response_format.json_schema.name"
        ),
        (#","tools":{}"#, "tools"), (#","tools":[{"function":{"name":"f"}}]"#, "tools[0].type"),
        (#","tools":[{"type":"custom","custom":{"name":"f"}}]"#, "tools[0].type"),
        (#","tools":[{"type":"function"}]"#, "tools[0].function"),
        (#","tools":[{"type":"function","function":{}}]"#, "tools[0].function.name"),
        (#","tools":[{"type":"function","function":{"name":"f","new":1}}]"#, "tools[0].function.new"),
        (
            #","tools":[{"type":"function","function":{"name":"f","parameters":1}}]"#,
            "tools[0].function.parameters"
        ),
        (
            #","tools":[{"type":"function","function":{"name":"f"},"cache_control":{"type":"x"}}]"#,
            "tools[0].cache_control.type"
        ),
        (#","tool_choice":"some""#, "tool_choice"), (#","tool_choice":1"#, "tool_choice"),
        (#","tool_choice":{"type":"allowed_tools","allowed_tools":{}}"#, "tool_choice.type"),
        (#","tool_choice":{"type":"function"}"#, "tool_choice.function"),
        (#","parallel_tool_calls":"no""#, "parallel_tool_calls"), (#","store":1"#, "store"),
        (#","metadata":"x""#, "metadata"), (#","service_tier":1"#, "service_tier"),
        (#","verbosity":1"#, "verbosity"),
    ])
    func `what cannot be translated is refused by its path`(members: String, field: String) throws {
        #expect(try refusal(#"{"messages":[{"role":"user","content":"Hi"}]\#(members)}"#) == field)
    }

    /// The path of what is refused in messages, behind `messages[0].`.
    @Test(arguments: [
        (#"{"role":"function","content":"x"}"#, "role"), (#"{"content":"x"}"#, "role"),
        (#"{"role":"user"}"#, "content"), (#"{"role":"user","content":1}"#, "content"),
        (#"{"role":"user","content":"x","new":1}"#, "new"),
        (#"{"role":"user","content":"x","name":1}"#, "name"),
        (#"{"role":"user","content":["x"]}"#, "content[0]"),
        (#"{"role":"user","content":[{"type":"input_audio"}]}"#, "content[0].type"),
        (#"{"role":"user","content":[{"type":"file"}]}"#, "content[0].type"),
        (#"{"role":"user","content":[{"type":"refusal","refusal":"x"}]}"#, "content[0].type"),
        (#"{"role":"user","content":[{"type":"text"}]}"#, "content[0].text"),
        (#"{"role":"user","content":[{"type":"text","text":"x","new":1}]}"#, "content[0].new"),
        (#"{"role":"user","content":[{"type":"image_url"}]}"#, "content[0].image_url"),
        (
            #"{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]}"#,
            "content[0].image_url.url"
        ),
        (
            #"{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png,x"}}]}"#,
            "content[0].image_url.url"
        ),
        (
            #"{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:text/html;base64,AA"}}]}"#,
            "content[0].image_url.url"
        ),
        (#"{"role":"system","content":[{"type":"image_url"}]}"#, "content[0].type"),
        (#"{"role":"assistant"}"#, "content"), (#"{"role":"assistant","content":null}"#, "content"),
        (#"{"role":"assistant","content":[{"type":"image_url"}]}"#, "content[0].type"),
        (#"{"role":"assistant","function_call":{"name":"f"}}"#, "function_call"),
        (#"{"role":"assistant","audio":{"id":"a"}}"#, "audio"),
        (#"{"role":"assistant","content":"x","refusal":1}"#, "refusal"),
        (#"{"role":"assistant","content":"x","reasoning_content":1}"#, "reasoning_content"),
        (#"{"role":"assistant","reasoning_details":[{"type":"x"}]}"#, "reasoning_details[0].type"),
        (
            #"{"role":"assistant","reasoning_details":[{"type":"reasoning.text","text":1}]}"#,
            "reasoning_details[0].text"
        ),
        (
            #"{"role":"assistant","tool_calls":[{"id":"a","type":"custom"}]}"#, "tool_calls[0].type"
        ),
        (
            #"{"role":"assistant","tool_calls":[{"type":"function","function":{"name":"f"}}]}"#,
            "tool_calls[0].id"
        ),
        (
            #"{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":{}}}]}"#,
            "tool_calls[0].function.arguments"
        ),
        (
            #"{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f"},"extra_content":{"x":1}}]}"#,
            "tool_calls[0].extra_content.x"
        ),
        (#"{"role":"tool","tool_call_id":"a","content":"x"}"#, "tool_call_id"),
        (#"{"role":"tool","content":"x"}"#, "tool_call_id"),
    ])
    func `what cannot be translated in a message is refused by its path`(
        message: String, field: String
    ) throws {
        #expect(try refusal(#"{"messages":[\#(message)]}"#) == "messages[0].\(field)")
    }

    @Test func `messages are needed, and the system may speak at the beginning only`() throws {
        for json in ["{}", #"{"messages":[]}"#, #"{"messages":{}}"#] {
            #expect(try refusal(json) == "messages")
        }
        #expect(try refusal("[]") == "")
        let late =
            #"{"messages":[{"role":"system","content":"a"},{"role":"user","content":"b"},{"role":"developer","content":"c"}]}"#
        #expect(try refusal(late) == "messages[2].role")
    }

    @Test(
        arguments: [
            (#""reasoning_effort":"none""#, .off), (#""reasoning_effort":"high""#, .effort("high")),
            (#""reasoning":{"effort":"none"}"#, .off), (#""reasoning":{"effort":"low"}"#, .effort("low")),
            (#""reasoning":{"max_tokens":2000}"#, .budget(2_000)),
            (#""reasoning":{"enabled":true}"#, .adaptive),
            (#""reasoning":{"enabled":false,"effort":"low"}"#, .off), (#""reasoning":{}"#, nil),
        ] as [(String, Conversation.ReasoningWish?)])
    func `a wish for reasoning has its meaning`(
        member: String, wish: Conversation.ReasoningWish?
    ) throws {
        #expect(try asked("," + member).0.reasoning == wish)
    }

    @Test func `members with a default, a null or a shorter form mean the same`() throws {
        let (conversation, losses) = try asked(
            #","new":null,"n":1,"logprobs":null,"top_logprobs":0,"logit_bias":null,"functions":[],"store":false,"metadata":{},"service_tier":"auto","verbosity":"medium","stop":"END","max_tokens":5,"max_completion_tokens":5,"response_format":{"type":"text"},"tool_choice":"auto""#
        )
        #expect(losses.isEmpty)
        #expect(conversation.stopSequences == ["END"])
        #expect(conversation.maxOutputTokens == 5)
        #expect(conversation.toolChoice == .auto)
        #expect(try asked(#","max_tokens":6"#).0.maxOutputTokens == 6)
        #expect(try asked(#","response_format":{"type":"json_object"}"#).0.output == .json)
        #expect(try asked(#","tool_choice":"none""#).0.toolChoice == Conversation.ToolChoice.none)
        let named = #","tool_choice":{"type":"function","function":{"name":"f"}}"#
        #expect(try asked(named).0.toolChoice == .named("f"))
    }

    @Test(arguments: [
        (#""store":true"#, "store"), (#""metadata":{"a":"b"}"#, "metadata"),
        (#""service_tier":"priority""#, "service_tier"), (#""verbosity":"high""#, "verbosity"),
        (#""safety_identifier":"a""#, "safety_identifier"), (#""prompt_cache_key":"a""#, "prompt_cache_key"),
        (#""prompt_cache_options":{"mode":"explicit"}"#, "prompt_cache_options"),
        (#""prompt_cache_retention":"24h""#, "prompt_cache_retention"),
        (#""reasoning":{"exclude":true}"#, "reasoning.exclude"),
    ])
    func `what the answer does not depend on is noted`(member: String, field: String) throws {
        #expect(try asked("," + member).1 == [field])
    }

    @Test func `what a message loses is noted`() throws {
        let (_, losses) = try decoded(
            #"{"messages":[{"role":"user","name":"a","content":[{"type":"text","text":"x","prompt_cache_breakpoint":{"mode":"explicit"}}]},"#
                + #"{"role":"assistant","content":"y","annotations":[{"type":"url_citation"}]}]}"#)
        #expect(losses == ["name", "prompt_cache_breakpoint", "annotations"])
    }

    @Test func `reasoning is read from details first, and knows its maker`() throws {
        let details =
            #"[{"type":"reasoning.text","text":"a","signature":"s","format":"anthropic-claude-v1","index":0,"new":1},"#
            + #"{"type":"reasoning.summary","summary":"b","format":null},{"type":"reasoning.text","text":""},"#
            + #"{"type":"reasoning.encrypted","data":"bedrock-converse:x","format":"y"},{"type":"reasoning.encrypted"}]"#
        let messages =
            #"[{"role":"assistant","content":"","reasoning":"no","reasoning_details":\#(details)},"#
            + #"{"role":"assistant","reasoning_content":"yes","content":"z"},{"role":"assistant","content":""}]"#
        let (conversation, losses) = try decoded(#"{"messages":\#(messages)}"#)
        let token = #"{"type":"reasoning.text","format":"anthropic-claude-v1","index":0,"signature":"s"}"#
        #expect(
            conversation.turns == [
                .init(
                    .assistant,
                    [
                        .reasoning(.init(text: "a", token: ChatFixture.own(token))),
                        .reasoning(.init(text: "b")),
                        .reasoning(
                            .init(text: "", token: OpaqueToken("x", of: .bedrockConverse), isHidden: true)),
                    ]),
                .init(.assistant, [.reasoning(.init(text: "yes")), .text("z")]),
                .init(.assistant, [.text("")]),
            ])
        #expect(losses.isEmpty)
    }

    @Test func `changed requests never crash the decoder`() throws {
        let seed: UInt64 = 0xc4a7_0001
        var random = SplitMix(seed: seed)
        let whole = try ChatFixture.node("request.json")
        var read = 0
        for _ in 0..<4_000 {
            var changed = whole
            for _ in 0...random.next() % 3 { changed = ConverseMutation.changed(changed, &random) }
            var losses = Losses()
            do throws(TranslationRefusal) {
                let conversation = try ChatRequestDecoder.decode(changed, losses: &losses)
                _ = try? ChatRequestEncoder.encode(
                    conversation, for: WireTarget(model: "m"), losses: &losses)
                read += 1
            } catch {
                #expect(!error.field.isEmpty || changed.members == nil, "seed \(seed)")
            }
        }
        #expect(read > 0 && read < 4_000, "seed \(seed)")
    }
}

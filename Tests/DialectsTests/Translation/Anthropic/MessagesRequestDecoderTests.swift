import Dialects
import Domain
import Testing

@Suite struct MessagesRequestDecoderTests {
    private func decoded(_ json: String) throws -> (Conversation, [String]) {
        var losses = Losses()
        let request = try JSONNode.read(json)
        let conversation = try MessagesRequestDecoder.decode(request, losses: &losses)
        return (conversation, losses.fields)
    }

    /// The refusal of a request with these members besides the needed ones.
    private func refusal(_ members: String, messages: String? = nil) throws -> String? {
        let messages = messages ?? #"[{"role":"user","content":"Hi"}]"#
        do {
            _ = try decoded(#"{"model":"m","max_tokens":9,"messages":\#(messages)\#(members)}"#)
            return nil
        } catch let error as TranslationRefusal {
            #expect(!error.problem.isEmpty)
            return error.field
        }
    }

    private func losses(_ members: String) throws -> [String] {
        try decoded(
            #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]\#(members)}"#
        ).1
    }

    @Test func `a request with everything in it is read part by part`() throws {
        let (conversation, losses) = try decoded(try MessagesFixture.text("request.json"))
        #expect(conversation == MessagesSample.everything)
        #expect(losses == ["service_tier"])
    }

    @Test func `the body of a count needs neither max_tokens nor stream`() throws {
        var losses = Losses()
        let body = try JSONNode.read(#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#)
        let conversation = try MessagesRequestDecoder.decodeForCount(body, losses: &losses)
        #expect(conversation.turns == [.init(.user, [.text("Hi")])])
        #expect(conversation.maxOutputTokens == nil)
        #expect(!conversation.streamed && conversation.wantsStreamUsage)
        #expect(throws: TranslationRefusal.self) {
            try MessagesRequestDecoder.decode(body, losses: &losses)
        }
    }

    @Test(arguments: [
        (#","container":"c""#, "container"), (#","inference_geo":"eu""#, "inference_geo"),
        (#","mcp_servers":[{"type":"url"}]"#, "mcp_servers"), (#","new_thing":1"#, "new_thing"),
        (
            #","context_management":{"edits":[{"type":"compact_20260112"}]}"#,
            "context_management.edits[0].type"
        ),
        (#","tools":[{"type":"web_search_20250305","name":"web_search"}]"#, "tools[0].type"),
        (#","tools":[{"name":"f"}]"#, "tools[0].input_schema"),
        (#","tools":[{"name":"f","input_schema":{},"input_examples":[]}]"#, "tools[0].input_examples"),
        (#","tools":[{"name":"f","input_schema":{},"defer_loading":true}]"#, "tools[0].defer_loading"),
        (
            #","tools":[{"name":"f","input_schema":{},"allowed_callers":["code_execution_20250825"]}]"#,
            "tools[0].allowed_callers[0]"
        ),
        (#","tool_choice":{"type":"tool"}"#, "tool_choice.name"),
        (#","tool_choice":{"type":"some"}"#, "tool_choice.type"),
        (#","tool_choice":"auto""#, "tool_choice"), (#","temperature":"1""#, "temperature"),
        (#","top_k":true"#, "top_k"), (#","stop_sequences":"END""#, "stop_sequences"),
        (#","stop_sequences":[1]"#, "stop_sequences[0]"),
        (#","thinking":{"type":"enabled"}"#, "thinking.budget_tokens"),
        (#","thinking":{"type":"between_tools"}"#, "thinking.type"),
        (#","output_config":{"task_budget":{}}"#, "output_config.task_budget"),
        (#","output_config":{"format":{"type":"text"}}"#, "output_config.format.type"),
        (#","output_format":{"type":"json_schema"}"#, "output_format.schema"),
        (
            #","output_format":{"type":"json_schema","schema":{}},"output_config":{"format":{"type":"json_schema","schema":{}}}"#,
            "output_format"
        ),
        (#","metadata":{"user_id":1}"#, "metadata.user_id"), (#","stream":1"#, "stream"),
        (#","system":1"#, "system"), (#","system":[{"type":"image"}]"#, "system[0].type"),
        (
            #","system":[{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"2h"}}]"#,
            "system[0].cache_control.ttl"
        ),
        (#","cache_control":{"type":"lasting"}"#, "cache_control.type"),
    ])
    func `what cannot be translated is refused by its path`(members: String, field: String) throws {
        #expect(try refusal(members) == field)
    }

    @Test(arguments: [
        ("[]", "messages"), ("{}", "messages"), ("[1]", "messages[0]"),
        (#"[{"role":"system","content":"Hi"}]"#, "messages[0].role"),
        (#"[{"role":"user"}]"#, "messages[0].content"),
        (#"[{"role":"user","content":1}]"#, "messages[0].content"),
        (#"[{"role":"user","content":["Hi"]}]"#, "messages[0].content[0]"),
        (#"[{"role":"user","content":[{"type":"document"}]}]"#, "messages[0].content[0].type"),
        (#"[{"role":"user","content":[{"type":"text","text":"x","new":1}]}]"#, "messages[0].content[0].new"),
        (#"[{"role":"user","content":[{"type":"thinking","thinking":"x"}]}]"#, "messages[0].content[0].type"),
        (
            #"[{"role":"user","content":[{"type":"tool_result","tool_use_id":"a"}]}]"#,
            "messages[0].content[0].tool_use_id"
        ),
        (
            #"[{"role":"assistant","content":[{"type":"tool_result","tool_use_id":"a"}]}]"#,
            "messages[0].content[0].type"
        ),
        (
            #"[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":"x"}]}]"#,
            "messages[0].content[0].input"
        ),
        (
            #"[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{},"caller":{"type":"code_execution_20250825"}}]}]"#,
            "messages[0].content[0].caller"
        ),
        (
            #"[{"role":"user","content":[{"type":"image","source":{"type":"file","file_id":"f"}}]}]"#,
            "messages[0].content[0].source.type"
        ),
        (
            #"[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"u"},"transformations":{"oversized_image":"error"}}]}]"#,
            "messages[0].content[0].transformations.oversized_image"
        ),
        (
            #"[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"search_result"}]}]}]"#,
            "messages[1].content[0].content[0].type"
        ),
    ])
    func `messages of the wrong shape are refused by their path`(messages: String, field: String) throws {
        #expect(try refusal("", messages: messages) == field)
    }

    @Test func `what the answer does not depend on is named, and defaults are not`() throws {
        #expect(
            try losses(
                #","service_tier":"auto","speed":"standard","diagnostics":null,"mcp_servers":[],"container":null"#
            ).isEmpty)
        #expect(
            try losses(
                #","service_tier":"standard_only","speed":"fast","diagnostics":{"previous_message_id":"m"},"context_management":{"edits":[{"type":"clear_tool_uses_20250919"}]}"#
            ) == ["service_tier", "speed", "diagnostics", "context_management"])
        #expect(
            try losses(#","tools":[{"name":"f","input_schema":{},"eager_input_streaming":true}]"#)
                == ["eager_input_streaming"])
        #expect(
            try losses(#","thinking":{"type":"adaptive","display":"omitted"}"#) == ["thinking.display"])
    }

    @Test func `thinking and effort are one wish`() throws {
        func wish(_ members: String) throws -> (Conversation.ReasoningWish?, [String]) {
            let (conversation, losses) = try decoded(
                #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]\#(members)}"#)
            return (conversation.reasoning, losses)
        }
        #expect(try wish("").0 == nil)
        #expect(try wish(#","thinking":{"type":"disabled"}"#).0 == .off)
        #expect(try wish(#","thinking":{"type":"adaptive"}"#).0 == .adaptive)
        #expect(try wish(#","thinking":{"type":"enabled","budget_tokens":1024}"#).0 == .budget(1_024))
        #expect(try wish(#","output_config":{"effort":"xhigh"}"#).0 == .effort("xhigh"))
        #expect(
            try wish(#","thinking":{"type":"adaptive"},"output_config":{"effort":"low"}"#) == (
                .effort("low"), []
            ))
        #expect(
            try wish(#","thinking":{"type":"disabled"},"output_config":{"effort":"low"}"#)
                == (.off, ["output_config.effort"]))
    }

    @Test func `the choice of a tool and the older name of a schema are read`() throws {
        func choice(_ json: String) throws -> (Conversation.ToolChoice?, Bool?) {
            let request =
                #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],"tool_choice":\#(json)}"#
            let conversation = try decoded(request).0
            return (conversation.toolChoice, conversation.parallelToolCalls)
        }
        #expect(try choice(#"{"type":"any"}"#) == (.any, nil))
        #expect(try choice(#"{"type":"none"}"#) == (Conversation.ToolChoice.none, nil))
        #expect(
            try choice(#"{"type":"tool","name":"f","disable_parallel_tool_use":false}"#) == (
                .named("f"), true
            ))
        let (conversation, _) = try decoded(
            #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],"output_format":{"type":"json_schema","schema":{"a":1}}}"#
        )
        let schema = JSONNode.object(["a": .number("1")])
        #expect(
            conversation.output == .schema(name: "output", description: nil, schema: schema, strict: true))
    }

    @Test func `the request's own cache mark goes to its last block`() throws {
        let (conversation, losses) = try decoded(
            #"{"model":"m","max_tokens":9,"cache_control":{"type":"ephemeral","ttl":"1h"},"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}"#
        )
        #expect(conversation.turns == [.init(.user, [.text("a"), .text("b", cache: .oneHour)])])
        #expect(losses.isEmpty)
    }

    @Test func `signatures go back to who made them, a call's to the call`() throws {
        let (conversation, losses) = try decoded(
            #"""
            {"model":"m","max_tokens":9,"messages":[{"role":"assistant","content":[
            {"type":"thinking","thinking":"a","signature":"bedrock-converse:x:y"},
            {"type":"thinking","thinking":"b","signature":""},
            {"type":"redacted_thinking","data":"openai-responses:gAAA"},
            {"type":"thinking","thinking":"","signature":"tool_call:gemini-contents:Cp"},
            {"type":"tool_use","id":"a","name":"f","input":{}},
            {"type":"tool_use","id":"b","name":"f","input":{}},
            {"type":"thinking","thinking":"","signature":"tool_call:gemini-contents:Cq"}]}]}
            """#)
        #expect(
            conversation.turns[0].parts == [
                .reasoning(.init(text: "a", token: OpaqueToken("x:y", of: .bedrockConverse))),
                .reasoning(.init(text: "b")),
                .reasoning(.init(text: "", token: OpaqueToken("gAAA", of: .openAIResponses), isHidden: true)),
                .toolCall(
                    .init(
                        id: "a", name: "f", arguments: "{}", signature: OpaqueToken("Cp", of: .geminiContents)
                    )),
                .toolCall(.init(id: "b", name: "f", arguments: "{}")),
            ])
        #expect(losses == ["thinking"])
    }

    @Test func `changed requests never crash the decoder`() throws {
        let seed: UInt64 = 0xa27_0001
        var random = SplitMix(seed: seed)
        let whole = try MessagesFixture.node("request.json")
        var read = 0
        for _ in 0..<4_000 {
            var changed = whole
            for _ in 0...random.next() % 3 { changed = ConverseMutation.changed(changed, &random) }
            var losses = Losses()
            do throws(TranslationRefusal) {
                _ = try MessagesRequestDecoder.decode(changed, losses: &losses)
                read += 1
            } catch {
                #expect(!error.field.isEmpty || changed.members == nil, "seed \(seed)")
            }
        }
        #expect(read > 0 && read < 4_000, "seed \(seed)")
    }
}

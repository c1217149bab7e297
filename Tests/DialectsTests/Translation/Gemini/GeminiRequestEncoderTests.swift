import Dialects
import Domain
import Testing

@Suite struct GeminiRequestEncoderTests {
    private typealias Turn = Conversation.Turn

    private func encoded(
        _ conversation: Conversation, for model: String = "gemini-3.6-flash"
    ) throws(TranslationRefusal) -> (body: JSONNode, losses: [String]) {
        var losses = Losses()
        let body = try GeminiRequestEncoder.encode(
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
        for model: String = "gemini-3.6-flash", of change: (inout Conversation) -> Void
    ) -> TranslationRefusal? {
        do throws(TranslationRefusal) {
            _ = try encoded(asked(change), for: model)
            return nil
        } catch {
            return error
        }
    }

    private func contents(
        of turns: [Turn], for model: String = "gemini-3.6-flash"
    ) throws(TranslationRefusal) -> [String] {
        try encoded(asked { $0.turns = turns }, for: model).body["contents"]?.elements?.map(\.json) ?? []
    }

    @Test func `a conversation with everything in it is written as the API documents it`() throws {
        let (body, losses) = try encoded(GeminiSample.everything)
        #expect(body == (try GeminiFixture.node("request.json")))
        #expect(losses == ["user", "cache_control", "reasoning", "response_format"])
    }

    @Test func `the smallest conversation has contents and nothing else`() throws {
        let (body, losses) = try encoded(asked())
        #expect(body.json == #"{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}"#)
        #expect(losses.isEmpty)
    }

    @Test func `consecutive turns of a role become one content, also around an empty one`() throws {
        let found = try contents(of: [
            Turn(.user, [.text("Hi")]), Turn(.user, [.text(""), .text(" ")]), Turn(.assistant, [.text("")]),
            Turn(.assistant, [.text("Yes"), .refusal("No.")]), Turn(.user, [.text("?")]),
        ])
        #expect(
            found == [
                #"{"role":"user","parts":[{"text":"Hi"},{"text":" "}]}"#,
                #"{"role":"model","parts":[{"text":"Yes"},{"text":"No."}]}"#,
                #"{"role":"user","parts":[{"text":"?"}]}"#,
            ])
    }

    @Test func `what Gemini cannot say is refused by its name`() {
        #expect(refusal { $0.turns = [] }?.field == "messages")
        #expect(refusal { $0.turns = [Turn(.user, [.text("")])] }?.field == "messages")
        #expect(refusal { $0.system = [.refusal("x")] }?.field == "system")
        #expect(refusal { $0.stopSequences = ["1", "2", "3", "4", "5", "6"] }?.field == "stop")
        #expect(refusal { $0.stopSequences = ["1", "2", "3", "4", "5"] } == nil)
        #expect(refusal { $0.reasoning = .effort("huge") }?.field == "reasoning_effort")
        #expect(refusal { $0.parallelToolCalls = false } == nil)
        func parallel(_ choice: Conversation.ToolChoice?) -> TranslationRefusal? {
            refusal {
                $0.tools = [.init(name: "f")]
                $0.parallelToolCalls = false
                $0.toolChoice = choice
            }
        }
        #expect(parallel(nil)?.field == "parallel_tool_calls")
        #expect(parallel(.any)?.field == "parallel_tool_calls")
        #expect(parallel(Conversation.ToolChoice.none) == nil)
    }

    @Test func `a turn holds what its side can say`() {
        let call = Conversation.Part.toolCall(.init(id: "a", name: "f", arguments: "{}"))
        let result = Conversation.Part.toolResult(.init(call: "a", name: "f", parts: [.text("1")]))
        #expect(refusal { $0.turns = [Turn(.user, [call])] }?.field == "messages")
        #expect(refusal { $0.turns = [Turn(.assistant, [result])] }?.field == "messages")
        let nested = Conversation.Part.toolResult(.init(call: "a", name: "f", parts: [call]))
        #expect(refusal { $0.turns = [Turn(.user, [nested])] }?.field == "messages")
        let orphan = Conversation.Part.toolResult(.init(call: "a", parts: [.text("1")]))
        #expect(refusal { $0.turns = [Turn(.user, [orphan])] }?.field == "messages")
    }

    @Test(arguments: ["[]", "1", "{", "{\"a\":1,\"a\":2}", "null"])
    func `arguments that are not an object are refused`(arguments: String) {
        let call = Conversation.ToolCall(id: "a", name: "f", arguments: arguments)
        #expect(refusal { $0.turns = [Turn(.assistant, [.toolCall(call)])] }?.field == "messages")
    }

    @Test func `names that the API does not take are refused`() {
        func named(_ name: String) -> String? { refusal { $0.tools = [.init(name: name)] }?.field }
        #expect(named("get.weather:v-1") == nil)
        #expect(named("_f") == nil)
        #expect(named(String(repeating: "a", count: 128)) == nil)
        #expect(named(String(repeating: "a", count: 129)) == "tools")
        for name in ["", "1f", "-f", "a b", "é", "f/g"] { #expect(named(name) == "tools", "\(name)") }
        let call = Conversation.ToolCall(id: "a", name: "1f", arguments: "")
        #expect(refusal { $0.turns = [Turn(.assistant, [.toolCall(call)])] }?.field == "messages")
    }

    @Test func `the choice of a tool has the API's modes`() throws {
        func choice(_ choice: Conversation.ToolChoice?, strict: Bool? = nil) throws -> String? {
            try encoded(
                asked {
                    $0.tools = [.init(name: "f", strict: strict), .init(name: "g")]
                    $0.toolChoice = choice
                }
            ).body["toolConfig"]?["functionCallingConfig"]?.json
        }
        #expect(try choice(nil) == nil)
        #expect(try choice(nil, strict: true) == #"{"mode":"VALIDATED"}"#)
        #expect(try choice(nil, strict: false) == nil)
        #expect(try choice(.auto) == #"{"mode":"AUTO"}"#)
        #expect(try choice(.auto, strict: true) == #"{"mode":"VALIDATED"}"#)
        #expect(try choice(.any, strict: true) == #"{"mode":"ANY"}"#)
        #expect(try choice(Conversation.ToolChoice.none) == #"{"mode":"NONE"}"#)
        #expect(try choice(.named("f")) == #"{"mode":"ANY","allowedFunctionNames":["f"]}"#)
        #expect(refusal { $0.toolChoice = .any }?.field == "tool_choice")
        #expect(refusal { $0.toolChoice = .named("f") }?.field == "tool_choice")
        #expect(try encoded(asked { $0.toolChoice = .auto }).body["toolConfig"] == nil)
    }

    @Test func `images are taken by bytes of the known types, and by links that the model follows`() throws {
        func with(_ image: Conversation.Image, _ model: String = "gemini-3.6-flash") throws -> String? {
            if let problem = refusal(for: model, of: { $0.turns = [Turn(.user, [.image(image)])] })?.problem {
                return problem.contains("base64") ? "link" : problem.contains("PNG") ? "type" : problem
            }
            return try encoded(asked { $0.turns = [Turn(.user, [.image(image)])] }, for: model)
                .body["contents"]?.elements?[0]["parts"]?.elements?[0].json
        }
        #expect(
            try with(.inline(mediaType: "image/jpg", data: "AA=="))
                == #"{"inlineData":{"mimeType":"image/jpeg","data":"AA=="}}"#)
        #expect(
            try with(.inline(mediaType: "image/heic", data: "AA=="))
                == #"{"inlineData":{"mimeType":"image/heic","data":"AA=="}}"#)
        #expect(try with(.inline(mediaType: "image/gif", data: "AA==")) == "type")
        #expect(
            try with(.link("https://example.com/a.b/c"))
                == #"{"fileData":{"fileUri":"https://example.com/a.b/c"}}"#)
        #expect(
            try with(.link("HTTPS://example.com/A.JPG#x"), "gemini-2.5-pro")
                == #"{"fileData":{"mimeType":"image/jpeg","fileUri":"HTTPS://example.com/A.JPG#x"}}"#)
        #expect(try with(.link("http://example.com/a.png")) == "link")
        #expect(try with(.link("gs://bucket/a.png")) == "link")
        #expect(try with(.link("https://example.com/a.png"), "gemini-2.0-flash") == "link")
        let file = "https://generativelanguage.googleapis.com/v1beta/files/abc"
        #expect(
            try with(.link(file), "gemini-2.0-flash") == #"{"fileData":{"fileUri":"\#(file)"}}"#)
    }

    @Test func `the images of a result stand inside it where the model takes them there`() throws {
        func results(
            _ image: Conversation.Image, _ model: String, _ parts: [Conversation.Part] = []
        ) throws
            -> [String]
        {
            let result = Conversation.ToolResult(call: "a", name: "f", parts: parts + [.image(image)])
            return try contents(of: [Turn(.user, [.text("Look."), .toolResult(result)])], for: model)
        }
        let png = Conversation.Image.inline(mediaType: "image/png", data: "AA==")
        let part = #"{"inlineData":{"mimeType":"image/png","data":"AA=="}}"#
        #expect(
            try results(png, "gemini-3.6-flash") == [
                #"{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"output":""},"parts":[\#(part)]}}]}"#,
                #"{"role":"user","parts":[{"text":"Look."}]}"#,
            ])
        let label = #"{"text":"Images from the result of the tool call a:"}"#
        let note = "The images follow in a message of the user."
        #expect(
            try results(png, "gemini-2.5-flash") == [
                #"{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"output":"\#(note)"}}}]}"#,
                #"{"role":"user","parts":[\#(label),\#(part),{"text":"Look."}]}"#,
            ])
        let link = Conversation.Image.link("https://example.com/a.png")
        #expect(
            try results(link, "gemini-3.6-flash", [.text("see")]) == [
                #"{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"output":"see"}}}]}"#,
                #"{"role":"user","parts":[\#(label),{"fileData":{"mimeType":"image/png","fileUri":"https://example.com/a.png"}},{"text":"Look."}]}"#,
            ])
    }

    @Test func `an error without words says that it is one, and empty ids are left out`() throws {
        let found = try contents(of: [
            Turn(.assistant, [.toolCall(.init(id: "", name: "f", arguments: "{}"))]),
            Turn(.user, [.toolResult(.init(call: "", parts: [], isError: true))]),
        ])
        #expect(
            found == [
                #"{"role":"model","parts":[{"functionCall":{"name":"f","args":{}},"thoughtSignature":"skip_thought_signature_validator"}]}"#,
                #"{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"error":"error"}}}]}"#,
            ])
    }

    @Test func `the first call of a step has a signature from 3 on, and no foreign one ever`() throws {
        let foreign = OpaqueToken("Zm9v", of: .openAIChat)
        let turns = [
            Turn(
                .assistant,
                [
                    .toolCall(.init(id: "a", name: "f", arguments: "", signature: foreign)),
                    .toolCall(
                        .init(id: "b", name: "f", arguments: "", signature: GeminiFixture.own("AAEC"))),
                    .toolCall(.init(id: "c", name: "f", arguments: "")),
                ])
        ]
        func signatures(_ model: String) throws -> [String?] {
            let body = try encoded(asked { $0.turns = turns }, for: model)
            #expect(body.losses == ["reasoning"])
            #expect(!body.body.json.contains("Zm9v"))
            return body.body["contents"]?.elements?[0]["parts"]?.elements?.map {
                $0["thoughtSignature"]?.text
            } ?? []
        }
        for model in ["gemini-3-flash-preview", "gemini-4-argon", "gemini-pro-latest"] {
            #expect(try signatures(model) == ["skip_thought_signature_validator", "AAEC", nil])
        }
        for model in ["gemini-2.5-pro", "gemini-2.0-flash", "gemma-3-27b-it"] {
            #expect(try signatures(model) == [nil, "AAEC", nil])
        }
    }

    @Test func `reasoning that another made, or nobody signed, is left out by name`() throws {
        let (body, losses) = try encoded(
            asked {
                $0.turns += [
                    Turn(
                        .assistant,
                        [
                            .reasoning(.init(text: "Hm", token: OpaqueToken("abc", of: .anthropicMessages))),
                            .reasoning(.init(text: "Hm")),
                            .reasoning(
                                .init(text: "", token: OpaqueToken("x", of: .openAIChat), isHidden: true)),
                            .text("Yes?"),
                        ]), Turn(.user, [.reasoning(.init(text: "Hm", token: GeminiFixture.own("")))]),
                ]
            })
        #expect(body["contents"]?.elements?.count == 2)
        #expect(body["contents"]?.elements?[1].json == #"{"role":"model","parts":[{"text":"Yes?"}]}"#)
        #expect(losses == ["reasoning"])
    }

    @Test func `a signature goes to the text it came with, wherever the caller has it`() throws {
        let before = Conversation.Part.reasoning(.init(text: "", token: GeminiFixture.own("text:AA==")))
        let behind = Conversation.Part.reasoning(.init(text: "", token: GeminiFixture.own("end:BB==")))
        let call = Conversation.Part.toolCall(
            .init(id: "a", name: "f", arguments: "", signature: GeminiFixture.own("CC==")))
        func parts(_ parts: Conversation.Part...) throws -> String? {
            try encoded(asked { $0.turns.append(Turn(.assistant, parts)) }).body["contents"]?.elements?[1][
                "parts"]?
                .json
        }
        let signed = #"{"text":"Yes","thoughtSignature":"AA=="}"#
        let empty = #"{"text":"","thoughtSignature":"BB=="}"#
        let written = #"{"functionCall":{"id":"a","name":"f","args":{}},"thoughtSignature":"CC=="}"#
        #expect(try parts(before, .text("Yes"), .text("?")) == "[\(signed),{\"text\":\"?\"}]")
        #expect(try parts(before, behind, .text("Yes"), call) == "[\(signed),\(empty),\(written)]")
        #expect(
            try parts(behind, .text("Yes"), .refusal("No")) == #"[{"text":"Yes"},{"text":"No"},\#(empty)]"#)
        #expect(try parts(.text("Yes"), behind, call) == #"[{"text":"Yes"},\#(empty),\#(written)]"#)
        #expect(try parts(before, call) == #"[\#(written),{"text":"","thoughtSignature":"AA=="}]"#)
        #expect(try parts(behind) == "[\(empty)]")
    }

    @Test func `JSON and schemas have the API's words, and no place beside tools before 3`() throws {
        func config(_ output: Conversation.OutputShape) throws -> String? {
            try encoded(asked { $0.output = output }).body["generationConfig"]?.json
        }
        let schema = JSONNode.object(["type": .string("object")])
        let strict = Conversation.OutputShape.schema(
            name: "x", description: nil, schema: schema, strict: true)
        #expect(try config(.json) == #"{"responseMimeType":"application/json"}"#)
        #expect(
            try config(strict)
                == #"{"responseMimeType":"application/json","responseJsonSchema":{"type":"object"}}"#)
        let loose = Conversation.OutputShape.schema(
            name: "x", description: "d", schema: schema, strict: false)
        #expect(try encoded(asked { $0.output = loose }).losses == ["strict", "response_format"])
        func beside(_ model: String) -> String? {
            refusal(for: model) {
                $0.output = .json
                $0.tools = [.init(name: "f")]
            }?.field
        }
        #expect(beside("gemini-2.5-flash") == "response_format")
        #expect(beside("gemini-3-flash-preview") == nil)
    }

    @Test func `a seed fits into 32 bits or is named as lost, and penalties of none are not said`() throws {
        let (body, losses) = try encoded(
            asked {
                $0.seed = "4294967296"
                $0.presencePenalty = "0.0"
                $0.frequencyPenalty = "0"
            })
        #expect(body["generationConfig"] == nil)
        #expect(losses == ["seed"])
        let exact = try encoded(
            asked {
                $0.seed = "-2147483648"
                $0.presencePenalty = "1e-1"
            })
        #expect(exact.body["generationConfig"]?.json == #"{"seed":-2147483648,"presencePenalty":1e-1}"#)
        #expect(exact.losses.isEmpty)
    }

    @Test func `every cache mark is named as lost`() throws {
        let marked: [Conversation.Part] = [
            .text("a", cache: .oneHour), .image(.inline(mediaType: "image/png", data: ""), cache: .oneHour),
            .toolResult(.init(call: "a", name: "f", parts: []), cache: .oneHour),
            .toolResult(.init(call: "a", name: "f", parts: [.text("a", cache: .fiveMinutes)])),
        ]
        for part in marked {
            #expect(try encoded(asked { $0.turns = [Turn(.user, [part])] }).losses == ["cache_control"])
        }
        let call = Conversation.Part.toolCall(
            .init(id: "a", name: "f", arguments: ""), cache: .fiveMinutes)
        #expect(try encoded(asked { $0.turns = [Turn(.assistant, [call])] }).losses == ["cache_control"])
        #expect(
            try encoded(asked { $0.tools = [.init(name: "f", cache: .oneHour)] }).losses == ["cache_control"])
        #expect(try encoded(asked { $0.system = [.text("", cache: .oneHour)] }).losses == ["cache_control"])
    }

    @Test func `random conversations are written or refused, and never crash`() throws {
        let seed: UInt64 = 0x9e3_0001
        var random = SplitMix(seed: seed)
        var written = 0
        let models = ["gemini-3.6-flash", "gemini-2.5-pro", "gemini-2.0-flash", "x", ""]
        for round in 0..<3_000 {
            let conversation = ConverseSample.random(&random)
            let model = models[round % models.count]
            guard let (body, losses) = try? encoded(conversation, for: model) else { continue }
            written += 1
            #expect(try JSONNode.read(body.json) == body, "seed \(seed), round \(round)")
            #expect(losses.count <= Losses.most)
            for content in body["contents"]?.elements ?? [] {
                #expect(content["parts"]?.elements?.isEmpty == false, "seed \(seed), round \(round)")
            }
        }
        #expect(written > 0 && written < 3_000, "seed \(seed)")
    }
}

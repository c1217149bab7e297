import Dialects
import Domain
import Testing

@testable import Providers

/// What each provider that speaks like OpenAI is sent in place of a call in Anthropic's words: `sent.json` beside its
/// recorded answers.
@Suite struct PresetQuirksTests {
    static let entries = AdapterEntry.all.filter { ProviderList.chatFormat(of: $0.kind) == .openAIChat }

    /// A conversation under way, with everything in it that providers differ in.
    private static let asked = """
        {"model":"m","max_tokens":64,"stream":true,"system":"Be brief.","top_k":5,"metadata":{"user_id":"u"},\
        "thinking":{"type":"enabled","budget_tokens":2048},\
        "tools":[{"name":"now","description":"The time.","input_schema":{"type":"object","properties":{}}}],\
        "tool_choice":{"type":"any"},"messages":[{"role":"user","content":"What time is it?"},\
        {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"openai-chat:PLACE"},\
        {"type":"tool_use","id":"toolu_01A09q90qw90lq917835lq9","name":"now","input":{}}]},\
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_01A09q90qw90lq917835lq9",\
        "content":"noon"},{"type":"text","text":"Well?"}]}]}
        """

    /// Where each provider put what it thought.
    private static func place(_ entry: AdapterEntry) -> String {
        switch entry.folder {
        case "deepseek", "xai", "vllm": "reasoning_content"
        case "groq", "together", "openrouter", "ollama": "reasoning"
        case "mistral": #"{\"type\":\"thinking\"}"#
        default: "reasoning_content"
        }
    }

    @Test(arguments: entries)
    func `each preset is sent what its provider takes`(entry: AdapterEntry) throws {
        let body = Self.asked.replacing("PLACE", with: Self.place(entry))
        let source = try Array(body.utf8).withUnsafeBytes { bytes in
            try Translator.read(bytes, as: .anthropicMessages)
        }
        let target = WireTarget(model: entry.model, quirks: try entry.definition(port: 1).quirks)
        let sent = try Translator.request(source, in: .openAIChat, for: target)
        let expected = try JSONNode.read(
            String(decoding: try RecordedAnswer.bytes("\(entry.folder)/sent.json"), as: UTF8.self))
        let found = try JSONNode.read(String(decoding: sent.body, as: UTF8.self))
        // The model is the entry's own.
        let members = (found.members ?? []).filter { $0.name != "model" }
        #expect(members == expected["body"]?.members, "\(found.json)")
        #expect(sent.losses.fields == expected["left_out"]?.elements?.compactMap(\.text))
    }

    @Test(arguments: entries)
    func `a call in the provider's own words keeps its bytes, but for the usage it is asked for`(
        entry: AdapterEntry
    ) throws {
        let quirks = try entry.definition(port: 1).quirks
        let body = Array(
            #"{"model":"m","seed":1,"x_own":[1, 2],"max_completion_tokens":9,"tool_choice":"required","stream":true,"messages":[]}"#
                .utf8)
        let edited = try body.withUnsafeBytes { bytes in
            let fields = try RequestFields.scan(bytes, as: .openAIChat)
            var out: [UInt8] = []
            let edits = BodyEdit.edits(
                fields: fields, upstreamModel: fields.model, askForUsage: quirks.asksForUsage)
            BodyEdit.apply(edits, to: bytes) { out += $0 }
            return out
        }
        let text = String(decoding: edited, as: UTF8.self)
        #expect(
            text.replacing(#""stream_options":{"include_usage":true},"#, with: "")
                == String(decoding: body, as: UTF8.self))
        #expect(text.contains("stream_options") == (entry.folder != "mistral"))
    }
}

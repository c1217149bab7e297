/// Reads and writes the tools of Anthropic's messages and which of them the model has to call.
///
/// Source: Anthropic API reference, "Create a Message", `tools` and `tool_choice`. Tools that the provider runs or
/// defines itself (`web_search_…`, `bash_…`) are refused: no other provider has them.
enum MessagesTools {
    private enum Choice: String, CaseIterable { case auto, any, none, tool }

    static func read(
        _ root: MessagesPlace, into conversation: inout Conversation, losses: inout Losses
    ) throws(TranslationRefusal) {
        for place in try root.elements("tools") ?? [] {
            conversation.tools.append(try tool(place, losses: &losses))
        }
        guard let place = root["tool_choice"] else { return }
        try place.allow(["type", "name", "disable_parallel_tool_use"])
        switch try place.word("type", of: Choice.self) {
        case .auto: conversation.toolChoice = .auto
        case .any: conversation.toolChoice = .any
        case .some(.none): conversation.toolChoice = Conversation.ToolChoice.none
        case .tool: conversation.toolChoice = .named(try place.neededText("name"))
        case nil: throw place.refusal(of: "type", "must be auto, any, tool or none")
        }
        if let single = try place.flag("disable_parallel_tool_use") {
            conversation.parallelToolCalls = !single
        }
    }

    private static func tool(
        _ place: MessagesPlace, losses: inout Losses
    ) throws(TranslationRefusal) -> Conversation.Tool {
        if place["type"] != nil, !place.has("type", "custom") {
            throw place.refusal(
                of: "type", "must be custom: tools of the provider's own work at Anthropic only")
        }
        try place.allow([
            "type", "name", "description", "input_schema", "strict", "cache_control", "defer_loading",
            "eager_input_streaming", "allowed_callers",
        ])
        if try place.flag("defer_loading") == true {
            throw place.refusal(of: "defer_loading", "works at Anthropic only: leave it out")
        }
        for caller in try place.elements("allowed_callers") ?? [] {
            guard try caller.wholeText().utf8.elementsEqual("direct".utf8) else {
                throw caller.refusal("must be direct: the provider's own tools cannot call this one")
            }
        }
        if try place.flag("eager_input_streaming") == true { losses.note("eager_input_streaming") }
        guard let schema = try place.object("input_schema") else {
            throw place.refusal(of: "input_schema", "is required: a JSON schema")
        }
        return .init(
            name: try place.neededText("name"), description: try place.text("description"), schema: schema,
            strict: try place.flag("strict"), cache: try MessagesContent.cacheMark(of: place))
    }

    // MARK: Writing

    static func write(_ tools: [Conversation.Tool]) throws(TranslationRefusal) -> JSONNode? {
        guard !tools.isEmpty else { return nil }
        var nodes: [JSONNode] = []
        for tool in tools {
            let description = tool.description ?? ""
            nodes.append(
                .object([
                    "name": .string(try checked(name: tool.name, in: "tools")),
                    "description": description.isEmpty ? nil : .string(description),
                    "input_schema": tool.schema
                        ?? .object(["type": .string("object"), "properties": .object([])]),
                    "strict": tool.strict.map { .bool($0) },
                    "cache_control": tool.cache.map(cacheControl),
                ]))
        }
        return .array(nodes)
    }

    static func writeChoice(_ conversation: Conversation) throws(TranslationRefusal) -> JSONNode? {
        let single: JSONNode? = conversation.parallelToolCalls == false ? .bool(true) : nil
        func choice(_ type: String, name: String? = nil) -> JSONNode {
            .object([
                "type": .string(type), "name": name.map { .string($0) }, "disable_parallel_tool_use": single,
            ])
        }
        guard !conversation.tools.isEmpty else {
            guard !forces(conversation) else {
                throw TranslationRefusal(
                    "tool_choice", "asks for a tool call without tools: send tools or leave it out")
            }
            return nil
        }
        switch conversation.toolChoice {
        case nil: return single == nil ? nil : choice("auto")
        case .auto: return choice("auto")
        case .any: return choice("any")
        case .some(.none): return .object(["type": .string("none")])
        case .named(let name): return choice("tool", name: try checked(name: name, in: "tool_choice"))
        }
    }

    /// Whether the model must call a tool.
    static func forces(_ conversation: Conversation) -> Bool {
        switch conversation.toolChoice {
        case .any, .named: true
        default: false
        }
    }

    /// `cache_control`; five minutes are its default.
    static func cacheControl(_ mark: Conversation.CacheMark) -> JSONNode {
        .object([
            "type": .string("ephemeral"), "ttl": mark == .oneHour ? .string(mark.rawValue) : nil,
        ])
    }

    /// `^[a-zA-Z0-9_-]{1,128}$` (Anthropic, "Implement tool use").
    static func checked(name: String, in field: String) throws(TranslationRefusal) -> String {
        guard isWord(name), name.utf8.count <= 128 else {
            throw TranslationRefusal(
                field,
                "holds a tool's name that Anthropic does not take: use 1 to 128 of the characters a-z, A-Z, 0-9, _ and -"
            )
        }
        return name
    }

    /// Whether a text is made of a-z, A-Z, 0-9, _ and -, and not empty.
    static func isWord(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}

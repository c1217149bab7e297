/// Reads the tools of a request for a response and which of them the model has to call.
///
/// Source: OpenAI API reference, "Create a model response", `tools` and `tool_choice`. Tools that OpenAI runs or defines
/// itself (`web_search`, `custom` …) are refused: no other provider has them.
enum ResponsesTools {
    private enum Choice: String, CaseIterable { case auto, none, required }

    static func read(
        _ root: ResponsesPlace, into conversation: inout Conversation
    ) throws(TranslationRefusal) {
        for place in try root.elements("tools") ?? [] { conversation.tools.append(try tool(place)) }
        if let place = root["tool_choice"] {
            conversation.toolChoice = try choice(place, beside: root)
        }
        conversation.parallelToolCalls = try root.flag("parallel_tool_calls")
    }

    private static func tool(_ place: ResponsesPlace) throws(TranslationRefusal) -> Conversation.Tool {
        let type = try place.neededText("type")
        guard type.utf8.elementsEqual("function".utf8) else {
            throw place.refusal(
                of: "type", "must be function: \(shown(type)) works at OpenAI only, leave that tool out")
        }
        try place.allow([
            "type", "name", "description", "parameters", "strict", "defer_loading", "allowed_callers",
            "async",
        ])
        for name in ["defer_loading", "async"] {
            if try place.flag(name) == true {
                throw place.refusal(of: name, "works at OpenAI only: leave it out")
            }
        }
        for caller in try place.elements("allowed_callers") ?? [] {
            guard try caller.wholeText().utf8.elementsEqual("direct".utf8) else {
                throw caller.refusal("must be direct: no programs at OpenAI can call this one")
            }
        }
        return .init(
            name: try place.neededText("name"), description: try place.text("description"),
            schema: try place.object("parameters"), strict: try place.flag("strict"))
    }

    private static func choice(
        _ place: ResponsesPlace, beside root: ResponsesPlace
    ) throws(TranslationRefusal) -> Conversation.ToolChoice {
        if place.node.text != nil {
            switch try root.word("tool_choice", of: Choice.self) {
            case .auto: return .auto
            case .some(.none): return .none
            case .required: return .any
            case nil: throw place.refusal("must be auto, none, required or a function")
            }
        }
        guard place.node.members != nil else {
            throw place.refusal("must be auto, none, required or a function")
        }
        guard place.has("type", "function") else {
            throw place.refusal(of: "type", "must be function: the other choices work at OpenAI only")
        }
        try place.allow(["type", "name"])
        return .named(try place.neededText("name"))
    }

    /// The longest type that OpenAI has is `programmatic_tool_calling`.
    private static func shown(_ type: String) -> String {
        MessagesTools.isWord(type) && type.utf8.count <= 40 ? "'\(type)'" : "this type"
    }
}

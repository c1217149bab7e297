/// Reads and writes the tools of OpenAI's chat completions and which of them the model has to call.
///
/// Source: OpenAI API reference, "Create chat completion", `tools` and `tool_choice`. Custom tools and allowed lists
/// are refused: other providers have no such thing.
enum ChatTools {
    private enum Choice: String, CaseIterable { case auto, none, required }

    static func read(
        _ root: ChatPlace, into conversation: inout Conversation
    ) throws(TranslationRefusal) {
        for place in try root.elements("tools") ?? [] { conversation.tools.append(try tool(place)) }
        conversation.parallelToolCalls = try root.flag("parallel_tool_calls")
        guard let place = root["tool_choice"] else { return }
        guard place.node.members == nil else {
            conversation.toolChoice = .named(try function(of: place, ["name"]).neededText("name"))
            return
        }
        switch try root.word("tool_choice", of: Choice.self) {
        case .auto: conversation.toolChoice = .auto
        case .some(.none): conversation.toolChoice = Conversation.ToolChoice.none
        case .required: conversation.toolChoice = .any
        case nil: throw place.refusal("must be auto, none, required or the name of a function")
        }
    }

    private static func tool(_ place: ChatPlace) throws(TranslationRefusal) -> Conversation.Tool {
        let function = try function(
            of: place, ["name", "description", "parameters", "strict"], beside: ["cache_control"])
        return .init(
            name: try function.neededText("name"), description: try function.text("description"),
            schema: try function.object("parameters"), strict: try function.flag("strict"),
            cache: try MessagesContent.cacheMark(of: place))
    }

    /// The `function` of a tool, a call or a choice, which may hold these members.
    static func function(
        of place: ChatPlace, _ names: [String], beside others: [String] = []
    ) throws(TranslationRefusal) -> ChatPlace {
        guard try place.neededText("type").utf8.elementsEqual("function".utf8) else {
            throw place.refusal(of: "type", "must be function for this model's provider")
        }
        try place.allow(["type", "function"] + others)
        guard let function = place["function"] else {
            throw place.refusal(of: "function", "is required")
        }
        try function.allow(names)
        return function
    }

    // MARK: Writing

    /// - Parameter needsSchemas: whether a tool without arguments still has to say so.
    static func write(
        _ tools: [Conversation.Tool], needsSchemas: Bool, losses: inout Losses
    ) -> JSONNode? {
        let noArguments =
            needsSchemas
            ? JSONNode.object([.init("type", .string("object")), .init("properties", .object([]))]) : nil
        guard !tools.isEmpty else { return nil }
        if tools.contains(where: { $0.cache != nil }) { losses.note("cache_control") }
        return .array(
            tools.map { tool in
                .object([
                    "type": .string("function"),
                    "function": .object([
                        "name": .string(tool.name), "description": tool.description.map { .string($0) },
                        "parameters": tool.schema ?? noArguments, "strict": tool.strict.map { .bool($0) },
                    ]),
                ])
            })
    }

    /// - Parameter any: the word for having to call some tool.
    static func writeChoice(
        _ conversation: Conversation, any word: String
    ) throws(TranslationRefusal) -> JSONNode? {
        guard !conversation.tools.isEmpty else {
            guard !MessagesTools.forces(conversation) else {
                throw TranslationRefusal(
                    "tool_choice", "asks for a tool call without tools: send tools or leave it out")
            }
            return nil
        }
        switch conversation.toolChoice {
        case nil: return nil
        case .auto: return .string(Choice.auto.rawValue)
        case .some(.none): return .string(Choice.none.rawValue)
        case .any: return .string(word)
        case .named(let name):
            return .object([
                "type": .string("function"), "function": .object(["name": .string(name)]),
            ])
        }
    }

    /// A call of the assistant; `signature` goes under the name that Gemini's endpoint of this format gave it.
    static func call(_ call: Conversation.ToolCall, id: String, signature: String?) -> JSONNode {
        .object([
            "id": .string(id), "type": .string("function"),
            "function": .object([
                "name": .string(call.name),
                "arguments": .string(call.arguments.isEmpty ? "{}" : call.arguments),
            ]),
            "extra_content": signature.map { ChatSignature.extraContent($0) },
        ])
    }
}

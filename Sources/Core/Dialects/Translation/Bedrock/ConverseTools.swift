/// Writes the tools of a conversation and which of them the model has to call as `toolConfig` of Converse.
///
/// Source: Amazon Bedrock API reference, "ToolConfiguration", "ToolSpecification" and "ToolChoice", which knows no
/// "none". Messages with tool calls or results are refused without a `toolConfig` ("The toolConfig field must be
/// defined when using toolUse and toolResult content blocks").
enum ConverseTools {
    static func write(
        _ conversation: Conversation, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode? {
        let forbidden = conversation.toolChoice == Conversation.ToolChoice.none
        if conversation.tools.isEmpty || forbidden {
            try check(conversation, forbidden: forbidden)
            if !conversation.tools.isEmpty { losses.note("tools") }
            return nil
        }
        var tools: [JSONNode] = []
        for tool in conversation.tools {
            tools.append(try spec(of: tool))
            if let cache = tool.cache { tools.append(ConverseMessages.cachePoint(cache)) }
        }
        return .object(["tools": .array(tools), "toolChoice": try choice(conversation.toolChoice)])
    }

    /// Whether the call can go without a `toolConfig`. Leaving the tools out keeps the model from calling any, which is
    /// all that "none" asks for.
    private static func check(_ conversation: Conversation, forbidden: Bool) throws(TranslationRefusal) {
        let inUse = conversation.turns.contains { turn in
            turn.parts.contains { part in
                switch part {
                case .toolCall, .toolResult: true
                default: false
                }
            }
        }
        if inUse, forbidden {
            throw TranslationRefusal(
                "tool_choice",
                "cannot forbid tools at Amazon Bedrock once messages hold tool calls or results: leave it out"
            )
        }
        if inUse {
            throw TranslationRefusal(
                "tools",
                "must be given to Amazon Bedrock when messages hold tool calls or results: send their definitions"
            )
        }
        switch conversation.toolChoice {
        case .any, .named:
            throw TranslationRefusal(
                "tool_choice", "asks for a tool call without tools: send tools or leave it out")
        default: return
        }
    }

    private static func spec(of tool: Conversation.Tool) throws(TranslationRefusal) -> JSONNode {
        let schema = tool.schema ?? .object(["type": .string("object"), "properties": .object([])])
        let description = tool.description ?? ""
        return .object([
            "toolSpec": .object([
                "name": .string(try checked(name: tool.name, in: "tools")),
                "description": description.isEmpty ? nil : .string(description),
                "inputSchema": .object(["json": schema]),
                "strict": tool.strict.map { .bool($0) },
            ])
        ])
    }

    private static func choice(_ choice: Conversation.ToolChoice?) throws(TranslationRefusal) -> JSONNode? {
        switch choice {
        case nil, .some(.none): nil
        case .auto: .object(["auto": .object([])])
        case .any: .object(["any": .object([])])
        case .named(let name):
            .object(["tool": .object(["name": .string(try checked(name: name, in: "tool_choice"))])])
        }
    }

    /// `ToolName`: `[a-zA-Z0-9_-]+`, 64 at most.
    static func checked(name: String, in field: String) throws(TranslationRefusal) -> String {
        guard isWord(name, alsoWith: []) else {
            throw TranslationRefusal(
                field,
                "holds a tool's name that Amazon Bedrock does not take: use 1 to 64 of the characters a-z, A-Z, 0-9, _ and -"
            )
        }
        return name
    }

    static func isWord(_ text: String, alsoWith others: [UInt8]) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: others.contains(byte)
                }
            }
    }
}

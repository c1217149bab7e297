/// Writes the tools of a conversation and which of them the model has to call.
///
/// Source: Gemini API reference, "FunctionDeclaration" (`parametersJsonSchema` takes JSON schema as it is,
/// `parameters` a part of OpenAPI's only) and "FunctionCallingConfig".
enum GeminiTools {
    /// The longest name of a function, in bytes (API reference, "FunctionDeclaration").
    private static var nameBytesMost: Int { 128 }

    static func write(
        _ tools: [Conversation.Tool], losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode? {
        guard !tools.isEmpty else { return nil }
        var declarations: [JSONNode] = []
        for tool in tools {
            if tool.cache != nil { losses.note("cache_control") }
            let description = tool.description ?? ""
            declarations.append(
                .object([
                    "name": .string(try checked(name: tool.name, in: "tools")),
                    "description": description.isEmpty ? nil : .string(description),
                    // Without it the function takes nothing.
                    "parametersJsonSchema": tool.schema,
                ]))
        }
        return .array([.object(["functionDeclarations": .array(declarations)])])
    }

    /// `toolConfig`, which is refused where there are no functions.
    static func writeConfig(_ conversation: Conversation) throws(TranslationRefusal) -> JSONNode? {
        guard !conversation.tools.isEmpty else {
            switch conversation.toolChoice {
            case .any, .named:
                throw TranslationRefusal(
                    "tool_choice", "asks for a tool call without tools: send tools or leave it out")
            default: return nil
            }
        }
        if conversation.parallelToolCalls == false,
            conversation.toolChoice != Conversation.ToolChoice.none
        {
            throw TranslationRefusal(
                "parallel_tool_calls", "cannot be switched off at Gemini: leave it out")
        }
        switch conversation.toolChoice {
        // Holding calls to their schemas has a mode of its own; the modes that force a call do so anyway.
        case nil: return conversation.tools.contains { $0.strict == true } ? config("VALIDATED") : nil
        case .auto: return config(conversation.tools.contains { $0.strict == true } ? "VALIDATED" : "AUTO")
        case .some(.none): return config("NONE")
        case .any: return config("ANY")
        case .named(let name): return config("ANY", only: try checked(name: name, in: "tool_choice"))
        }
    }

    private static func config(_ mode: String, only name: String? = nil) -> JSONNode {
        .object([
            "functionCallingConfig": .object([
                "mode": .string(mode), "allowedFunctionNames": name.map { .array([.string($0)]) },
            ])
        ])
    }

    /// A letter or underscore, then letters, digits, underscores, dots, colons and dashes.
    static func checked(name: String, in field: String) throws(TranslationRefusal) -> String {
        let isWord = name.utf8.allSatisfy { byte in
            isLetter(byte) || (0x30...0x39).contains(byte) || [0x2e, 0x3a, 0x2d].contains(byte)
        }
        guard isWord, let first = name.utf8.first, isLetter(first), name.utf8.count <= nameBytesMost else {
            throw TranslationRefusal(
                field,
                "holds a tool's name that Gemini does not take: use up to \(nameBytesMost) of the characters a-z, A-Z, 0-9, _, ., : and -, a letter or _ first"
            )
        }
        return name
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

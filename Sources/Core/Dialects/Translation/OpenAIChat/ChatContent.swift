/// Reads the messages of a request of OpenAI's chat completions.
///
/// Source: OpenAI API reference, "Create chat completion", `messages`. Tool results that follow each other become one
/// turn. A message of the system may stand at the beginning only: other formats have no place for a later one.
struct ChatContent {
    private enum Role: String, CaseIterable { case system, developer, user, assistant, tool }

    /// The kinds of content that other formats know too; no others are taken.
    private enum Block: String, CaseIterable {
        case text, refusal
        case image = "image_url"
    }

    /// From the id of a tool call to its tool's name.
    private var names: [[UInt8]: String] = [:]
    /// Whether the last message was a tool's.
    private var isInResults = false

    mutating func read(
        _ root: ChatPlace, into conversation: inout Conversation, losses: inout Losses
    ) throws(TranslationRefusal) {
        guard let messages = try root.elements("messages"), !messages.isEmpty else {
            throw root.refusal(of: "messages", "is required: at least one message")
        }
        for message in messages {
            let role = try message.word("role", of: Role.self)
            defer { isInResults = role == .tool }
            // A tool's name repeats the call's.
            if role != .tool, try message.text("name") != nil { losses.note("name") }
            switch role {
            case .system, .developer:
                guard conversation.turns.isEmpty else {
                    throw message.refusal(
                        of: "role",
                        "must not be the system's after the beginning: put the text first, or let the user say it"
                    )
                }
                conversation.system += try parts(of: message, [.text], losses: &losses)
            case .user:
                let parts = try parts(of: message, [.text, .image], losses: &losses)
                conversation.turns.append(.init(.user, parts))
            case .assistant:
                conversation.turns.append(.init(.assistant, try assistant(message, losses: &losses)))
            case .tool:
                let result = try result(message, losses: &losses)
                if isInResults, let last = conversation.turns.indices.last {
                    conversation.turns[last].parts.append(result)
                } else {
                    conversation.turns.append(.init(.user, [result]))
                }
            case nil:
                throw message.refusal(of: "role", "must be system, developer, user, assistant or tool")
            }
        }
    }

    // MARK: Content

    private func parts(
        of message: ChatPlace, _ kinds: [Block], losses: inout Losses
    ) throws(TranslationRefusal) -> [Conversation.Part] {
        try message.allow(["role", "content", "name"])
        return try Self.content(of: message, kinds, losses: &losses)
    }

    private static func content(
        of message: ChatPlace, _ kinds: [Block], losses: inout Losses
    ) throws(TranslationRefusal) -> [Conversation.Part] {
        guard let content = message["content"] else {
            throw message.refusal(of: "content", "is required: a string or an array of parts")
        }
        if let text = content.node.text { return [.text(text)] }
        var parts: [Conversation.Part] = []
        for block in try message.elements("content") ?? [] {
            let kind = try block.word("type", of: Block.self)
            guard let kind, kinds.contains(kind) else {
                let known = kinds.map(\.rawValue).joined(separator: " or ")
                throw block.refusal(of: "type", "must be \(known) here for this model's provider")
            }
            if block["prompt_cache_breakpoint"] != nil { losses.note("prompt_cache_breakpoint") }
            switch kind {
            case .text:
                try block.allow(["type", "text", "cache_control", "prompt_cache_breakpoint"])
                parts.append(
                    .text(try block.neededText("text"), cache: try MessagesContent.cacheMark(of: block)))
            case .refusal:
                try block.allow(["type", "refusal"])
                parts.append(.refusal(try block.neededText("refusal")))
            case .image: parts.append(try image(block, losses: &losses))
            }
        }
        return parts
    }

    private static func image(
        _ block: ChatPlace, losses: inout Losses
    ) throws(TranslationRefusal) -> Conversation.Part {
        try block.allow(["type", "image_url", "cache_control", "prompt_cache_breakpoint"])
        guard let place = block["image_url"] else { throw block.refusal(of: "image_url", "is required") }
        try place.allow(["url", "detail"])
        if let detail = try place.text("detail"), !detail.utf8.elementsEqual("auto".utf8) {
            losses.note("image_url.detail")
        }
        guard let image = ChatImage.read(try place.neededText("url")) else {
            throw place.refusal(
                of: "url", "must be an https link or the image itself as data:image/TYPE;base64,…")
        }
        return .image(image, cache: try MessagesContent.cacheMark(of: block))
    }

    // MARK: Messages of the assistant and of tools

    private mutating func assistant(
        _ message: ChatPlace, losses: inout Losses
    ) throws(TranslationRefusal) -> [Conversation.Part] {
        if let call = message["function_call"] {
            throw call.refusal("is deprecated: send it as 'tool_calls'")
        }
        if let audio = message["audio"] {
            throw audio.refusal("cannot be translated for this model's provider: send its transcript as text")
        }
        try message.allow(
            ["role", "content", "name", "refusal", "tool_calls", "annotations", "reasoning_details"]
                + ChatReasoning.plainMembers)
        if let notes = try message.elements("annotations"), !notes.isEmpty { losses.note("annotations") }
        var parts = try ChatReasoning.read(request: message).map { Conversation.Part.reasoning($0) }
        if message["content"] != nil {
            parts += try Self.content(of: message, [.text, .refusal], losses: &losses)
        }
        if let refusal = try message.text("refusal"), !refusal.isEmpty { parts.append(.refusal(refusal)) }
        for place in try message.elements("tool_calls") ?? [] { parts.append(try call(place)) }
        guard !parts.isEmpty else {
            throw message.refusal(of: "content", "is required where there are no tool calls")
        }
        // Beside something else an empty text says nothing, and most providers refuse one.
        if parts.count > 1 { parts.removeAll { $0 == .text("") } }
        return parts
    }

    private mutating func call(_ place: ChatPlace) throws(TranslationRefusal) -> Conversation.Part {
        let function = try ChatTools.function(
            of: place, ["name", "arguments"], beside: ["id", "index", "extra_content"])
        let id = try place.neededText("id")
        let name = try function.neededText("name")
        names[Array(id.utf8)] = name
        return .toolCall(
            .init(
                id: id, name: name, arguments: try function.text("arguments") ?? "",
                signature: try ChatSignature.read(ofCall: place)))
    }

    private func result(
        _ message: ChatPlace, losses: inout Losses
    ) throws(TranslationRefusal) -> Conversation.Part {
        try message.allow(["role", "content", "name", "tool_call_id"])
        let id = try message.neededText("tool_call_id")
        guard let name = names[Array(id.utf8)] else {
            throw message.refusal(
                of: "tool_call_id", "must be the id of a tool call in an earlier message of the assistant")
        }
        let parts = try Self.content(of: message, [.text, .image], losses: &losses)
        return .toolResult(.init(call: id, name: name, parts: parts))
    }
}

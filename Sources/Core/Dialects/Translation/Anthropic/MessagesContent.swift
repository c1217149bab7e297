/// Reads the system texts and the turns of a request of Anthropic's messages.
///
/// Source: Anthropic API reference, "Messages", content blocks.
struct MessagesContent {
    /// The blocks that other formats know too; no others are taken.
    private enum Block: String, CaseIterable {
        case text, image, thinking
        case toolUse = "tool_use"
        case toolResult = "tool_result"
        case redactedThinking = "redacted_thinking"
    }

    private enum ImageSource: String, CaseIterable { case base64, url }

    /// From the id of a tool call to its tool's name.
    private var names: [[UInt8]: String] = [:]

    static func system(
        of root: MessagesPlace, losses: inout Losses
    ) throws(TranslationRefusal) -> [Conversation.Part] {
        guard let place = root["system"] else { return [] }
        if let text = place.node.text { return [.text(text)] }
        var parts: [Conversation.Part] = []
        for block in try root.elements("system") ?? [] {
            guard block.has("type", "text") else {
                throw block.refusal(of: "type", "must be text: the system may hold nothing else")
            }
            parts.append(try text(block, losses: &losses))
        }
        return parts
    }

    mutating func turns(
        of root: MessagesPlace, losses: inout Losses
    ) throws(TranslationRefusal) -> [Conversation.Turn] {
        guard let messages = try root.elements("messages"), !messages.isEmpty else {
            throw root.refusal(of: "messages", "is required: at least one message")
        }
        var turns: [Conversation.Turn] = []
        for message in messages {
            try message.allow(["role", "content"])
            guard let role = try message.word("role", of: Conversation.Turn.Role.self) else {
                throw message.refusal(
                    of: "role", "must be user or assistant: put what the system says into 'system'")
            }
            turns.append(.init(role, try parts(of: message, by: role, losses: &losses)))
        }
        return turns
    }

    private mutating func parts(
        of message: MessagesPlace, by role: Conversation.Turn.Role, losses: inout Losses
    ) throws(TranslationRefusal) -> [Conversation.Part] {
        guard let content = message["content"] else {
            throw message.refusal(of: "content", "is required: a string or an array of blocks")
        }
        if let text = content.node.text { return [.text(text)] }
        var parts: [Conversation.Part] = []
        var signature: OpaqueToken?
        for block in try message.elements("content") ?? [] {
            switch (try block.word("type", of: Block.self), role) {
            case (.text, _): parts.append(try Self.text(block, losses: &losses))
            case (.image, _): parts.append(try Self.image(block))
            case (.toolUse, .assistant):
                parts.append(try call(block, signature: signature))
                signature = nil
            case (.thinking, .assistant):
                try block.allow(["type", "thinking", "signature"])
                let signed = try block.text("signature") ?? ""
                if let token = MessagesSignature.read(ofCall: signed) {
                    signature = token
                } else {
                    let text = try block.text("thinking") ?? ""
                    parts.append(.reasoning(.init(text: text, token: MessagesSignature.read(signed))))
                }
            case (.redactedThinking, .assistant):
                try block.allow(["type", "data"])
                let token = MessagesSignature.read(try block.neededText("data"))
                parts.append(.reasoning(.init(text: "", token: token, isHidden: true)))
            case (.toolResult, .user): parts.append(try result(block, losses: &losses))
            case (.toolUse, _), (.thinking, _), (.redactedThinking, _):
                throw block.refusal(of: "type", "may stand in messages of the assistant only")
            case (.toolResult, _):
                throw block.refusal(of: "type", "may stand in messages of the user only")
            case (nil, _):
                throw block.refusal(
                    of: "type", "cannot be translated for this model's provider: send text or images instead")
            }
        }
        // The call that was signed is not there any more.
        if signature != nil { losses.note("thinking") }
        return parts
    }

    // MARK: Texts and images

    private static func text(
        _ block: MessagesPlace, losses: inout Losses
    ) throws(TranslationRefusal) -> Conversation.Part {
        try block.allow(["type", "text", "cache_control", "citations"])
        if let citations = try block.elements("citations"), !citations.isEmpty { losses.note("citations") }
        return .text(try block.neededText("text"), cache: try cacheMark(of: block))
    }

    private static func image(_ block: MessagesPlace) throws(TranslationRefusal) -> Conversation.Part {
        try block.allow(["type", "source", "cache_control", "transformations"])
        if let changes = block["transformations"] { try changes.allow([]) }
        guard let source = block["source"] else { throw block.refusal(of: "source", "is required") }
        let mark = try cacheMark(of: block)
        switch try source.word("type", of: ImageSource.self) {
        case .base64:
            try source.allow(["type", "media_type", "data"])
            let data = try source.neededText("data")
            let type = try source.neededText("media_type")
            return .image(.inline(mediaType: type, data: data), cache: mark)
        case .url:
            try source.allow(["type", "url"])
            return .image(.link(try source.neededText("url")), cache: mark)
        case nil:
            throw source.refusal(of: "type", "must be base64 or url: send the image itself, not a file's id")
        }
    }

    // MARK: Tool calls

    private mutating func call(
        _ block: MessagesPlace, signature: OpaqueToken?
    ) throws(TranslationRefusal) -> Conversation.Part {
        try block.allow(["type", "id", "name", "input", "caller", "cache_control"])
        if let caller = block["caller"], !caller.has("type", "direct") {
            throw caller.refusal("must be the model itself: leave out the calls of server tools")
        }
        let id = try block.neededText("id")
        let name = try block.neededText("name")
        let input = try block.object("input") ?? .object([])
        names[Array(id.utf8)] = name
        return .toolCall(
            .init(id: id, name: name, arguments: input.json, signature: signature),
            cache: try Self.cacheMark(of: block))
    }

    private func result(
        _ block: MessagesPlace, losses: inout Losses
    ) throws(TranslationRefusal) -> Conversation.Part {
        try block.allow(["type", "tool_use_id", "content", "is_error", "cache_control"])
        let id = try block.neededText("tool_use_id")
        guard let name = names[Array(id.utf8)] else {
            throw block.refusal(of: "tool_use_id", "must be the id of a tool_use block in an earlier message")
        }
        var parts: [Conversation.Part] = []
        if let text = block["content"]?.node.text {
            parts = [.text(text)]
        } else {
            for inner in try block.elements("content") ?? [] {
                switch try inner.word("type", of: Block.self) {
                case .text: parts.append(try Self.text(inner, losses: &losses))
                case .image: parts.append(try Self.image(inner))
                default: throw inner.refusal(of: "type", "must be text or image inside a tool result")
                }
            }
        }
        let isError = try block.flag("is_error") ?? false
        return .toolResult(
            .init(call: id, name: name, parts: parts, isError: isError), cache: try Self.cacheMark(of: block))
    }

    // MARK: Cache marks

    static func cacheMark(of place: MessagesPlace) throws(TranslationRefusal) -> Conversation.CacheMark? {
        guard let control = place["cache_control"] else { return nil }
        try control.allow(["type", "ttl"])
        guard control.has("type", "ephemeral") else { throw control.refusal(of: "type", "must be ephemeral") }
        guard control["ttl"] != nil, !control.has("ttl", "5m") else { return .fiveMinutes }
        guard control.has("ttl", "1h") else { throw control.refusal(of: "ttl", "must be 5m or 1h") }
        return .oneHour
    }

    /// The request's own `cache_control` marks its last block that can be marked.
    static func mark(
        _ conversation: inout Conversation, as mark: Conversation.CacheMark?, losses: inout Losses
    ) {
        guard let mark, let last = conversation.turns.indices.last else { return }
        let end = conversation.turns[last].parts.count - 1
        switch conversation.turns[last].parts.last {
        case .text(let text, nil): conversation.turns[last].parts[end] = .text(text, cache: mark)
        case .image(let image, nil): conversation.turns[last].parts[end] = .image(image, cache: mark)
        case .toolCall(let call, nil): conversation.turns[last].parts[end] = .toolCall(call, cache: mark)
        case .toolResult(let result, nil):
            conversation.turns[last].parts[end] = .toolResult(result, cache: mark)
        case .text, .image, .toolCall, .toolResult: return
        default: losses.note("cache_control")
        }
    }
}

/// Writes the turns of a conversation as messages of Anthropic's.
///
/// Consecutive turns of a role become one message; tool results stand first in theirs, as the API wants them right
/// behind their calls. The API refuses blank texts, so they are left out (Anthropic API reference, "Messages";
/// "Handle tool calls").
enum MessagesTurns {
    static func write(
        _ turns: [Conversation.Turn], losses: inout Losses
    ) throws(TranslationRefusal) -> [JSONNode] {
        var messages: [(role: Conversation.Turn.Role, blocks: [JSONNode])] = []
        for turn in turns {
            var blocks: [JSONNode] = []
            for part in turn.parts { try append(part, by: turn.role, to: &blocks, losses: &losses) }
            guard !blocks.isEmpty else { continue }
            if messages.last?.role == turn.role {
                messages[messages.count - 1].blocks += blocks
            } else {
                messages.append((turn.role, blocks))
            }
        }
        guard let first = messages.first else {
            throw TranslationRefusal("messages", "must hold at least one text that is not blank")
        }
        guard first.role == .user else {
            throw TranslationRefusal(
                "messages", "must begin with the user for Anthropic: put a message of the user first")
        }
        return messages.map { message in
            let results = message.blocks.filter { isResult($0) }
            let others = message.blocks.filter { !isResult($0) }
            return .object([
                "role": .string(message.role.rawValue), "content": .array(results + others),
            ])
        }
    }

    static func writeSystem(
        _ parts: [Conversation.Part], losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode? {
        var blocks: [JSONNode] = []
        for part in parts {
            guard case .text(let text, let cache) = part else {
                throw TranslationRefusal("system", "may hold texts only")
            }
            append(text, cache, to: &blocks, losses: &losses)
        }
        return blocks.isEmpty ? nil : .array(blocks)
    }

    /// Whether the last message of the assistant calls tools without having thought, which the API does not take while
    /// it thinks within a budget ("Expected `thinking` or `redacted_thinking`, but found `tool_use`").
    static func callsWithoutThought(_ messages: [JSONNode]) -> Bool {
        let last = messages.last { has($0["role"], "assistant") }
        guard let blocks = last?["content"]?.elements, blocks.contains(where: { has($0["type"], "tool_use") })
        else { return false }
        return !has(blocks.first?["type"], "thinking") && !has(blocks.first?["type"], "redacted_thinking")
    }

    private static func isResult(_ block: JSONNode) -> Bool { has(block["type"], "tool_result") }

    private static func has(_ node: JSONNode?, _ text: String) -> Bool {
        node?.text?.utf8.elementsEqual(text.utf8) ?? false
    }

    private static func append(
        _ part: Conversation.Part, by role: Conversation.Turn.Role, to blocks: inout [JSONNode],
        losses: inout Losses
    ) throws(TranslationRefusal) {
        switch part {
        case .text(let text, let cache): append(text, cache, to: &blocks, losses: &losses)
        case .refusal(let text): append(text, nil, to: &blocks, losses: &losses)
        case .image(let image, let cache):
            guard role == .user else {
                throw TranslationRefusal(
                    "messages", "may hold images of the user only: leave out those of the assistant")
            }
            blocks.append(try block(of: image, cache))
        case .toolCall(let call, let cache):
            guard role == .assistant else {
                throw TranslationRefusal("messages", "may hold tool calls of the assistant only")
            }
            blocks.append(try block(of: call, cache, losses: &losses))
        case .toolResult(let result, let cache):
            guard role == .user else {
                throw TranslationRefusal("messages", "may hold tool results of the user only")
            }
            blocks.append(try block(of: result, cache, losses: &losses))
        case .reasoning(let reasoning):
            if role == .assistant, let block = block(of: reasoning) {
                blocks.append(block)
            } else {
                losses.note("reasoning")
            }
        }
    }

    private static func append(
        _ text: String, _ cache: Conversation.CacheMark?, to blocks: inout [JSONNode], losses: inout Losses
    ) {
        guard !isBlank(text) else {
            if !text.isEmpty { losses.note("content") }
            if cache != nil { losses.note("cache_control") }
            return
        }
        blocks.append(
            .object([
                "type": .string("text"), "text": .string(text),
                "cache_control": cache.map(MessagesTools.cacheControl),
            ]))
    }

    static func isBlank(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 == 0x20 || (0x09...0x0d).contains($0) }
    }

    // MARK: Images

    /// What the API takes (Anthropic, "Vision"), by media type; `image/jpg` is a common misspelling.
    private static let mediaTypes = [
        "image/png": "image/png", "image/jpeg": "image/jpeg", "image/jpg": "image/jpeg",
        "image/gif": "image/gif", "image/webp": "image/webp",
    ]

    private static func block(
        of image: Conversation.Image, _ cache: Conversation.CacheMark?
    ) throws(TranslationRefusal) -> JSONNode {
        let source: JSONNode
        switch image {
        case .link(let link):
            let start = String(link.prefix(8)).lowercased().utf8
            guard start.starts(with: "https://".utf8) || start.starts(with: "http://".utf8) else {
                throw TranslationRefusal(
                    "messages",
                    "names an image by a link that Anthropic does not follow: use https, or send it as base64"
                )
            }
            source = .object(["type": .string("url"), "url": .string(link)])
        case .inline(let mediaType, let data):
            let known = mediaTypes.first { $0.key.utf8.elementsEqual(mediaType.lowercased().utf8) }
            guard let known else {
                throw TranslationRefusal(
                    "messages",
                    "holds an image of a type that Anthropic does not take: send PNG, JPEG, GIF or WebP")
            }
            source = .object([
                "type": .string("base64"), "media_type": .string(known.value), "data": .string(data),
            ])
        }
        return .object([
            "type": .string("image"), "source": source,
            "cache_control": cache.map(MessagesTools.cacheControl),
        ])
    }

    // MARK: Tool calls

    private static func block(
        of call: Conversation.ToolCall, _ cache: Conversation.CacheMark?, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode {
        let input = call.arguments.isEmpty ? JSONNode.object([]) : try? JSONNode.read(call.arguments)
        guard let input, input.members != nil else {
            throw TranslationRefusal(
                "messages", "holds a tool call whose arguments are not a JSON object: correct them")
        }
        if call.signature != nil { losses.note("reasoning") }
        return .object([
            "type": .string("tool_use"), "id": .string(try id(call.id)),
            "name": .string(try MessagesTools.checked(name: call.name, in: "messages")), "input": input,
            "cache_control": cache.map(MessagesTools.cacheControl),
        ])
    }

    private static func block(
        of result: Conversation.ToolResult, _ cache: Conversation.CacheMark?, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode {
        var content: [JSONNode] = []
        for part in result.parts {
            switch part {
            case .text(let text, let cache): append(text, cache, to: &content, losses: &losses)
            case .image(let image, let cache): content.append(try block(of: image, cache))
            default:
                throw TranslationRefusal("messages", "holds a tool result that is neither text nor image")
            }
        }
        // The API refuses an error without content; this says no more than its flag.
        if content.isEmpty, result.isError {
            content = [.object(["type": .string("text"), "text": .string("error")])]
        }
        return .object([
            "type": .string("tool_result"), "tool_use_id": .string(try id(result.call)),
            "content": content.isEmpty ? nil : .array(content),
            "is_error": result.isError ? .bool(true) : nil,
            "cache_control": cache.map(MessagesTools.cacheControl),
        ])
    }

    /// Ids must match `^[a-zA-Z0-9_-]+$`. They only tie results to their calls, so one of another provider that does not
    /// goes in hexadecimal.
    private static func id(_ id: String) throws(TranslationRefusal) -> String {
        guard !id.isEmpty else {
            throw TranslationRefusal("messages", "holds a tool call without an id: give it one")
        }
        guard !MessagesTools.isWord(id) else { return id }
        return id.utf8.reduce(into: "x") { $0 += ($1 < 16 ? "0" : "") + String($1, radix: 16) }
    }

    // MARK: Reasoning

    /// nil for what only its maker can check, or what nobody signed: the API refuses it.
    private static func block(of reasoning: Conversation.Reasoning) -> JSONNode? {
        guard let token = reasoning.token, token.origin == .anthropicMessages, !token.text.isEmpty else {
            return nil
        }
        guard !reasoning.isHidden else {
            return .object(["type": .string("redacted_thinking"), "data": .string(token.text)])
        }
        return .object([
            "type": .string("thinking"), "thinking": .string(reasoning.text),
            "signature": .string(token.text),
        ])
    }
}

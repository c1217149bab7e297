/// Writes the turns of a conversation as messages of Converse.
///
/// Consecutive turns of a role become one message, as roles must alternate. The API refuses blank texts, so they are
/// left out (Amazon Bedrock API reference, "Message" and "ContentBlock").
enum ConverseMessages {
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
        guard !messages.isEmpty else {
            throw TranslationRefusal("messages", "must hold at least one text that is not blank")
        }
        return messages.map { .object(["role": .string($0.role.rawValue), "content": .array($0.blocks)]) }
    }

    /// Whether the last message of the assistant calls tools without having thought, which Anthropic's models do not take
    /// while they think within a budget.
    static func callsWithoutThought(_ messages: [JSONNode]) -> Bool {
        let last = messages.last { $0["role"]?.text?.utf8.elementsEqual("assistant".utf8) ?? false }
        guard let blocks = last?["content"]?.elements, blocks.contains(where: { $0["toolUse"] != nil }) else {
            return false
        }
        return blocks.first?["reasoningContent"] == nil
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

    /// `cachePoint`; five minutes are its default (API reference, "CachePointBlock").
    static func cachePoint(_ mark: Conversation.CacheMark) -> JSONNode {
        .object([
            "cachePoint": .object([
                "type": .string("default"), "ttl": mark == .oneHour ? .string(mark.rawValue) : nil,
            ])
        ])
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
            blocks.append(try block(of: image))
            if let cache { blocks.append(cachePoint(cache)) }
        case .toolCall(let call, let cache):
            blocks.append(try block(of: call, losses: &losses))
            if let cache { blocks.append(cachePoint(cache)) }
        case .toolResult(let result, let cache):
            let (block, innerCache) = try block(of: result, losses: &losses)
            blocks.append(block)
            if let cache = cache ?? innerCache { blocks.append(cachePoint(cache)) }
        case .reasoning(let reasoning):
            if let block = block(of: reasoning) {
                blocks.append(block)
            } else {
                losses.note("reasoning")
            }
        }
    }

    private static func append(
        _ text: String, _ cache: Conversation.CacheMark?, to blocks: inout [JSONNode], losses: inout Losses
    ) {
        let isBlank = text.utf8.allSatisfy { $0 == 0x20 || (0x09...0x0d).contains($0) }
        guard !isBlank else {
            if !text.isEmpty { losses.note("content") }
            // A cache point must not stand first, where it would mark nothing.
            if cache != nil { losses.note("cache_control") }
            return
        }
        blocks.append(.object(["text": .string(text)]))
        if let cache { blocks.append(cachePoint(cache)) }
    }

    // MARK: Images

    /// What `ImageFormat` knows, by media type (RFC 6838 names are compared without regard to case).
    private static let formats = [
        "image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif",
        "image/webp": "webp",
    ]

    private static func block(of image: Conversation.Image) throws(TranslationRefusal) -> JSONNode {
        guard case .inline(let mediaType, let data) = image else {
            throw TranslationRefusal(
                "messages",
                "names an image by a link, which Amazon Bedrock does not follow: send the image itself as base64"
            )
        }
        guard
            let format = formats.first(where: { $0.key.utf8.elementsEqual(mediaType.lowercased().utf8) })
        else {
            throw TranslationRefusal(
                "messages",
                "holds an image of a type that Amazon Bedrock does not take: send PNG, JPEG, GIF or WebP")
        }
        return .object([
            "image": .object([
                "format": .string(format.value), "source": .object(["bytes": .string(data)]),
            ])
        ])
    }

    // MARK: Tool calls

    private static func block(
        of call: Conversation.ToolCall, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode {
        let input = call.arguments.isEmpty ? JSONNode.object([]) : try? JSONNode.read(call.arguments)
        guard let input, input.members != nil else {
            throw TranslationRefusal(
                "messages", "holds a tool call whose arguments are not a JSON object: correct them")
        }
        if call.signature != nil { losses.note("reasoning") }
        return .object([
            "toolUse": .object([
                "toolUseId": .string(try checked(id: call.id)),
                "name": .string(try ConverseTools.checked(name: call.name, in: "messages")), "input": input,
            ])
        ])
    }

    /// The block, and the cache mark of its last marked part: a cache point cannot stand inside a tool result.
    private static func block(
        of result: Conversation.ToolResult, losses: inout Losses
    ) throws(TranslationRefusal) -> (JSONNode, Conversation.CacheMark?) {
        var content: [JSONNode] = []
        var mark: Conversation.CacheMark?
        for part in result.parts {
            switch part {
            case .text(let text, let cache):
                append(text, nil, to: &content, losses: &losses)
                mark = cache ?? mark
            case .image(let image, let cache):
                content.append(try block(of: image))
                mark = cache ?? mark
            default:
                throw TranslationRefusal("messages", "holds a tool result that is neither text nor image")
            }
        }
        // The API refuses an error without content; this says no more than its status.
        if content.isEmpty, result.isError { content = [.object(["text": .string("error")])] }
        let node = JSONNode.object([
            "toolUseId": .string(try checked(id: result.call)), "content": .array(content),
            "status": result.isError ? .string("error") : nil,
        ])
        return (.object(["toolResult": node]), mark)
    }

    /// `ToolUseId` of the SDKs' service model: `[a-zA-Z0-9_.:-]+`, 64 at most.
    private static func checked(id: String) throws(TranslationRefusal) -> String {
        guard ConverseTools.isWord(id, alsoWith: [UInt8(ascii: "."), UInt8(ascii: ":")]) else {
            throw TranslationRefusal(
                "messages",
                "holds a tool call's id that Amazon Bedrock does not take: use 1 to 64 of the characters a-z, A-Z, 0-9, _, -, . and :"
            )
        }
        return id
    }

    // MARK: Reasoning

    /// nil for what only its maker can check, or what nobody signed: the models refuse it.
    private static func block(of reasoning: Conversation.Reasoning) -> JSONNode? {
        guard let token = reasoning.token, token.origin == .bedrockConverse, !token.text.isEmpty else {
            return nil
        }
        guard !reasoning.isHidden else {
            return .object(["reasoningContent": .object(["redactedContent": .string(token.text)])])
        }
        return .object([
            "reasoningContent": .object([
                "reasoningText": .object([
                    "text": .string(reasoning.text), "signature": .string(token.text),
                ])
            ])
        ])
    }
}

import Domain

/// Writes the turns of a conversation as messages of OpenAI's chat completions.
///
/// The tool results of a user's turns go first, as the API wants them right behind their calls. A tool's message holds
/// text only, so the images of results follow in a message of the user that names their call. Texts of the system, the
/// assistant and tools become one string each: many servers of this format take nothing else there.
struct ChatTurns {
    /// Texts of one message that were apart.
    private static let seam = "\n\n"

    private let quirks: ChatQuirks
    private var messages: [JSONNode] = []
    private var results: [JSONNode] = []
    /// The images of the results, each call's behind a text that names it.
    private var pictures: [JSONNode] = []
    /// What the user said beside the results.
    private var said: [JSONNode] = []
    private var ids: ChatCallNames
    /// Whether the model thinks in this conversation, as far as it can be told.
    private var thinks: Bool

    private init(_ quirks: ChatQuirks, thinks: Bool) {
        self.quirks = quirks
        self.thinks = thinks
        ids = ChatCallNames(quirks.callIDs)
    }

    static func write(
        _ conversation: Conversation, quirks: ChatQuirks, losses: inout Losses
    ) throws(TranslationRefusal) -> [JSONNode] {
        let thinks =
            switch conversation.reasoning {
            case nil, .off: false
            case .budget(let tokens): tokens > 0
            case .effort, .adaptive: true
            }
        var turns = ChatTurns(quirks, thinks: thinks)
        try turns.append(system: conversation.system, losses: &losses)
        for turn in conversation.turns {
            switch turn.role {
            case .user: try turns.append(user: turn.parts, losses: &losses)
            case .assistant: try turns.append(assistant: turn.parts, losses: &losses)
            }
        }
        turns.flush()
        guard !turns.messages.isEmpty else {
            throw TranslationRefusal("messages", "must hold at least one text")
        }
        return turns.messages
    }

    private static func message(_ role: String, _ members: [JSONNode.Member]) -> JSONNode {
        .object([.init("role", .string(role))] + members)
    }

    private static func note(_ cache: Conversation.CacheMark?, losses: inout Losses) {
        if cache != nil { losses.note("cache_control") }
    }

    private mutating func append(
        system parts: [Conversation.Part], losses: inout Losses
    ) throws(TranslationRefusal) {
        var texts: [String] = []
        for part in parts {
            guard case .text(let text, let cache) = part else {
                throw TranslationRefusal("system", "may hold texts only")
            }
            Self.note(cache, losses: &losses)
            texts.append(text)
        }
        guard !texts.isEmpty else { return }
        messages.append(
            Self.message("system", [.init("content", .string(texts.joined(separator: Self.seam)))]))
    }

    private mutating func flush() {
        messages += results
        if quirks.needsAnswerToTools, !results.isEmpty, !pictures.isEmpty || !said.isEmpty {
            // Says nothing, and lets the user speak.
            messages.append(Self.message("assistant", [.init("content", .string("OK"))]))
        }
        if !pictures.isEmpty { messages.append(Self.message("user", [.init("content", .array(pictures))])) }
        messages += said
        results = []
        pictures = []
        said = []
    }

    // MARK: The user

    private mutating func append(
        user parts: [Conversation.Part], losses: inout Losses
    ) throws(TranslationRefusal) {
        var content: [JSONNode] = []
        for part in parts {
            switch part {
            case .text(let text, let cache):
                Self.note(cache, losses: &losses)
                content.append(Self.block(text))
            case .refusal(let text): content.append(Self.block(text))
            case .image(let image, let cache):
                Self.note(cache, losses: &losses)
                content.append(try block(image))
            case .toolResult(let result, let cache):
                Self.note(cache, losses: &losses)
                try append(result, losses: &losses)
            case .reasoning: losses.note("reasoning")
            case .toolCall:
                throw TranslationRefusal("messages", "may hold tool calls of the assistant only")
            }
        }
        guard !content.isEmpty else { return }
        // The plain form is the one that every server takes.
        let only = content.count == 1 ? content[0]["text"] : nil
        said.append(Self.message("user", [.init("content", only ?? .array(content))]))
    }

    private static func block(_ text: String) -> JSONNode {
        .object(["type": .string("text"), "text": .string(text)])
    }

    private func block(_ image: Conversation.Image) throws(TranslationRefusal) -> JSONNode {
        if case .link = image, !quirks.takesImageLinks {
            throw TranslationRefusal(
                "messages",
                "holds a link to an image, which this model's provider does not follow: send the image itself"
            )
        }
        return .object([
            "type": .string("image_url"), "image_url": .object(["url": .string(ChatImage.write(image))]),
        ])
    }

    private mutating func append(
        _ result: Conversation.ToolResult, losses: inout Losses
    ) throws(TranslationRefusal) {
        let id = try ids.written(result.call)
        var texts: [String] = []
        var images: [JSONNode] = []
        for part in result.parts {
            switch part {
            case .text(let text, let cache):
                Self.note(cache, losses: &losses)
                texts.append(text)
            case .image(let image, let cache):
                Self.note(cache, losses: &losses)
                images.append(try block(image))
            default:
                throw TranslationRefusal("messages", "holds a tool result that is neither text nor image")
            }
        }
        if result.isError {
            losses.note("is_error")
            // This says no more than the flag.
            if texts.isEmpty { texts = ["error"] }
        }
        if !images.isEmpty {
            // A result without text would look empty.
            if texts.isEmpty { texts = ["The images follow in a message of the user."] }
            pictures += [Self.block("Images from the result of the tool call \(id):")] + images
        }
        results.append(
            Self.message(
                "tool",
                [
                    .init("tool_call_id", .string(id)),
                    .init("content", .string(texts.joined(separator: Self.seam))),
                ]))
    }

    // MARK: The assistant

    private mutating func append(
        assistant parts: [Conversation.Part], losses: inout Losses
    ) throws(TranslationRefusal) {
        flush()
        var text: String?
        var refusal: String?
        var calls: [JSONNode] = []
        for part in parts {
            switch part {
            case .text(let piece, let cache):
                Self.note(cache, losses: &losses)
                // An answer's texts run on (Anthropic parts them where it cites).
                text = (text ?? "") + piece
            case .refusal(let piece) where quirks.takesRefusals: refusal = (refusal ?? "") + piece
            case .refusal(let piece): text = (text ?? "") + piece
            case .toolCall(let call, let cache):
                Self.note(cache, losses: &losses)
                calls.append(try written(call, losses: &losses))
            case .reasoning: continue
            case .image:
                throw TranslationRefusal(
                    "messages", "may hold images of the user only: leave out those of the assistant")
            case .toolResult:
                throw TranslationRefusal("messages", "may hold tool results of the user only")
            }
        }
        let thoughts = ChatReasoning.handedBack(parts, quirks.reasoningBack, losses: &losses)
        guard text != nil || refusal != nil || !calls.isEmpty || !thoughts.isEmpty else { return }
        // Null is for messages that say something all the same; the API wants a text otherwise.
        let isSaid = refusal != nil || !calls.isEmpty
        var content = text.map { JSONNode.string($0) } ?? (isSaid ? .null : .string(""))
        if !thoughts.parts.isEmpty {
            content = .array(thoughts.parts + (text.map { [Self.block($0)] } ?? []))
        }
        var members: [JSONNode.Member] = [.init("content", content)]
        if let refusal { members.append(.init("refusal", .string(refusal))) }
        members += thoughts.members
        thinks = thinks || !thoughts.isEmpty
        if thinks, quirks.reasoningBack == .reasoningContent, thoughts.isEmpty, !calls.isEmpty {
            // DeepSeek refuses a thinking model's calls without its thoughts, and an empty text for them, too.
            members.append(.init(ChatQuirks.ReasoningBack.reasoningContent.rawValue, .string(" ")))
        }
        if !calls.isEmpty { members.append(.init("tool_calls", .array(calls))) }
        messages.append(Self.message("assistant", members))
    }

    private mutating func written(
        _ call: Conversation.ToolCall, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode {
        let own = call.signature?.origin == .openAIChat ? call.signature?.text : nil
        if own == nil, call.signature != nil { losses.note("reasoning") }
        return ChatTools.call(call, id: try ids.written(call.id), signature: own)
    }
}

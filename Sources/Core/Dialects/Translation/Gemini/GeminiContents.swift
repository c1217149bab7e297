/// Writes the turns of a conversation as `contents`, and the texts of the system as `systemInstruction`.
///
/// Source: Gemini API reference, "Content" and "Part"; "Function calling". Consecutive turns of a role become one
/// content, but the results of tools have one to themselves, right behind their calls: there must be as many results as
/// calls, in what follows the calls at once.
struct GeminiContents {
    /// Texts of one tool result that were apart.
    private static let seam = "\n\n"

    private let model: GeminiModel
    private var contents: [JSONNode] = []
    /// From the id of a call to its place among all calls, and its tool's name.
    private var calls: [[UInt8]: (place: Int, name: String)] = [:]

    private init(_ model: GeminiModel) { self.model = model }

    static func write(
        _ turns: [Conversation.Turn], for model: GeminiModel, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode {
        var writer = GeminiContents(model)
        var rest = turns[...]
        while let role = rest.first?.role {
            let run = rest.prefix { $0.role == role }
            rest = rest.dropFirst(run.count)
            let parts = run.flatMap(\.parts)
            switch role {
            case .user: try writer.append(user: parts, losses: &losses)
            case .assistant: try writer.append(model: parts, losses: &losses)
            }
        }
        guard !writer.contents.isEmpty else {
            throw TranslationRefusal("messages", "must hold at least one text that is not empty")
        }
        return .array(writer.contents)
    }

    static func writeSystem(
        _ parts: [Conversation.Part], losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode? {
        var texts: [JSONNode] = []
        for part in parts {
            guard case .text(let text, let cache) = part else {
                throw TranslationRefusal("system", "may hold texts only")
            }
            note(cache, losses: &losses)
            if !text.isEmpty { texts.append(GeminiPart.text(text)) }
        }
        return texts.isEmpty ? nil : .object(["parts": .array(texts)])
    }

    /// The provider caches what it likes; a request has no word for it.
    private static func note(_ cache: Conversation.CacheMark?, losses: inout Losses) {
        if cache != nil { losses.note("cache_control") }
    }

    private mutating func append(_ role: String, _ parts: [JSONNode]) {
        guard !parts.isEmpty else { return }
        contents.append(.object(["role": .string(role), "parts": .array(parts)]))
    }

    // MARK: The user

    private mutating func append(
        user parts: [Conversation.Part], losses: inout Losses
    ) throws(TranslationRefusal) {
        var results: [(place: Int, part: JSONNode)] = []
        var pictures: [JSONNode] = []
        var others: [JSONNode] = []
        for part in parts {
            switch part {
            case .text(let text, let cache):
                Self.note(cache, losses: &losses)
                // The API refuses an empty text.
                if !text.isEmpty { others.append(GeminiPart.text(text)) }
            case .refusal(let text): if !text.isEmpty { others.append(GeminiPart.text(text)) }
            case .image(let image, let cache):
                Self.note(cache, losses: &losses)
                others.append(try GeminiPart.image(image, for: model))
            case .toolResult(let result, let cache):
                Self.note(cache, losses: &losses)
                let (part, outside) = try written(result, losses: &losses)
                results.append((calls[Array(result.call.utf8)]?.place ?? .max, part))
                pictures += outside
            case .reasoning: losses.note("reasoning")
            case .toolCall:
                throw TranslationRefusal("messages", "may hold tool calls of the assistant only")
            }
        }
        // Models that know no ids go by the order of the calls.
        let sorted = results.enumerated().sorted {
            ($0.element.place, $0.offset) < ($1.element.place, $1.offset)
        }
        append("user", sorted.map(\.element.part))
        append("user", pictures + others)
    }

    /// The result, and what of it has to stand behind the results.
    private func written(
        _ result: Conversation.ToolResult, losses: inout Losses
    ) throws(TranslationRefusal) -> (JSONNode, [JSONNode]) {
        guard let name = result.name ?? calls[Array(result.call.utf8)]?.name else {
            throw TranslationRefusal("messages", "holds a tool result whose call is not there: send both")
        }
        var texts: [String] = []
        var inside: [JSONNode] = []
        var outside: [JSONNode] = []
        for part in result.parts {
            switch part {
            case .text(let text, let cache):
                Self.note(cache, losses: &losses)
                texts.append(text)
            case .image(let image, let cache):
                Self.note(cache, losses: &losses)
                let node = try GeminiPart.image(image, for: model)
                if model.generation == .level, GeminiPart.fitsResult(image) {
                    inside.append(node)
                } else {
                    outside.append(node)
                }
            default:
                throw TranslationRefusal("messages", "holds a tool result that is neither text nor image")
            }
        }
        if !outside.isEmpty {
            if texts.isEmpty { texts = ["The images follow in a message of the user."] }
            outside.insert(
                GeminiPart.text("Images from the result of the tool call \(result.call):"), at: 0)
        }
        // This says no more than the flag.
        if result.isError, texts.isEmpty { texts = ["error"] }
        let said = JSONNode.string(texts.joined(separator: Self.seam))
        let response = JSONNode.object([
            "id": result.call.isEmpty ? nil : .string(result.call),
            "name": .string(try GeminiTools.checked(name: name, in: "messages")),
            "response": .object([result.isError ? "error" : "output": said]),
            "parts": inside.isEmpty ? nil : .array(inside),
        ])
        return (.object(["functionResponse": response]), outside)
    }

    // MARK: The model

    private mutating func append(
        model parts: [Conversation.Part], losses: inout Losses
    ) throws(TranslationRefusal) {
        var turn = GeminiModelTurn(model)
        for (position, part) in parts.enumerated() {
            switch part {
            case .text(let text, let cache):
                Self.note(cache, losses: &losses)
                turn.append(text: text)
            case .refusal(let text): turn.append(text: text)
            case .image(let image, let cache):
                Self.note(cache, losses: &losses)
                turn.append(try GeminiPart.image(image, for: model))
            case .toolCall(let call, let cache):
                Self.note(cache, losses: &losses)
                calls[Array(call.id.utf8)] = (calls.count, call.name)
                try turn.append(call, losses: &losses)
            case .reasoning(let reasoning):
                let next = parts.indices.contains(position + 1) ? parts[position + 1] : nil
                turn.append(reasoning, before: next, losses: &losses)
            case .toolResult:
                throw TranslationRefusal("messages", "may hold tool results of the user only")
            }
        }
        append("model", turn.finished())
    }
}

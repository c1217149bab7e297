/// What the model said, as the parts that it came in.
///
/// Callers hand the signatures back where their format has room for them: before the text that they belong to, behind
/// it, or all at the front. Each goes on the part it came with (Gemini API, "Thought signatures").
struct GeminiModelTurn {
    private let model: GeminiModel
    private var parts: [JSONNode] = []
    private var lastIsText = false
    private var hasCall = false
    /// The signatures of texts that did not come yet.
    private var ahead: [String] = []
    /// The signatures that have to stand behind the text that comes next.
    private var behind: [String] = []

    init(_ model: GeminiModel) { self.model = model }

    mutating func append(text: String) {
        let signature = ahead.isEmpty ? nil : ahead.removeFirst()
        // The API refuses an empty text, but for one that it signed.
        guard !text.isEmpty || signature != nil else { return }
        parts.append(GeminiPart.text(text, signature: signature))
        lastIsText = true
    }

    mutating func append(_ part: JSONNode) {
        flushBehind()
        parts.append(part)
        lastIsText = false
    }

    mutating func append(
        _ call: Conversation.ToolCall, losses: inout Losses
    ) throws(TranslationRefusal) {
        let arguments = call.arguments.isEmpty ? JSONNode.object([]) : try? JSONNode.read(call.arguments)
        guard let arguments, arguments.members != nil else {
            throw TranslationRefusal(
                "messages", "holds a tool call whose arguments are not a JSON object: correct them")
        }
        var signature = call.signature?.origin == .geminiContents ? call.signature?.text : nil
        if signature == nil, call.signature != nil { losses.note("reasoning") }
        if !hasCall, model.generation == .level { signature = signature ?? GeminiSignature.foreign }
        hasCall = true
        append(
            .object([
                "functionCall": .object([
                    "id": call.id.isEmpty ? nil : .string(call.id),
                    "name": .string(try GeminiTools.checked(name: call.name, in: "messages")),
                    "args": arguments,
                ]), "thoughtSignature": signature.map { .string($0) },
            ]))
    }

    /// Only Gemini's own is handed back; the rest is noted.
    mutating func append(
        _ reasoning: Conversation.Reasoning, before next: Conversation.Part?, losses: inout Losses
    ) {
        guard let (place, signature) = GeminiSignature.read(reasoning.token) else {
            return losses.note("reasoning")
        }
        switch place {
        case .thought:
            guard !reasoning.text.isEmpty || !signature.isEmpty else { return }
            append(GeminiPart.thought(reasoning.text, signature: signature.isEmpty ? nil : signature))
        case .text: ahead.append(signature)
        case .end:
            if lastIsText, !Self.isText(next) {
                parts.append(GeminiPart.text("", signature: signature))
            } else {
                behind.append(signature)
            }
        }
    }

    private static func isText(_ part: Conversation.Part?) -> Bool {
        switch part {
        case .text, .refusal: true
        default: false
        }
    }

    private mutating func flushBehind() {
        guard lastIsText else { return }
        for signature in behind { parts.append(GeminiPart.text("", signature: signature)) }
        behind = []
    }

    /// The parts; signatures whose text is not there any more stand at the end.
    mutating func finished() -> [JSONNode] {
        for signature in ahead + behind { parts.append(GeminiPart.text("", signature: signature)) }
        return parts
    }
}

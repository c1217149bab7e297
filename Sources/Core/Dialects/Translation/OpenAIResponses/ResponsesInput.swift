/// Reads the input of a request for a response.
///
/// Source: OpenAI API reference, "Create a model response", `input`. Items of one side that follow each other become
/// one turn. Messages of the system may stand at the beginning only: other formats have no place for a later one.
struct ResponsesInput {
    private enum Kind: String, CaseIterable {
        case message, reasoning
        case call = "function_call"
        case result = "function_call_output"
        case reference = "item_reference"
    }

    private enum Role: String, CaseIterable { case system, developer, user, assistant }

    /// From the id of a call to its tool's name.
    private var names: [[UInt8]: String] = [:]
    /// What the call that has to follow at once was signed with.
    private var signature: OpaqueToken?

    mutating func read(
        _ root: ResponsesPlace, into conversation: inout Conversation, losses: inout Losses
    ) throws(TranslationRefusal) {
        guard let input = root["input"] else {
            throw root.refusal(of: "input", "is required: a string or an array of items")
        }
        if let text = input.node.text {
            conversation.turns = [.init(.user, [.text(text)])]
            return
        }
        guard input.node.elements != nil else { throw input.refusal("must be a string or an array of items") }
        let items = try root.elements("input") ?? []
        guard !items.isEmpty else { throw input.refusal("must hold at least one item") }
        for item in items { try take(item, into: &conversation, losses: &losses) }
        drop(&losses)
    }

    /// The call that was signed is not there any more.
    private mutating func drop(_ losses: inout Losses) {
        if signature != nil { losses.note("reasoning") }
        signature = nil
    }

    private mutating func take(
        _ item: ResponsesPlace, into conversation: inout Conversation, losses: inout Losses
    ) throws(TranslationRefusal) {
        let kind = try kind(of: item)
        if kind != .call { drop(&losses) }
        switch kind {
        case .message: try readMessage(item, into: &conversation, losses: &losses)
        case .reasoning:
            if let part = try reasoning(item, losses: &losses) {
                add([part], by: .assistant, to: &conversation)
            }
        case .call: add([try call(item)], by: .assistant, to: &conversation)
        case .result: add([try result(item, losses: &losses)], by: .user, to: &conversation)
        case .reference: throw item.refusal("names what OpenAI keeps: send the item itself")
        case nil:
            throw item.refusal(
                of: "type",
                "cannot be translated for this model's provider: send messages, function calls, their outputs or reasoning"
            )
        }
    }

    /// A message needs no type, nor does a reference, which has an id instead of a role.
    private func kind(of item: ResponsesPlace) throws(TranslationRefusal) -> Kind? {
        guard item.node.members != nil else { throw item.refusal("must be an object") }
        guard item["type"] == nil else { return try item.word("type", of: Kind.self) }
        return item["role"] == nil && item["id"] != nil ? .reference : .message
    }

    private func add(
        _ parts: [Conversation.Part], by role: Conversation.Turn.Role, to conversation: inout Conversation
    ) {
        guard !parts.isEmpty else { return }
        if let last = conversation.turns.indices.last, conversation.turns[last].role == role {
            conversation.turns[last].parts += parts
        } else {
            conversation.turns.append(.init(role, parts))
        }
    }

    // MARK: Messages

    private func readMessage(
        _ item: ResponsesPlace, into conversation: inout Conversation, losses: inout Losses
    ) throws(TranslationRefusal) {
        // The id and the status say how an answer came about; the conversation does without.
        try item.allow(["type", "role", "content", "id", "status", "phase"])
        if try item.text("phase") != nil { losses.note("phase") }
        switch try item.word("role", of: Role.self) {
        case .system, .developer:
            guard conversation.turns.isEmpty else {
                throw item.refusal(
                    of: "role",
                    "must not be the system's after the beginning: put the text first, or let the user say it"
                )
            }
            conversation.system += try ResponsesContent.parts(
                of: item, "content", [.inputText], losses: &losses)
        case .user:
            let parts = try ResponsesContent.parts(
                of: item, "content", [.inputText, .inputImage], losses: &losses)
            add(parts, by: .user, to: &conversation)
        case .assistant:
            let parts = try ResponsesContent.parts(
                of: item, "content", [.outputText, .refusal, .inputText], losses: &losses)
            add(parts, by: .assistant, to: &conversation)
        case nil: throw item.refusal(of: "role", "must be system, developer, user or assistant")
        }
    }

    // MARK: Tool calls

    private mutating func call(_ item: ResponsesPlace) throws(TranslationRefusal) -> Conversation.Part {
        try item.allow(["type", "id", "call_id", "name", "arguments", "status", "caller", "async"])
        try checkCaller(of: item)
        if try item.flag("async") == true {
            throw item.refusal(of: "async", "works at OpenAI only: leave it out")
        }
        let id = try item.neededText("call_id")
        let name = try item.neededText("name")
        let arguments = try item.neededText("arguments")
        names[Array(id.utf8)] = name
        defer { signature = nil }
        return .toolCall(.init(id: id, name: name, arguments: arguments, signature: signature))
    }

    private func result(
        _ item: ResponsesPlace, losses: inout Losses
    ) throws(TranslationRefusal) -> Conversation.Part {
        // The name repeats the call's.
        try item.allow(["type", "id", "call_id", "output", "status", "caller", "name"])
        try checkCaller(of: item)
        let id = try item.neededText("call_id")
        guard let name = names[Array(id.utf8)] else {
            throw item.refusal(of: "call_id", "must be the 'call_id' of a function_call before it")
        }
        let parts = try ResponsesContent.parts(
            of: item, "output", [.inputText, .inputImage], losses: &losses)
        return .toolResult(.init(call: id, name: name, parts: parts))
    }

    private func checkCaller(of item: ResponsesPlace) throws(TranslationRefusal) {
        guard let caller = item["caller"], !caller.has("type", "direct") else { return }
        throw caller.refusal("must be the model itself: leave out what programs at OpenAI called")
    }

    // MARK: Reasoning

    /// nil for a signature of the call that follows, and for what holds nothing: its content stayed with OpenAI.
    private mutating func reasoning(
        _ item: ResponsesPlace, losses: inout Losses
    ) throws(TranslationRefusal) -> Conversation.Part? {
        try item.allow(["type", "id", "summary", "content", "encrypted_content", "status"])
        let encrypted = try item.text("encrypted_content") ?? ""
        let summary = try ResponsesContent.texts(of: item, "summary", "summary_text")
        let content = try ResponsesContent.texts(of: item, "content", "reasoning_text")
        if let token = ResponsesSignature.read(ofCall: encrypted) {
            signature = token
            return nil
        }
        // A summary says no more than the whole of it.
        if !content.isEmpty, !summary.isEmpty { losses.note("summary") }
        let token = ResponsesSignature.read(encrypted)
        let text = content.isEmpty ? summary.joined(separator: "\n\n") : content.joined()
        guard token != nil || !text.isEmpty else {
            losses.note("reasoning")
            return nil
        }
        return .reasoning(.init(text: text, token: token, isHidden: summary.isEmpty && content.isEmpty))
    }
}

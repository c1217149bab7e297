import Domain

/// Reads and writes how much the model shall think and in which shape it shall answer, in the words of OpenAI's chat
/// completions.
///
/// Source: OpenAI API reference, "Create chat completion", `reasoning_effort` and `response_format`; OpenRouter,
/// "Reasoning tokens", for `reasoning`.
enum ChatWishes {
    private enum Format: String, CaseIterable {
        case text
        case json = "json_object"
        case schema = "json_schema"
    }

    static func read(
        _ root: ChatPlace, into conversation: inout Conversation, losses: inout Losses
    ) throws(TranslationRefusal) {
        conversation.reasoning = try root.text("reasoning_effort").map { wish($0) }
        if let place = root["reasoning"] {
            guard conversation.reasoning == nil else {
                throw place.refusal("stands beside 'reasoning_effort': leave out one of them")
            }
            conversation.reasoning = try reasoning(place, losses: &losses)
        }
        if let place = root["response_format"] { conversation.output = try shape(place) }
    }

    private static func wish(_ effort: String) -> Conversation.ReasoningWish {
        effort.utf8.elementsEqual("none".utf8) ? .off : .effort(effort)
    }

    private static func reasoning(
        _ place: ChatPlace, losses: inout Losses
    ) throws(TranslationRefusal) -> Conversation.ReasoningWish? {
        try place.allow(["effort", "max_tokens", "enabled", "exclude"])
        if try place.flag("exclude") == true { losses.note("reasoning.exclude") }
        let effort = try place.text("effort")
        let budget = try place.count("max_tokens")
        if effort != nil, budget != nil {
            throw place.refusal(of: "max_tokens", "stands beside 'effort': leave out one of them")
        }
        let isEnabled = try place.flag("enabled")
        if isEnabled == false { return .off }
        if let effort { return wish(effort) }
        if let budget { return .budget(budget) }
        return isEnabled == true ? .adaptive : nil
    }

    private static func shape(_ place: ChatPlace) throws(TranslationRefusal) -> Conversation.OutputShape {
        try place.allow(["type", "json_schema"])
        switch try place.word("type", of: Format.self) {
        case .text: return .text
        case .json: return .json
        case .schema:
            guard let inner = place["json_schema"] else {
                throw place.refusal(of: "json_schema", "is required: a name and a schema")
            }
            try inner.allow(["name", "description", "schema", "strict"])
            guard let schema = try inner.object("schema") else {
                throw inner.refusal(of: "schema", "is required: a JSON schema")
            }
            return .schema(
                name: try inner.neededText("name"), description: try inner.text("description"),
                schema: schema, strict: try inner.flag("strict"))
        case nil: throw place.refusal(of: "type", "must be text, json_object or json_schema")
        }
    }

    // MARK: Writing

    static func format(
        _ output: Conversation.OutputShape, takesSchemas: Bool
    ) throws(TranslationRefusal) -> JSONNode? {
        switch output {
        case .text: return nil
        case .json: return .object(["type": .string(Format.json.rawValue)])
        case .schema(let name, let description, let schema, let strict):
            guard takesSchemas else {
                throw TranslationRefusal(
                    "response_format", "may not hold a schema for this model's provider: ask for json_object")
            }
            return .object([
                "type": .string(Format.schema.rawValue),
                "json_schema": .object([
                    "name": .string(name), "description": description.map { .string($0) },
                    "schema": schema, "strict": strict.map { .bool($0) },
                ]),
            ])
        }
    }

    /// The efforts that a budget of so many tokens comes closest to. The gateway's own figures, as nobody gives any; the
    /// same that ``MessagesThinking`` has the other way round.
    private static let budgets: [(most: Int64, effort: String)] = [(2_048, "low"), (8_192, "medium")]

    /// The member that says how much to think; what comes close to a wish is noted as `reasoning`.
    static func reasoning(
        _ wish: Conversation.ReasoningWish?, for target: WireTarget, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode.Member? {
        switch wish {
        // Without an effort the model thinks as much as it likes.
        case nil, .adaptive: return nil
        case .off: return off(target, losses: &losses)
        case .effort(let wanted):
            return member(effort: try known(wanted, among: target.quirks.efforts, losses: &losses))
        case .budget(let tokens):
            guard tokens > 0 else { return off(target, losses: &losses) }
            losses.note("reasoning")
            let wanted = budgets.first { tokens <= $0.most }?.effort ?? "high"
            return member(effort: try known(wanted, among: target.quirks.efforts, losses: &losses))
        }
    }

    private static func member(effort: String) -> JSONNode.Member {
        .init("reasoning_effort", .string(effort))
    }

    /// The word that comes closest, the lesser of two.
    private static func known(
        _ wanted: String, among efforts: [String], losses: inout Losses
    ) throws(TranslationRefusal) -> String {
        guard let place = place(wanted) else {
            throw TranslationRefusal(
                "reasoning_effort",
                "must be one of \(efforts.joined(separator: ", ")) for this model's provider")
        }
        // Thinking little is closer to thinking than not thinking is.
        let words = efforts.filter { place == 0 || !$0.utf8.elementsEqual("none".utf8) }
        let closest = words.min { left, right in
            abs((Self.place(left) ?? 0) - place) < abs((Self.place(right) ?? 0) - place)
        }
        guard let closest else { return wanted }
        if !closest.utf8.elementsEqual(wanted.utf8) { losses.note("reasoning") }
        return closest
    }

    private static func place(_ effort: String) -> Int? {
        ChatQuirks.scale.firstIndex { $0.utf8.elementsEqual(effort.utf8) }
    }

    /// Where a model does not know how to be kept from thinking, it is left alone: it does not think at all, or cannot
    /// be kept from it.
    private static func off(_ target: WireTarget, losses: inout Losses) -> JSONNode.Member? {
        switch target.quirks.reasoningOff {
        case .none: return member(effort: "none")
        case .noneForNewModels where knowsNone(target.model): return member(effort: "none")
        case .thinkingDisabled: return .init("thinking", .object(["type": .string("disabled")]))
        case .noneForNewModels, .unknown:
            losses.note("reasoning")
            return nil
        }
    }

    /// OpenAI's models from GPT-5.1 on (OpenAI API reference, `reasoning_effort`).
    private static func knowsNone(_ model: String) -> Bool {
        let name = model.utf8.split(separator: UInt8(ascii: "/")).last ?? Substring(model).utf8
        guard name.starts(with: "gpt-".utf8) else { return false }
        let version = name.dropFirst("gpt-".utf8.count)
        if version.starts(with: "5.".utf8) { return true }
        guard let major = Int(String(decoding: version.prefix { (0x30...0x39).contains($0) }, as: UTF8.self))
        else { return false }
        // A model whose version has no dot is written as 4o or 35-turbo.
        return (6...20).contains(major)
    }
}

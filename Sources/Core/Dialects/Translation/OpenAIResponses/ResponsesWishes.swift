/// Reads from a request for a response how much the model shall think and in which shape it shall answer.
///
/// Source: OpenAI API reference, "Create a model response", `reasoning` and `text`.
enum ResponsesWishes {
    private enum Format: String, CaseIterable {
        case text
        case json = "json_object"
        case schema = "json_schema"
    }

    static func read(
        _ root: ResponsesPlace, into conversation: inout Conversation, losses: inout Losses
    ) throws(TranslationRefusal) {
        if let place = root["reasoning"] {
            conversation.reasoning = try reasoning(place, losses: &losses)
        }
        guard let place = root["text"] else { return }
        try place.allow(["format", "verbosity"])
        if let verbosity = try place.text("verbosity"), !isSame(verbosity, "medium") {
            losses.note("text.verbosity")
        }
        if let format = place["format"] { conversation.output = try shape(format) }
    }

    /// Reasoning goes to the caller as summaries, whether he asked for them or not.
    private static func reasoning(
        _ place: ResponsesPlace, losses: inout Losses
    ) throws(TranslationRefusal) -> Conversation.ReasoningWish? {
        try place.allow(["effort", "summary", "generate_summary", "context", "mode"])
        for name in ["summary", "generate_summary", "context"] {
            if let wish = try place.text(name), !isSame(wish, "auto") { losses.note("reasoning.\(name)") }
        }
        if let mode = try place.text("mode"), !isSame(mode, "standard") {
            throw place.refusal(of: "mode", "must be standard for this model's provider: leave it out")
        }
        guard let effort = try place.text("effort") else { return nil }
        return isSame(effort, "none") ? .off : .effort(effort)
    }

    private static func shape(_ place: ResponsesPlace) throws(TranslationRefusal) -> Conversation.OutputShape
    {
        let format = try place.word("type", of: Format.self)
        try place.allow(format == .schema ? ["type", "name", "description", "schema", "strict"] : ["type"])
        switch format {
        case .text: return .text
        case .json: return .json
        case .schema:
            guard let schema = try place.object("schema") else {
                throw place.refusal(of: "schema", "is required: a JSON schema")
            }
            return .schema(
                name: try place.neededText("name"), description: try place.text("description"),
                schema: schema, strict: try place.flag("strict"))
        case nil: throw place.refusal(of: "type", "must be text, json_object or json_schema")
        }
    }

    private static func isSame(_ text: String, _ word: String) -> Bool { text.utf8.elementsEqual(word.utf8) }
}

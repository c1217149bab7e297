/// Reads from a request of Anthropic's messages how much the model shall think and in which shape it shall answer.
///
/// Source: Anthropic API reference, "Create a Message", `thinking` and `output_config`; "Structured outputs" for
/// `output_format`, the older name of `output_config.format`.
enum MessagesWishes {
    private enum Thinking: String, CaseIterable { case enabled, adaptive, disabled }

    static func read(
        _ root: MessagesPlace, into conversation: inout Conversation, losses: inout Losses
    ) throws(TranslationRefusal) {
        conversation.reasoning = try thinking(root, losses: &losses)
        if let config = root["output_config"] {
            try config.allow(["effort", "format"])
            if let effort = try config.text("effort") {
                switch conversation.reasoning {
                // How much to think is left to the model within its effort.
                case nil, .adaptive: conversation.reasoning = .effort(effort)
                // A budget says it more exactly, and without thinking there is nothing to say.
                default: losses.note("output_config.effort")
                }
            }
            if let format = config["format"] { conversation.output = try shape(format) }
        }
        guard let format = root["output_format"] else { return }
        guard conversation.output == .text else {
            throw format.refusal("stands beside 'output_config.format': leave out one of them")
        }
        conversation.output = try shape(format)
    }

    private static func thinking(
        _ root: MessagesPlace, losses: inout Losses
    ) throws(TranslationRefusal) -> Conversation.ReasoningWish? {
        guard let place = root["thinking"] else { return nil }
        try place.allow(["type", "budget_tokens", "display"])
        if place["display"] != nil { losses.note("thinking.display") }
        switch try place.word("type", of: Thinking.self) {
        case .disabled: return .off
        case .adaptive: return .adaptive
        case .enabled:
            guard let budget = try place.count("budget_tokens") else {
                throw place.refusal(of: "budget_tokens", "is required: a whole number from 1024 on")
            }
            return .budget(budget)
        case nil: throw place.refusal(of: "type", "must be enabled, adaptive or disabled")
        }
    }

    /// Anthropic's schemas have no name; other formats want one.
    private static let schemaName = "output"

    private static func shape(_ place: MessagesPlace) throws(TranslationRefusal) -> Conversation.OutputShape {
        try place.allow(["type", "schema"])
        guard place.has("type", "json_schema") else { throw place.refusal(of: "type", "must be json_schema") }
        guard let schema = try place.object("schema") else {
            throw place.refusal(of: "schema", "is required: a JSON schema")
        }
        return .schema(name: schemaName, description: nil, schema: schema, strict: true)
    }
}

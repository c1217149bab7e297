public import Domain

/// What the caller's format calls the fields that encoders name in chat completions' words.
///
/// A refusal or a header that names a field which the caller never wrote would send him searching.
public enum CallersNames {
    /// The caller's name of a field; its own where both formats call it the same, or where it is a path already.
    public static func field(_ name: String, in dialect: Dialect) -> String {
        switch dialect {
        case .openAIChat, .openAIEmbeddings, .openAIModels: name == "system" ? "messages" : name
        case .openAIResponses: responses[name] ?? name
        case .anthropicMessages, .anthropicCountTokens: messages[name] ?? name
        }
    }

    /// OpenAI API reference, "Responses: create".
    private static let responses = [
        "max_tokens": "max_output_tokens", "messages": "input", "reasoning_effort": "reasoning.effort",
        "response_format": "text.format", "system": "instructions", "verbosity": "text.verbosity",
    ]

    /// Anthropic API reference, "Messages: create".
    private static let messages = [
        "parallel_tool_calls": "tool_choice.disable_parallel_tool_use", "reasoning": "thinking",
        "reasoning_effort": "output_config.effort", "response_format": "output_config.format",
        "stop": "stop_sequences", "user": "metadata.user_id",
    ]
}

extension TranslationRefusal {
    /// The same for a caller of a format.
    public func named(in dialect: Dialect) -> Self {
        Self(CallersNames.field(field, in: dialect), problem)
    }
}

extension Losses {
    /// The same for a caller of a format.
    public func named(in dialect: Dialect) -> Self {
        var losses = Losses()
        for field in fields { losses.note(CallersNames.field(field, in: dialect)) }
        return losses
    }
}

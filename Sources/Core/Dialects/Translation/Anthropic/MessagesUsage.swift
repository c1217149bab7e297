import Domain

/// The `usage` object of Anthropic's messages, read and written.
///
/// Source: Anthropic API reference, "Create a Message", and "Streaming messages" for the cumulative one of
/// `message_delta`.
enum MessagesUsage {
    /// Lays what an event says over what earlier ones said; true if it held a token count.
    static func overlay(_ node: JSONNode?, on figures: inout AnthropicUsage) -> Bool {
        guard let node else { return false }
        var read = figures
        let found = node.bytes.withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes)
            return (try? read.overlay(&scanner)) ?? false
        }
        if found { figures = read }
        return found
    }

    /// Writes what is known; without a report the estimate of the input, and no output.
    static func write(_ usage: Usage?, inputEstimate: Int64) -> JSONNode {
        let usage = usage ?? Usage(input: inputEstimate)
        let reasoning = usage.reasoning
        return .object([
            "input_tokens": .whole(usage.input),
            "cache_creation_input_tokens": .whole(usage.cacheWrite + usage.cacheWriteHour),
            "cache_read_input_tokens": .whole(usage.cacheRead),
            "cache_creation": .object([
                "ephemeral_5m_input_tokens": .whole(usage.cacheWrite),
                "ephemeral_1h_input_tokens": .whole(usage.cacheWriteHour),
            ]),
            "output_tokens": .whole(usage.totalOutput),
            "output_tokens_details": reasoning > 0
                ? .object(["thinking_tokens": .whole(reasoning)]) : nil,
        ])
    }
}

/// What Anthropic's messages call `stop_reason` (Anthropic API reference, "Create a Message"; "Handling stop reasons").
enum MessagesStop {
    private static let words: [(String, StopReason)] = [
        ("end_turn", .finished), ("max_tokens", .length), ("stop_sequence", .stopSequence),
        ("tool_use", .toolCalls), ("pause_turn", .paused), ("refusal", .refusal),
        ("model_context_window_exceeded", .length),
    ]

    /// A word that is not known means an end like any other.
    static func read(_ reason: String) -> StopReason {
        words.first { $0.0.utf8.elementsEqual(reason.utf8) }?.1 ?? .finished
    }

    /// Some servers end an answer with tool calls like any other; callers look for `tool_use`.
    static func write(_ stop: StopReason, hasCalls: Bool) -> JSONNode {
        switch stop {
        case .finished: .string(hasCalls ? "tool_use" : "end_turn")
        case .length: .string("max_tokens")
        case .stopSequence: .string("stop_sequence")
        case .toolCalls: .string("tool_use")
        case .paused: .string("pause_turn")
        case .refusal, .contentFilter: .string("refusal")
        }
    }
}

import Domain

/// The `usage` object of OpenAI's chat completions, read and written.
///
/// Source: OpenAI API reference, "CompletionUsage": the prompt's tokens hold those of the cache, the completion's those
/// of reasoning.
enum ChatUsage {
    /// The usage of an answer or of a chunk; Groq's own member holds it where none was asked for.
    static func read(of answer: JSONNode) -> Usage? {
        read(answer["usage"]) ?? read(answer["x_groq"]?["usage"])
    }

    static func read(_ node: JSONNode?) -> Usage? {
        guard let node else { return nil }
        return node.bytes.withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes)
            return try? OpenAIUsage.read(&scanner)
        }
    }

    static func write(_ usage: Usage) -> JSONNode {
        let written = usage.cacheWrite + usage.cacheWriteHour
        return .object([
            "prompt_tokens": .whole(usage.totalInput),
            "completion_tokens": .whole(usage.totalOutput),
            "total_tokens": .whole(usage.total),
            "prompt_tokens_details": .object([
                "cached_tokens": .whole(usage.cacheRead),
                "cache_write_tokens": written > 0 ? .whole(written) : nil,
            ]),
            "completion_tokens_details": .object(["reasoning_tokens": .whole(usage.reasoning)]),
        ])
    }
}

/// What chat completions call `finish_reason` (OpenAI API reference, "The chat completion object").
enum ChatStop {
    private static let words: [(String, StopReason)] = [
        ("stop", .finished), ("length", .length), ("tool_calls", .toolCalls), ("function_call", .toolCalls),
        ("content_filter", .contentFilter),
    ]

    /// nil for `error`, by which OpenRouter says that the answer broke off. A word that is not known, or none, means an
    /// end like any other.
    ///
    /// An answer to a forced tool choice ends with `stop` though it calls a tool, and so does a refusal. vLLM names the
    /// stop sequence that was met in `stop_reason` (vLLM, "OpenAI-compatible server").
    static func read(
        _ choice: JSONNode, hasCalls: Bool, hasRefusal: Bool
    ) -> (stop: StopReason, sequence: String?)? {
        let reason = choice["finish_reason"]?.text ?? ""
        guard !reason.utf8.elementsEqual("error".utf8) else { return nil }
        let stop = words.first { $0.0.utf8.elementsEqual(reason.utf8) }?.1 ?? .finished
        guard stop == .finished else { return (stop, nil) }
        if hasCalls { return (.toolCalls, nil) }
        if hasRefusal { return (.refusal, nil) }
        guard let sequence = choice["stop_reason"]?.text else { return (.finished, nil) }
        return (.stopSequence, sequence)
    }

    /// A refusal without its text could not be told from an answer, so it goes as what was filtered.
    static func write(_ stop: StopReason, hasCalls: Bool, hasRefusal: Bool) -> JSONNode {
        switch stop {
        case .finished, .stopSequence, .paused: .string(hasCalls ? "tool_calls" : "stop")
        case .length: .string("length")
        case .toolCalls: .string("tool_calls")
        case .contentFilter: .string("content_filter")
        case .refusal: .string(hasRefusal ? "stop" : "content_filter")
        }
    }
}

public import Domain

extension OpenAIProvider {
    /// Base addresses from each provider's own reference (seen 2026-11-23). Ollama and vLLM run on this machine, on
    /// their own default ports, without keys; for another machine the configuration names them.
    public var presets: [ProviderDefinition] {
        switch kind {
        case .openai: ProviderList.preset("openai", kind, "https://api.openai.com/v1")
        case .openaiCompatible:
            [
                ("mistral", "https://api.mistral.ai/v1", ChatQuirks.mistral),
                ("groq", "https://api.groq.com/openai/v1", .groq),
                ("deepseek", "https://api.deepseek.com/v1", .deepSeek),
                ("xai", "https://api.x.ai/v1", .xAI),
                ("together", "https://api.together.xyz/v1", .together),
                ("openrouter", "https://openrouter.ai/api/v1", .openRouter),
            ].flatMap { ProviderList.preset($0.0, kind, $0.1, quirks: $0.2) }
                + [
                    ("ollama", "http://127.0.0.1:11434/v1", ChatQuirks.ollama),
                    ("vllm", "http://127.0.0.1:8000/v1", .vLLM),
                ].flatMap { ProviderList.preset($0.0, kind, $0.1, keyless: true, quirks: $0.2) }
        case .anthropic, .gemini, .bedrock, .azure: []
        }
    }
}

/// What each of the known compatible providers wants otherwise than OpenAI.
extension ChatQuirks {
    /// Mistral AI API reference, "Chat completion" (SDK 3.7.0), which refuses every field that it does not name (422
    /// `extra_forbidden`): there is no `stream_options`, and usage comes unasked; no `user` and no `refusal`. Also
    /// refused: ids of calls other than nine letters and digits, and a user who speaks right behind a tool's result
    /// (code 3230, "Unexpected role 'user' after role 'tool'").
    static let mistral = ChatQuirks {
        $0.asksForUsage = false
        $0.outputBound = .maxTokens
        $0.callIDs = .nineAlphanumerics
        $0.anyTool = "any"
        $0.seed = "random_seed"
        $0.reasoningBack = .parts
        $0.reasoningOff = .unknown
        $0.takesTopK = true
        $0.takesUser = false
        $0.takesRefusals = false
        $0.needsToolSchemas = true
        $0.needsAnswerToTools = true
    }

    /// Groq API reference, "Create chat completion" (SDK 1.7.0). Thoughts go back as `reasoning` only ("property
    /// 'reasoning_content' is unsupported"); whether thinking can be turned off depends on the model.
    static let groq = ChatQuirks {
        $0.reasoningBack = .reasoning
        $0.reasoningOff = .unknown
        $0.efforts = ["low", "medium", "high"]
        $0.takesRefusals = false
    }

    /// DeepSeek API docs, "Create chat completion" and "Thinking mode": thoughts must come back with calls of tools, and
    /// are turned off by `thinking`; answers can be bound to JSON, not to a schema.
    static let deepSeek = ChatQuirks {
        $0.outputBound = .maxTokens
        $0.reasoningBack = .reasoningContent
        $0.reasoningOff = .thinkingDisabled
        $0.efforts = ["minimal", "low", "medium", "high", "xhigh", "max"]
        $0.takesUser = false
        $0.takesRefusals = false
        $0.takesSchemas = false
    }

    /// xAI REST API reference, "Chat completions". Efforts are those that all of its thinking models take.
    static let xAI = ChatQuirks {
        $0.outputBound = .maxTokens
        $0.reasoningBack = .asItCame
        $0.reasoningOff = .unknown
        $0.efforts = ["low", "high"]
        $0.takesRefusals = false
    }

    /// Together AI API reference, "Create chat completion" (SDK 3.1.1).
    static let together = ChatQuirks {
        $0.outputBound = .maxTokens
        $0.reasoningBack = .reasoning
        $0.reasoningOff = .unknown
        $0.efforts = ["low", "medium", "high"]
        $0.takesTopK = true
        $0.takesUser = false
        $0.takesRefusals = false
    }

    /// OpenRouter API reference, "Parameters" and "Reasoning tokens". Signed thoughts (`reasoning_details`) go back as
    /// they came.
    static let openRouter = ChatQuirks {
        $0.outputBound = .maxTokens
        $0.reasoningBack = .asItCame
        $0.reasoningOff = .none
        $0.efforts = ["none", "minimal", "low", "medium", "high", "xhigh"]
        $0.takesTopK = true
    }

    /// Ollama's source, `openai/openai.go`: other fields are passed over in silence, `max_completion_tokens` among
    /// them; other efforts and linked images are refused.
    static let ollama = ChatQuirks {
        $0.outputBound = .maxTokens
        $0.reasoningBack = .reasoning
        $0.reasoningOff = .none
        $0.efforts = ["none", "low", "medium", "high"]
        $0.takesUser = false
        $0.takesRefusals = false
        $0.takesImageLinks = false
    }

    /// vLLM's source, `entrypoints/openai/chat_completion/protocol.py`; releases before 0.6.4 know no
    /// `max_completion_tokens`, and both names of thoughts were in use.
    static let vLLM = ChatQuirks {
        $0.outputBound = .maxTokens
        $0.reasoningBack = .asItCame
        $0.reasoningOff = .unknown
        $0.takesTopK = true
        $0.takesRefusals = false
    }
}

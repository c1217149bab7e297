package import Domain

extension OpenAIProvider {
    /// Base addresses from each provider's own reference (seen 2026-11-23); local servers come by configuration only.
    package var presets: [ProviderDefinition] {
        switch kind {
        case .openai:
            ProviderList.preset("openai", kind, "https://api.openai.com/v1")
        case .openaiCompatible:
            [
                // Mistral sends usage unasked and refuses fields it does not know, `stream_options` among them.
                ("mistral", "https://api.mistral.ai/v1", false),
                ("groq", "https://api.groq.com/openai/v1", true),
                ("deepseek", "https://api.deepseek.com/v1", true),
                ("xai", "https://api.x.ai/v1", true),
                ("together", "https://api.together.xyz/v1", true),
            ].flatMap { name, baseURL, asks in ProviderList.preset(name, kind, baseURL, asksForUsage: asks) }
        case .anthropic:
            []
        }
    }
}

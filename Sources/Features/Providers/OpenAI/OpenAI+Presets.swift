package import Domain

extension OpenAIProvider {
    /// Base addresses from each provider's own reference (seen 2026-11-23); local servers come by configuration only.
    package var presets: [ProviderDefinition] {
        switch kind {
        case .openai:
            ProviderList.preset("openai", kind, "https://api.openai.com/v1")
        case .openaiCompatible:
            [
                ("mistral", "https://api.mistral.ai/v1"),
                ("groq", "https://api.groq.com/openai/v1"),
                ("deepseek", "https://api.deepseek.com/v1"),
                ("xai", "https://api.x.ai/v1"),
                ("together", "https://api.together.xyz/v1"),
            ].flatMap { name, baseURL in ProviderList.preset(name, kind, baseURL) }
        case .anthropic:
            []
        }
    }
}

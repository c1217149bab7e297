package import Domain

extension OpenAIProvider {
    /// Base addresses from each provider's own reference (seen 2026-11-23). Ollama and vLLM run on this machine, on
    /// their own default ports, without keys; for another machine the configuration names them.
    package var presets: [ProviderDefinition] {
        switch kind {
        case .openai:
            ProviderList.preset("openai", kind, "https://api.openai.com/v1")
        case .openaiCompatible:
            [
                // Mistral sends usage unasked and refuses fields it does not know, `stream_options` among them.
                Preset("mistral", "https://api.mistral.ai/v1", asks: false),
                Preset("groq", "https://api.groq.com/openai/v1"),
                Preset("deepseek", "https://api.deepseek.com/v1"),
                Preset("xai", "https://api.x.ai/v1"),
                Preset("together", "https://api.together.xyz/v1"),
                Preset("openrouter", "https://openrouter.ai/api/v1"),
                Preset("ollama", "http://127.0.0.1:11434/v1", keyless: true),
                Preset("vllm", "http://127.0.0.1:8000/v1", keyless: true),
            ].flatMap {
                ProviderList.preset($0.name, kind, $0.baseURL, keyless: $0.keyless, asksForUsage: $0.asks)
            }
        case .anthropic, .gemini, .bedrock, .azure:
            []
        }
    }

    private struct Preset {
        let name: String
        let baseURL: String
        let asks: Bool
        let keyless: Bool

        init(_ name: String, _ baseURL: String, asks: Bool = true, keyless: Bool = false) {
            self.name = name
            self.baseURL = baseURL
            self.asks = asks
            self.keyless = keyless
        }
    }
}

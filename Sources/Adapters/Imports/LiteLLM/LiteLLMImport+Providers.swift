import Domain

// The provider behind `PREFIX/MODEL`, and the entry that it needs here.
extension LiteLLMImport {
    /// Providers that need no entry, by LiteLLM's prefixes ("Supported Models & Providers").
    private static let known: [String: String] = [
        "openai": "openai", "anthropic": "anthropic", "gemini": "gemini", "mistral": "mistral",
        "groq": "groq", "deepseek": "deepseek", "xai": "xai", "together_ai": "together",
        "openrouter": "openrouter",
    ]
    /// Known providers on this machine, which need at least their name, with the address that LiteLLM assumes.
    private static let local: [String: String] = [
        "ollama": "ollama", "ollama_chat": "ollama", "hosted_vllm": "vllm", "vllm": "vllm",
    ]
    /// Prefixes for anything that speaks OpenAI's format at an address of its own.
    private static let compatible: Set<String> = ["openai", "custom_openai", "openai_like", "litellm_proxy"]

    mutating func place(
        of said: String, _ parameters: YAMLTree
    ) -> (provider: ImportedProvider, model: String)? {
        var prefix = parameters["custom_llm_provider"]?.text
        var model = said
        if prefix == nil, let slash = said.utf8.firstIndex(of: UInt8(ascii: "/")) {
            prefix = String(said[..<slash])
            model = String(said[said.index(after: slash)...])
        }
        guard let prefix = prefix ?? Self.guess(said) else {
            note(parameters, "\(said) names no provider: write PROVIDER/MODEL there and import again")
            return nil
        }
        let address = parameters["api_base"] ?? parameters["base_url"]
        let provider: ImportedProvider?
        switch prefix {
        case "azure": provider = azure(parameters, address)
        case "bedrock":
            for route in ["converse/", "invoke/", "converse_like/"] where model.utf8.starts(with: route.utf8)
            {
                model = String(model.dropFirst(route.count))
            }
            provider = bedrock(parameters, address)
        case "vertex_ai", "vertex_ai_beta":
            note(parameters, "\(said): Vertex AI is not served here; Gemini's own API is (gemini/...)")
            provider = nil
        default: provider = plain(prefix, said, parameters, address)
        }
        return provider.map { ($0, model) }
    }

    /// Names without a prefix that LiteLLM gives to OpenAI or Anthropic.
    private static func guess(_ model: String) -> String? {
        let openAI = ["gpt-", "o1", "o3", "o4", "chatgpt-", "text-embedding-"]
        if openAI.contains(where: { model.utf8.starts(with: $0.utf8) }) { return "openai" }
        return model.utf8.starts(with: "claude-".utf8) ? "anthropic" : nil
    }

    private mutating func plain(
        _ prefix: String, _ said: String, _ parameters: YAMLTree, _ address: YAMLTree?
    ) -> ImportedProvider? {
        let preset = Self.known[prefix] ?? Self.local[prefix]
        guard let address, address.text != nil else {
            guard let preset, var provider = named(preset, parameters) else {
                note(
                    parameters,
                    "\(said): there is no provider \(prefix) here; if it speaks OpenAI's format, add a "
                        + "[[provider]] of kind openai-compatible with its base_url")
                return nil
            }
            provider.keyless = Self.local[prefix] != nil
            return provider
        }
        guard var url = resolved(address) else { return nil }
        while url.utf8.last == UInt8(ascii: "/") { url.removeLast() }
        if prefix.utf8.starts(with: "ollama".utf8), !url.hasSuffix("/v1") { url += "/v1" }
        guard preset != nil || Self.compatible.contains(prefix) else {
            note(address, "\(said): there is no provider \(prefix) here that an address could belong to")
            return nil
        }
        guard !Self.isOwn(url, of: prefix) else { return preset.flatMap { named($0, parameters) } }
        guard var provider = named("\(preset ?? "openai")-\(Self.hostLabel(of: url))", parameters) else {
            return nil
        }
        provider.baseURL = url
        if let preset, !Self.compatible.contains(prefix) {
            provider.like = preset
        } else {
            provider.kind = "openai-compatible"
        }
        provider.keyless = parameters["api_key"]?.text == nil
        allowPlainHTTP(&provider, address)
        return provider
    }

    /// The addresses of known providers that people write out.
    private static func isOwn(_ url: String, of prefix: String) -> Bool {
        let own = [
            "openai": ["https://api.openai.com/v1", "https://api.openai.com"],
            "anthropic": ["https://api.anthropic.com", "https://api.anthropic.com/v1"],
            "ollama": ["http://localhost:11434/v1"], "ollama_chat": ["http://localhost:11434/v1"],
        ]
        return own[prefix]?.contains { $0.utf8.elementsEqual(url.utf8) } ?? false
    }

    private mutating func azure(_ parameters: YAMLTree, _ address: YAMLTree?) -> ImportedProvider? {
        guard let address, var url = resolved(address) else {
            if address == nil { note(parameters, "an Azure deployment needs its api_base") }
            return nil
        }
        guard var provider = named("azure-\(Self.hostLabel(of: url))", parameters) else { return nil }
        while url.utf8.last == UInt8(ascii: "/") { url.removeLast() }
        provider.kind = "azure"
        if !url.hasSuffix("/openai"), !url.hasSuffix("/v1") { url += "/openai" }
        provider.apiVersion = resolved(parameters["api_version"])
        if provider.apiVersion == nil, !url.hasSuffix("/v1") { url += "/v1" }
        provider.baseURL = url
        return provider
    }

    private mutating func bedrock(_ parameters: YAMLTree, _ address: YAMLTree?) -> ImportedProvider? {
        if let address { note(address, "Bedrock is called at its region's own address") }
        guard let region = resolved(parameters["aws_region_name"]) else {
            if parameters["aws_region_name"] == nil {
                note(parameters, "a Bedrock model needs its aws_region_name")
            }
            return nil
        }
        guard var provider = named("bedrock-\(region)", parameters) else { return nil }
        provider.kind = "bedrock"
        provider.region = region
        provider.baseURL = "https://bedrock-runtime.\(region).amazonaws.com"
        for key in ["aws_role_name", "aws_profile_name", "aws_web_identity_token"] {
            if let value = parameters[key] { note(value, "Bedrock takes an access key or an API key only") }
        }
        return provider
    }

    private mutating func named(_ text: String, _ tree: YAMLTree) -> ImportedProvider? {
        do throws(NameRefusal) {
            return ImportedProvider(name: try ProviderName(String(text.prefix(48))))
        } catch {
            note(tree, error.sentence)
            return nil
        }
    }

    private mutating func allowPlainHTTP(_ provider: inout ImportedProvider, _ address: YAMLTree) {
        guard let url = provider.baseURL, url.lowercased().utf8.starts(with: "http://".utf8),
            !["http://localhost", "http://127.", "http://[::1]"].contains(where: { url.hasPrefix($0) })
        else { return }
        provider.isPlainHTTP = true
        note(
            address,
            "plain HTTP to another machine, as it was: allow_plain_http and allow_private are set for "
                + "\(provider.name); take them away if that is not meant")
    }

    /// The host's first label, and the port where one is said: what tells providers apart.
    private static func hostLabel(of url: String) -> String {
        let rest = url.utf8.drop { $0 != UInt8(ascii: "/") }.drop { $0 == UInt8(ascii: "/") }
        let authority = String(decoding: rest.prefix { $0 != UInt8(ascii: "/") }, as: UTF8.self).lowercased()
        let parts = authority.split(separator: ":", maxSplits: 1)
        let host = parts.first.map(String.init) ?? ""
        let isNumber = host.utf8.allSatisfy { $0 < 0x3a }
        let label = isNumber ? host : host.split(separator: ".").first.map(String.init) ?? "own"
        return safe(label + (parts.count > 1 ? "-\(parts[1])" : "")).replacing(".", with: "-")
    }
}

extension ImportedProvider {
    /// Known providers elsewhere are there without an entry.
    var needsEntry: Bool { baseURL != nil || keyless }
}

public import Dialects
public import Domain

/// All kinds of providers that Gatehouse can call: one line each.
public enum ProviderList {
    public static let adapters: [any ProviderAdapter] = [
        OpenAIProvider(kind: .openai),
        OpenAIProvider(kind: .openaiCompatible),
        AnthropicProvider(),
        GeminiProvider(),
        BedrockProvider(),
        OpenAIProvider(kind: .azure),
    ]

    /// The providers that are known by name; the configuration may override each.
    public static let presets: [ProviderDefinition] = adapters.flatMap(\.presets)

    /// Those of them that need no entry in the configuration. A local server needs one: a gateway that nobody told so
    /// must not lead callers to whatever listens on this machine.
    public static let unasked: [ProviderDefinition] = presets.filter { !$0.keyless }

    /// The adapter of a kind; nil would mean a kind without its line above, which a test rules out.
    public static func adapter(for kind: ProviderKind) -> (any ProviderAdapter)? {
        adapters.first { $0.kind == kind }
    }

    /// Whether a kind's paths name the model; asked for every call.
    public static func namesModelInPath(_ kind: ProviderKind) -> Bool {
        adapter(for: kind)?.namesModelInPath ?? false
    }

    /// The format that calls are translated into for a kind.
    public static func chatFormat(of kind: ProviderKind) -> WireFormat? { adapter(for: kind)?.chatFormat }

    /// A definition from text that is known when the program is written; empty where that text is wrong, which a
    /// test rules out.
    static func preset(
        _ name: String, _ kind: ProviderKind, _ baseURL: String, keyless: Bool = false,
        quirks: ChatQuirks? = nil
    ) -> [ProviderDefinition] {
        guard let name = try? ProviderName(name), let base = try? BaseURL.parse(baseURL) else { return [] }
        return [
            ProviderDefinition(
                name: name, kind: kind, origin: base.origin, pathPrefix: base.pathPrefix, keyless: keyless,
                quirks: quirks)
        ]
    }
}

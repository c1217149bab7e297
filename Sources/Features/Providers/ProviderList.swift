package import Domain

/// All kinds of providers that Gatehouse can call: one line each.
package enum ProviderList {
    package static let adapters: [any ProviderAdapter] = [
        OpenAIProvider(kind: .openai),
        OpenAIProvider(kind: .openaiCompatible),
        AnthropicProvider(),
    ]

    /// The providers that need no entry in the configuration, which may override each by name.
    package static let presets: [ProviderDefinition] = adapters.flatMap(\.presets)

    /// The adapter of a kind; nil would mean a kind without its line above, which a test rules out.
    package static func adapter(for kind: ProviderKind) -> (any ProviderAdapter)? {
        adapters.first { $0.kind == kind }
    }

    /// A definition from text that is known when the program is written; empty where that text is wrong, which a
    /// test rules out.
    static func preset(
        _ name: String, _ kind: ProviderKind, _ baseURL: String, asksForUsage: Bool = true
    ) -> [ProviderDefinition] {
        guard let name = try? ProviderName(name), let base = try? BaseURL.parse(baseURL) else { return [] }
        return [
            ProviderDefinition(
                name: name, kind: kind, origin: base.origin, pathPrefix: base.pathPrefix,
                asksForUsage: asksForUsage)
        ]
    }
}

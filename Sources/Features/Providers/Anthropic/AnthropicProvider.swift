package import Dialects
package import Domain

/// Anthropic: its key in `x-api-key`, and a version header that it demands on every call.
///
/// After https://docs.anthropic.com/en/api/overview and /versioning (seen 2026-11-23).
package struct AnthropicProvider: ProviderAdapter {
    package init() {}

    package var kind: ProviderKind { .anthropic }
    package var authorization: Authorization { .own("x-api-key") }
    package var defaultHeaders: [ProviderHeader] { [ProviderHeader("anthropic-version", "2023-06-01")] }
    package var forwardedHeaders: [String] { ["anthropic-version", "anthropic-beta", "idempotency-key"] }
    package var chatFormat: WireFormat { .anthropicMessages }
    package var namesModelInPath: Bool { false }

    package var presets: [ProviderDefinition] {
        ProviderList.preset("anthropic", kind, "https://api.anthropic.com/v1")
    }

    package func verificationPath(at definition: ProviderDefinition) -> String? { "/models" }

    package func path(for call: WireCall, at definition: ProviderDefinition) -> String? {
        switch call.purpose {
        case .chat(.anthropicMessages): "/messages"
        case .countTokens: "/messages/count_tokens"
        case .chat, .embeddings, .models: nil
        }
    }
}

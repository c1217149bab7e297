public import Dialects
public import Domain

/// Anthropic: its key in `x-api-key`, and a version header that it demands on every call.
///
/// After https://docs.anthropic.com/en/api/overview and /versioning (seen 2026-11-23).
public struct AnthropicProvider: ProviderAdapter {
    public init() {}

    public var kind: ProviderKind { .anthropic }
    public var authorization: Authorization { .own("x-api-key") }
    public var defaultHeaders: [ProviderHeader] { [ProviderHeader("anthropic-version", "2023-06-01")] }
    public var forwardedHeaders: [String] { ["anthropic-version", "anthropic-beta", "idempotency-key"] }
    public var chatFormat: WireFormat { .anthropicMessages }
    public var namesModelInPath: Bool { false }

    public var presets: [ProviderDefinition] {
        ProviderList.preset("anthropic", kind, "https://api.anthropic.com/v1")
    }

    public func verificationPath(at definition: ProviderDefinition) -> String? { "/models" }

    public func path(for call: WireCall, at definition: ProviderDefinition) -> String? {
        switch call.purpose {
        case .chat(.anthropicMessages): "/messages"
        case .countTokens: "/messages/count_tokens"
        case .chat, .embeddings, .models: nil
        }
    }
}

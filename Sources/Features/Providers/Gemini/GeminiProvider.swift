public import Dialects
public import Domain

/// Google's Gemini API: the model in the path, the key in `x-goog-api-key`.
///
/// After https://ai.google.dev/api/generate-content and /api/embeddings (seen 2026-11-23). The key never goes into the
/// address (`?key=`), where logs on the way would keep it.
public struct GeminiProvider: ProviderAdapter {
    public init() {}

    public var kind: ProviderKind { .gemini }
    public var authorization: Authorization { .own("x-goog-api-key") }
    public var defaultHeaders: [ProviderHeader] { [] }
    public var forwardedHeaders: [String] { [] }
    public var chatFormat: WireFormat { .geminiContents }
    public var namesModelInPath: Bool { true }

    public var presets: [ProviderDefinition] {
        ProviderList.preset("gemini", kind, "https://generativelanguage.googleapis.com/v1beta")
    }

    public func verificationPath(at definition: ProviderDefinition) -> String? { "/models" }

    public func path(for call: WireCall, at definition: ProviderDefinition) -> String? {
        guard let model = call.model else { return nil }
        let base = "/models/\(model.text.percentEncoded())"
        switch call.purpose {
        case .chat(.geminiContents):
            return call.streamed ? "\(base):streamGenerateContent?alt=sse" : "\(base):generateContent"
        case .embeddings: return "\(base):batchEmbedContents"
        case .countTokens: return "\(base):countTokens"
        case .chat, .models: return nil
        }
    }
}

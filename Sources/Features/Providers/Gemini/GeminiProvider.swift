package import Dialects
package import Domain

/// Google's Gemini API: the model in the path, the key in `x-goog-api-key`.
///
/// After https://ai.google.dev/api/generate-content and /api/embeddings (seen 2026-11-23). The key never goes into the
/// address (`?key=`), where logs on the way would keep it.
package struct GeminiProvider: ProviderAdapter {
    package init() {}

    package var kind: ProviderKind { .gemini }
    package var authorization: Authorization { .own("x-goog-api-key") }
    package var defaultHeaders: [ProviderHeader] { [] }
    package var forwardedHeaders: [String] { [] }
    package var chatFormat: WireFormat { .geminiContents }
    package var namesModelInPath: Bool { true }

    package var presets: [ProviderDefinition] {
        ProviderList.preset("gemini", kind, "https://generativelanguage.googleapis.com/v1beta")
    }

    package func verificationPath(at definition: ProviderDefinition) -> String? { "/models" }

    package func path(for call: WireCall, at definition: ProviderDefinition) -> String? {
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

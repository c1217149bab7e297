package import Domain

/// OpenAI, and the many providers that speak its wire format.
///
/// Paths and headers after https://platform.openai.com/docs/api-reference (seen 2026-11-23). Compatible providers
/// get none of the caller's headers: some refuse what they do not know.
package struct OpenAIProvider: ProviderAdapter {
    package let kind: ProviderKind

    package init(kind: ProviderKind) { self.kind = kind }

    package var authorization: AuthorizationHeader { .bearer }
    package var defaultHeaders: [ProviderHeader] { [] }
    package var verificationPath: String { "/models" }

    package var forwardedHeaders: [String] {
        kind == .openai ? ["openai-beta", "idempotency-key"] : []
    }

    package func path(for dialect: Dialect) -> String? {
        switch dialect {
        case .openAIChat: "/chat/completions"
        case .openAIEmbeddings: "/embeddings"
        case .openAIModels: "/models"
        case .anthropicMessages: nil
        }
    }
}

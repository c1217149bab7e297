public import Dialects
public import Domain

/// OpenAI, Azure OpenAI, and the many providers that speak OpenAI's wire format.
///
/// Paths and headers after https://platform.openai.com/docs/api-reference and, for Azure,
/// https://learn.microsoft.com/azure/ai-foundry/openai/reference (seen 2026-11-23). Compatible providers get none of
/// the caller's headers: some refuse what they do not know.
public struct OpenAIProvider: ProviderAdapter {
    public let kind: ProviderKind

    public init(kind: ProviderKind) { self.kind = kind }

    public var authorization: Authorization { kind == .azure ? .ownOrToken("api-key") : .bearer }
    public var defaultHeaders: [ProviderHeader] { [] }
    public var chatFormat: WireFormat { .openAIChat }
    /// Azure's addresses by deployment hold it; its v1 addresses are few enough to be treated alike.
    public var namesModelInPath: Bool { kind == .azure }

    public var forwardedHeaders: [String] {
        kind == .openai ? ["openai-beta", "idempotency-key"] : []
    }

    public func verificationPath(at definition: ProviderDefinition) -> String? {
        definition.apiVersion.map { "/models?api-version=\($0)" } ?? "/models"
    }

    public func path(for call: WireCall, at definition: ProviderDefinition) -> String? {
        let path: String
        switch call.purpose {
        case .chat(.openAIChat): path = "/chat/completions"
        case .chat(.openAIResponses) where kind != .openaiCompatible: path = "/responses"
        case .embeddings: path = "/embeddings"
        case .models: return verificationPath(at: definition)
        case .chat, .countTokens: return nil
        }
        guard let version = definition.apiVersion else { return path }
        // Azure: the deployment takes the place of the model; the responses API has no address by deployment.
        if case .chat(.openAIResponses) = call.purpose { return "\(path)?api-version=\(version)" }
        guard let model = call.model else { return nil }
        return "/deployments/\(model.text.percentEncoded())\(path)?api-version=\(version)"
    }
}

extension String {
    /// With everything but RFC 3986's unreserved characters percent-encoded: for one segment of a path, or for a whole
    /// path with its slashes.
    func percentEncoded(keepsSlash: Bool = false) -> String {
        var out = ""
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                out.unicodeScalars.append(UnicodeScalar(byte))
            case UInt8(ascii: "/") where keepsSlash: out += "/"
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                out += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return out
    }
}

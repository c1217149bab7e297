/// Which protocol a provider speaks, and so which adapter serves it.
public enum ProviderKind: String, Sendable, Codable, CaseIterable {
    case openai
    case openaiCompatible = "openai-compatible"
    case anthropic
    case gemini
    case bedrock
    case azure
}

/// Scheme, host and port of an upstream: what a connection, a certificate and a provider key are bound to.
///
/// Compared as bytes: the host is lower-case ASCII.
public struct Origin: Hashable, Sendable, Codable, CustomStringConvertible {
    public let secure: Bool
    public let host: String
    public let port: Int

    public init(secure: Bool, host: String, port: Int) {
        self.secure = secure
        self.host = host
        self.port = port
    }

    public var description: String { "\(secure ? "https" : "http")://\(bracketedHost):\(port)" }

    /// The value of the `host` header (RFC 9110 section 7.2): the port only where it is not the scheme's own.
    public var authority: String {
        port == (secure ? 443 : 80) ? bracketedHost : "\(bracketedHost):\(port)"
    }

    private var bracketedHost: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host }

    /// Whether the host is this machine by its own name or address: the only place plain HTTP may go unasked.
    public var isLoopback: Bool {
        host == "localhost" || host == "::1"
            || (host.hasPrefix("127.")
                && host.utf8.allSatisfy { byte in
                    byte == UInt8(ascii: ".") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                })
    }
}

/// A provider as the configuration describes it.
public struct ProviderDefinition: Hashable, Sendable, Codable {
    public let name: ProviderName
    public let kind: ProviderKind
    public let origin: Origin
    /// What stands before `/chat/completions` and its like; begins with `/`, does not end with one; may be empty.
    public let pathPrefix: String
    /// Whether calls may go out without any key (a local vLLM or Ollama).
    public let keyless: Bool
    /// Whether a key may go to it over plain HTTP though it is on another machine: allowed by name only.
    public let allowsPlainHTTP: Bool
    /// In what its chat completions differ from OpenAI's; of no meaning for kinds that speak another format.
    public let quirks: ChatQuirks
    /// Azure's `api-version`, for its addresses by deployment; nil = its v1 addresses, which have none.
    public let apiVersion: String?
    /// Where it works: what Bedrock's signatures name, and what a route's `regions` are compared with.
    public let region: String?
    /// How long it keeps what it is sent, in the operator's own word (`none`, `30d`): for a route's `retention`.
    public let retention: String?

    public init(
        name: ProviderName, kind: ProviderKind, origin: Origin, pathPrefix: String, keyless: Bool = false,
        allowsPlainHTTP: Bool = false, quirks: ChatQuirks? = nil, apiVersion: String? = nil,
        region: String? = nil, retention: String? = nil
    ) {
        self.name = name
        self.kind = kind
        self.origin = origin
        self.pathPrefix = pathPrefix
        self.keyless = keyless
        self.allowsPlainHTTP = allowsPlainHTTP
        self.quirks = quirks ?? (kind == .openaiCompatible ? .compatible : .openAI)
        self.apiVersion = apiVersion
        self.region = region
        self.retention = retention
    }

    /// Whether streams are asked for their usage: some providers send it unasked and refuse the question.
    public var asksForUsage: Bool { quirks.asksForUsage }
}

/// Who speaks which wire format to us.
public enum Dialect: String, Sendable, Codable, CaseIterable {
    case openAIChat = "openai-chat"
    case openAIResponses = "openai-responses"
    case openAIEmbeddings = "openai-embeddings"
    case openAIModels = "openai-models"
    case anthropicMessages = "anthropic-messages"
    case anthropicCountTokens = "anthropic-count-tokens"

    /// How a call reaches a provider.
    public enum Passage: Sendable {
        /// Byte for byte, but for the fields the gateway owns.
        case asItIs
        /// Said anew in the provider's format, and the answer in the caller's.
        case translated
    }

    /// How a call of this format reaches a provider of a kind; nil where it cannot.
    public func passage(to kind: ProviderKind) -> Passage? {
        switch self {
        case .openAIChat:
            switch kind {
            case .openai, .openaiCompatible, .azure: .asItIs
            case .anthropic, .gemini, .bedrock: .translated
            }
        case .openAIResponses:
            switch kind {
            case .openai, .azure: .asItIs
            case .openaiCompatible, .anthropic, .gemini, .bedrock: .translated
            }
        case .openAIEmbeddings:
            switch kind {
            case .openai, .openaiCompatible, .azure: .asItIs
            case .gemini: .translated
            case .anthropic, .bedrock: nil
            }
        case .openAIModels: kind == .openai || kind == .openaiCompatible ? .asItIs : nil
        case .anthropicMessages: kind == .anthropic ? .asItIs : .translated
        case .anthropicCountTokens:
            switch kind {
            case .anthropic: .asItIs
            case .gemini: .translated
            case .openai, .openaiCompatible, .azure, .bedrock: nil
            }
        }
    }

    /// Whether failures are told in Anthropic's words; else in OpenAI's.
    public var isAnthropic: Bool { self == .anthropicMessages || self == .anthropicCountTokens }
    /// Whether an answer may come as a stream.
    public var canStream: Bool {
        self == .openAIChat || self == .openAIResponses || self == .anthropicMessages
    }
}

public import Dialects
public import Domain

/// What one kind of provider wants on the wire: paths, the header its key stands in, and which headers go along.
///
/// An adapter is data and pure functions; connections, secrets and retries are none of its business, and what stands
/// in a body is the business of `Dialects`. To add a kind: one folder with one conforming type, one line in
/// `ProviderList`, and a line in `Dialect.passage`.
public protocol ProviderAdapter: Sendable {
    var kind: ProviderKind { get }
    /// Providers of this kind that need no entry in the configuration.
    var presets: [ProviderDefinition] { get }
    /// How a provider key goes along.
    var authorization: Authorization { get }
    /// Headers sent with this value unless the caller sent that header himself and it is forwarded.
    var defaultHeaders: [ProviderHeader] { get }
    /// The caller's headers that go on to the provider: lower-case names. Everything else stays here, above all
    /// whatever the caller proved himself with.
    var forwardedHeaders: [String] { get }
    /// The format in which calls of other formats are said anew for this kind.
    var chatFormat: WireFormat { get }
    /// Whether the model stands in the path, so that each has an endpoint of its own.
    var namesModelInPath: Bool { get }
    /// What follows the path prefix of the definition, or nil where this kind has no such call.
    func path(for call: WireCall, at definition: ProviderDefinition) -> String?
    /// What a free call that shows whether a key works asks for, after the path prefix; it is a GET. nil where the
    /// kind has no such call.
    func verificationPath(at definition: ProviderDefinition) -> String?
}

extension ProviderAdapter {
    /// What the `accept` header says: event streams of either framing.
    var accepts: String {
        chatFormat == .bedrockConverse
            ? "application/json, application/vnd.amazon.eventstream" : "application/json, text/event-stream"
    }
}

/// One kind of call as a provider sees it.
public struct WireCall: Hashable, Sendable {
    /// What is asked for.
    public enum Purpose: Hashable, Sendable {
        case chat(WireFormat)
        case embeddings
        case countTokens
        case models
    }

    public let purpose: Purpose
    public let model: ModelName?
    public let streamed: Bool

    /// - Parameter model: in the provider's words; needed where ``ProviderAdapter/namesModelInPath``.
    public init(_ purpose: Purpose, model: ModelName? = nil, streamed: Bool = false) {
        self.purpose = purpose
        self.model = model
        self.streamed = streamed
    }

    /// The call that a caller's call becomes at a kind of provider; nil where it cannot go there.
    public init?(
        _ dialect: Dialect, to adapter: any ProviderAdapter, model: ModelName?, streamed: Bool
    ) {
        guard let passage = dialect.passage(to: adapter.kind) else { return nil }
        let named = adapter.namesModelInPath ? model : nil
        let format: WireFormat
        switch dialect {
        case .openAIEmbeddings:
            self.init(.embeddings, model: named)
            return
        case .openAIModels:
            self.init(.models)
            return
        case .anthropicCountTokens:
            self.init(.countTokens, model: named)
            return
        case .openAIChat: format = .openAIChat
        case .openAIResponses: format = .openAIResponses
        case .anthropicMessages: format = .anthropicMessages
        }
        self.init(
            .chat(passage == .asItIs ? format : adapter.chatFormat), model: named,
            streamed: adapter.namesModelInPath && streamed)
    }
}

/// A header of a fixed value.
public struct ProviderHeader: Hashable, Sendable {
    /// Lower case.
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// How a provider key goes along with a request.
public enum Authorization: Hashable, Sendable {
    /// `authorization: Bearer KEY` (RFC 6750 section 2.1).
    case bearer
    /// A header of its own, named in lower case, holding the key alone.
    case own(String)
    /// A header of its own for a key; an identity service's token (RFC 7519) goes as a bearer.
    case ownOrToken(String)
    /// An AWS access key signs the request; a Bedrock API key goes as a bearer.
    case aws

    /// The name of the header it stands in.
    public var header: String {
        switch self {
        case .bearer, .aws: "authorization"
        case .own(let name), .ownOrToken(let name): name
        }
    }

    /// What stands in the head before the key's bytes, where the key itself goes along.
    var bytesBeforeKey: [UInt8] {
        switch self {
        case .bearer, .aws: Array("authorization: Bearer ".utf8)
        case .own(let name), .ownOrToken(let name): Array("\(name): ".utf8)
        }
    }

    /// The same before an identity service's token; nil where a provider knows no difference.
    var bytesBeforeToken: [UInt8]? {
        if case .ownOrToken = self { return Self.bearer.bytesBeforeKey }
        return nil
    }
}

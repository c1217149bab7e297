public import Domain
internal import NIOCore

/// Where one kind of call to one provider is served, with everything that can be written ahead of any request.
///
/// Made once when the configuration is read. `host`, path and fixed headers come from the configuration alone,
/// never from a request.
public final class UpstreamEndpoint: Sendable {
    public let provider: ProviderName
    public let origin: Origin
    let keyless: Bool
    /// Whether a key may be sent: over TLS, to this machine, or where an operator allowed plain HTTP.
    let takesKeys: Bool
    let isPost: Bool
    /// Request line and the headers that are the same every time, each with its line end.
    let fixedBytes: [UInt8]
    /// The authorization header up to the key.
    let authorizationBytes: [UInt8]
    /// In place of those before an identity service's token, where that makes a difference.
    let tokenBytes: [UInt8]?
    /// Whether requests are signed with an AWS access key, for which region, and over which form of the path.
    let signs: Bool
    let region: String?
    /// The service of AWS that signatures name, and the headers in `fixedBytes` that are signed besides `host`.
    let service: String
    let signedHeaders: [ProviderHeader]
    let canonicalPath: String
    let forwarded: [String]
    let defaults: [DefaultHeader]

    /// A header that the caller may replace.
    struct DefaultHeader: Sendable {
        let name: String
        let line: [UInt8]
    }

    /// The endpoint for a caller's calls of a dialect; refuses one that cannot reach the provider.
    ///
    /// - Parameter model: needed where the adapter names it in the path, and ignored elsewhere; so is `streamed`.
    public convenience init(
        _ definition: ProviderDefinition, dialect: Dialect, model: ModelName? = nil, streamed: Bool = false
    ) throws(ProviderRefusal) {
        let adapter = try Self.adapter(of: definition)
        guard let call = WireCall(dialect, to: adapter, model: model, streamed: streamed),
            let path = adapter.path(for: call, at: definition)
        else {
            throw ProviderRefusal("provider \(definition.name) does not serve \(dialect.rawValue)")
        }
        try self.init(definition, adapter: adapter, isPost: dialect != .openAIModels, path: path)
    }

    /// The endpoint for finding out whether a provider key works, or, without one, whether anybody answers.
    public static func verification(
        of definition: ProviderDefinition, withoutKey: Bool = false
    ) throws(ProviderRefusal) -> UpstreamEndpoint {
        let adapter = try adapter(of: definition)
        guard let path = adapter.verificationPath(at: definition) else {
            throw ProviderRefusal("providers of kind \(definition.kind.rawValue) have no free call for that")
        }
        return try UpstreamEndpoint(
            definition, adapter: adapter, isPost: false, path: path, withoutKey: withoutKey)
    }

    private static func adapter(
        of definition: ProviderDefinition
    ) throws(ProviderRefusal) -> any ProviderAdapter {
        guard let adapter = ProviderList.adapter(for: definition.kind) else {
            throw ProviderRefusal("no adapter serves providers of kind \(definition.kind.rawValue)")
        }
        return adapter
    }

    private init(
        _ definition: ProviderDefinition, adapter: any ProviderAdapter, isPost: Bool, path: String,
        withoutKey: Bool = false
    ) throws(ProviderRefusal) {
        provider = definition.name
        origin = definition.origin
        keyless = definition.keyless || withoutKey
        takesKeys = origin.secure || origin.isLoopback || definition.allowsPlainHTTP
        self.isPost = isPost
        signs = adapter.authorization == .aws
        region = definition.region
        service = "bedrock"
        signedHeaders = [ProviderHeader("content-type", "application/json")]
        canonicalPath = signs ? (definition.pathPrefix + path).percentEncoded(keepsSlash: true) : ""
        authorizationBytes = adapter.authorization.bytesBeforeKey
        tokenBytes = adapter.authorization.bytesBeforeToken
        forwarded = adapter.forwardedHeaders
        defaults = adapter.defaultHeaders.map { header in
            DefaultHeader(name: header.name, line: Array("\(header.name): \(header.value)\r\n".utf8))
        }
        let target = definition.pathPrefix + path
        guard target.utf8.first == UInt8(ascii: "/"), target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
            definition.origin.authority.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else {
            throw ProviderRefusal("provider \(definition.name): host and path may hold visible ASCII only")
        }
        // No content coding is asked for: usage is read from the bytes as they pass.
        var head = """
            \(isPost ? "POST" : "GET") \(target) HTTP/1.1\r
            host: \(definition.origin.authority)\r
            user-agent: gatehouse\r
            accept: \(adapter.accepts)\r
            accept-encoding: identity\r\n
            """
        if isPost { head += "content-type: application/json\r\n" }
        fixedBytes = Array(head.utf8)
    }

    /// A call of AWS's JSON protocol 1.1 (Smithy, "AWS JSON 1.1 protocol"), signed with an access key.
    ///
    /// - Parameter operation: such as `TrentService.Decrypt`; letters, digits and dots.
    public init(
        aws service: String, operation: String, region: String, at base: BaseURL
    ) throws(ProviderRefusal) {
        guard let provider = try? ProviderName(service) else {
            throw ProviderRefusal("\(service) is no service of AWS")
        }
        self.provider = provider
        self.service = service
        self.region = region
        origin = base.origin
        keyless = false
        takesKeys = origin.secure || origin.isLoopback
        isPost = true
        signs = true
        canonicalPath = base.pathPrefix.isEmpty ? "/" : base.pathPrefix
        authorizationBytes = []
        tokenBytes = nil
        forwarded = []
        defaults = []
        signedHeaders = [
            ProviderHeader("content-type", "application/x-amz-json-1.1"),
            ProviderHeader("x-amz-target", operation),
        ]
        var head = """
            POST \(canonicalPath) HTTP/1.1\r
            host: \(base.origin.authority)\r
            user-agent: gatehouse\r
            accept-encoding: identity\r\n
            """
        for header in signedHeaders { head += "\(header.name): \(header.value)\r\n" }
        fixedBytes = Array(head.utf8)
    }
}

package import Domain
internal import NIOCore

/// Where one dialect of one provider is served, with everything that can be written ahead of any request.
///
/// Made once when the configuration is read. `host`, path and fixed headers come from the configuration alone,
/// never from a request.
package final class UpstreamEndpoint: Sendable {
    package let provider: ProviderName
    package let origin: Origin
    let keyless: Bool
    let allowsPlainHTTP: Bool
    let isPost: Bool
    /// Request line and the headers that are the same every time, each with its line end.
    let fixedBytes: [UInt8]
    /// The authorization header up to the key.
    let authorizationBytes: [UInt8]
    let forwarded: [String]
    let defaults: [DefaultHeader]

    /// A header that the caller may replace.
    struct DefaultHeader: Sendable {
        let name: String
        let line: [UInt8]
    }

    /// The endpoint for calls of a dialect; refuses a dialect that the provider does not speak.
    package convenience init(_ definition: ProviderDefinition, dialect: Dialect) throws(ProviderRefusal) {
        let adapter = try Self.adapter(of: definition)
        guard let path = adapter.path(for: dialect) else {
            throw ProviderRefusal("provider \(definition.name) does not speak \(dialect.rawValue)")
        }
        try self.init(definition, adapter: adapter, isPost: dialect != .openAIModels, path: path)
    }

    /// The endpoint for finding out whether a provider key works.
    package static func verification(
        of definition: ProviderDefinition
    ) throws(ProviderRefusal) -> UpstreamEndpoint {
        let adapter = try adapter(of: definition)
        return try UpstreamEndpoint(
            definition, adapter: adapter, isPost: false, path: adapter.verificationPath)
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
        _ definition: ProviderDefinition, adapter: any ProviderAdapter, isPost: Bool, path: String
    ) throws(ProviderRefusal) {
        provider = definition.name
        origin = definition.origin
        keyless = definition.keyless
        allowsPlainHTTP = definition.allowsPlainHTTP
        self.isPost = isPost
        authorizationBytes = adapter.authorization.bytesBeforeKey
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
            accept: application/json, text/event-stream\r
            accept-encoding: identity\r\n
            """
        if isPost { head += "content-type: application/json\r\n" }
        fixedBytes = Array(head.utf8)
    }
}

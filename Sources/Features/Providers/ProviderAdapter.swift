package import Domain

/// What one kind of provider wants on the wire: paths, the header its key stands in, and which headers go along.
///
/// An adapter is data and pure functions; connections, secrets and retries are none of its business. To add a kind:
/// one folder with one conforming type, one line in `ProviderList`.
package protocol ProviderAdapter: Sendable {
    var kind: ProviderKind { get }
    /// Providers of this kind that need no entry in the configuration.
    var presets: [ProviderDefinition] { get }
    /// Which header carries the provider key.
    var authorization: AuthorizationHeader { get }
    /// Headers sent with this value unless the caller sent that header himself and it is forwarded.
    var defaultHeaders: [ProviderHeader] { get }
    /// The caller's headers that go on to the provider: lower-case names. Everything else stays here, above all
    /// whatever the caller proved himself with.
    var forwardedHeaders: [String] { get }
    /// What follows the path prefix of the definition, or nil where this kind does not speak the dialect.
    func path(for dialect: Dialect) -> String?
    /// What a free call that shows whether a key works asks for, after the path prefix; it is a GET.
    var verificationPath: String { get }
}

/// A header of a fixed value.
package struct ProviderHeader: Hashable, Sendable {
    /// Lower case.
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// Where a provider key stands in a request's head.
package enum AuthorizationHeader: Hashable, Sendable {
    /// `authorization: Bearer KEY` (RFC 6750 section 2.1).
    case bearer
    /// A header of its own, named in lower case, holding the key alone.
    case own(String)

    /// The header's name.
    package var name: String {
        switch self {
        case .bearer: "authorization"
        case .own(let name): name
        }
    }

    /// What stands in the head before the key's bytes.
    var bytesBeforeKey: [UInt8] {
        switch self {
        case .bearer: Array("authorization: Bearer ".utf8)
        case .own(let name): Array("\(name): ".utf8)
        }
    }
}

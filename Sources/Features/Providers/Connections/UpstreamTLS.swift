internal import NIOSSL

/// How providers' certificates are checked: full verification, TLS 1.2 at least (RFC 9325 section 3.1.1).
///
/// Loading the trust roots takes milliseconds and megabytes: make one and give it to the pools of all event loops.
public struct UpstreamTLS: Sendable {
    /// Whom to trust.
    public enum TrustRoots: Hashable, Sendable {
        case system
        /// A PEM file of certificate authorities, instead of the system's; for private providers.
        case file(String)
    }

    let context: NIOSSLContext

    /// Refuses a file that cannot be read or holds no certificate.
    public init(trust: TrustRoots = .system) throws(ProviderRefusal) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .fullVerification
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        do {
            if case .file(let path) = trust {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(path))
            }
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw ProviderRefusal(
                "the trust roots for providers cannot be loaded (\(trust)): give a PEM file of certificates")
        }
    }
}

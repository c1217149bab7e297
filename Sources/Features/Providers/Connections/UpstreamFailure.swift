public import Domain

/// Why an exchange with a provider ended without a complete response.
public enum UpstreamFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which of the bounds on time ran out.
    public enum Timeout: String, Hashable, Sendable {
        case connect
        case firstByte = "first byte"
        case idle
        case total
    }

    /// How far the response had come.
    public enum Progress: Hashable, Sendable {
        case beforeHead
        case beforeContent
        case afterContent
    }

    /// The name has no address.
    case unknownHost
    /// Every address of the host is one that `AddressRule` closes.
    case addressRefused
    /// Nobody listens there, or the way is blocked.
    case connectRefused
    /// The handshake failed: certificate, name, version.
    case tls
    /// The connection broke.
    case reset
    case timeout(Timeout)
    /// What came is not HTTP/1.1 as it should be.
    case malformed
    /// This gateway has as many connections open as it may; nothing was sent.
    case overloaded
    /// The pool is shutting down; nothing was sent.
    case shuttingDown

    /// The row of the failure table, or nil where the fault is not the provider's: the gateway is full or stopping.
    public func failureClass(at progress: Progress) -> FailureClass? {
        switch (self, progress) {
        case (.overloaded, _), (.shuttingDown, _): nil
        case (_, .beforeContent): .brokeBeforeContent
        case (_, .afterContent): .brokeAfterContent
        case (.timeout, .beforeHead): .timeoutBeforeFirstByte
        case (_, .beforeHead): .transport
        }
    }

    /// A phrase for people, without host, address or anything a provider said.
    public var description: String {
        switch self {
        case .unknownHost: "the provider's host name has no address"
        case .addressRefused: "the provider's host leads to an address that is closed to it"
        case .connectRefused: "the provider refused the connection"
        case .tls: "the TLS handshake with the provider failed"
        case .reset: "the connection to the provider broke"
        case .timeout(let which): "the \(which.rawValue) timeout for the provider ran out"
        case .malformed: "the provider's response is not well-formed HTTP"
        case .overloaded: "no more connections to providers may be opened now"
        case .shuttingDown: "the gateway is shutting down"
        }
    }
}

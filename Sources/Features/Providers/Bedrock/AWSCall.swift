public import Cipher
public import Domain
public import NIOCore
internal import NIOHTTP1

/// One signed call to a service of AWS, for what is no call of a tenant: over a connection of its own, bounded in time
/// and size.
public struct AWSCall: Sendable {
    /// What came back.
    public enum Answer: Sendable {
        /// The body may hold secrets: whoever has read it overwrites it.
        case response(status: Int, body: ByteBuffer)
        case failure(UpstreamFailure)
        /// The call could not be written; the text says why.
        case unsent(String)
    }

    /// Answers of the services that are called here have some kilobytes at most.
    private static let bodyMost = 64 * 1_024

    private let loop: any EventLoop
    private let options: UpstreamOptions
    private let tls: UpstreamTLS

    public init(on loop: any EventLoop, options: UpstreamOptions, tls: UpstreamTLS) {
        self.loop = loop
        self.options = options
        self.tls = tls
    }

    /// - Parameter credential: `ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]`, see ``AWSCredentialText``.
    public func send(
        _ body: [UInt8], to endpoint: UpstreamEndpoint, credential: borrowing SecretBytes, at time: WallTime
    ) async -> Answer {
        let outgoing: OutgoingRequest
        do throws(ProviderRefusal) {
            outgoing = try credential.withBytes { (lent) throws(ProviderRefusal) in
                try OutgoingRequest(
                    to: endpoint, body: ByteBuffer(bytes: body), callerHeaders: nil, lent: lent, time: time,
                    room: ByteBuffer())
            }
        } catch {
            return .unsent("\(error)")
        }
        let (loop, options, tls) = (loop, options, tls)
        return await withCheckedContinuation { continuation in
            loop.execute {
                let pool = UpstreamPool(loop: loop, options: options, tls: tls)
                let listener = AWSListener(pool, continuation, bodyMost: Self.bodyMost)
                _ = pool.sendAlone(outgoing, delegate: listener, timeouts: options.timeouts)
            }
        }
    }
}

/// Collects a bounded answer, and gives the pool up with it.
private final class AWSListener: UpstreamDelegate {
    private let pool: UpstreamPool
    private let continuation: CheckedContinuation<AWSCall.Answer, Never>
    private let bodyMost: Int
    private var status = 0
    private var body = ByteBuffer()

    init(
        _ pool: UpstreamPool, _ continuation: CheckedContinuation<AWSCall.Answer, Never>, bodyMost: Int
    ) {
        self.pool = pool
        self.continuation = continuation
        self.bodyMost = bodyMost
        body.reserveCapacity(8_192)
    }

    func upstreamHead(status: Int, headers: HTTPHeaders) { self.status = status }

    func upstreamBody(_ piece: ByteBuffer) {
        body.writeBytes(piece.readableBytesView.prefix(bodyMost - body.readableBytes))
    }

    func upstreamEnd() { finish(.response(status: status, body: body)) }
    func upstreamFailed(_ failure: UpstreamFailure) { finish(.failure(failure)) }

    private func finish(_ answer: AWSCall.Answer) {
        continuation.resume(returning: answer)
        pool.shutdown()
    }
}

import Cipher
import Domain
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import Providers

/// How an exchange went.
struct Outcome: Sendable {
    var status = 0
    var headers = HTTPHeaders()
    var body = ""
    var bytes: [UInt8] = []
    var pieces = 0
    var failure: UpstreamFailure?
    /// Calls of `upstreamEnd` and `upstreamFailed`.
    var endings = 0
}

/// Records what a delegate is told.
final class Recorder: UpstreamDelegate {
    var outcome = Outcome()
    var onHead: () -> Void = {}
    var onBody: (ByteBuffer) -> Void = { _ in }
    var onEnding: (Outcome) -> Void = { _ in }

    func upstreamHead(status: Int, headers: HTTPHeaders) {
        outcome.status = status
        outcome.headers = headers
        onHead()
    }

    func upstreamBody(_ piece: ByteBuffer) {
        outcome.body += String(buffer: piece)
        outcome.bytes += piece.readableBytesView
        outcome.pieces += 1
        onBody(piece)
    }

    func upstreamEnd() { finish(nil) }
    func upstreamFailed(_ failure: UpstreamFailure) { finish(failure) }

    private func finish(_ failure: UpstreamFailure?) {
        outcome.failure = failure
        outcome.endings += 1
        onEnding(outcome)
    }
}

/// A pool on a loop of its own, called from tests.
struct Caller: Sendable {
    let loop: any EventLoop
    let pool: NIOLoopBound<UpstreamPool>

    init(_ options: UpstreamOptions = .patient, tls: UpstreamTLS? = nil) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let tls = try tls ?? UpstreamTLS()
        self.loop = loop
        pool = try await loop.submit {
            NIOLoopBound(UpstreamPool(loop: loop, options: options, tls: tls), eventLoop: loop)
        }.get()
    }

    func send(
        _ endpoint: UpstreamEndpoint, tenant: TenantID = .init(high: 1, low: 1), key: ProviderKeyID? = nil,
        secret: String? = "sk-test", headers: HTTPHeaders? = nil, body: String = "{}",
        timeouts: UpstreamTimeouts? = nil
    ) async throws -> Outcome {
        try await onLoop { pool, promise in
            let recorder = Recorder()
            recorder.onEnding = { promise.succeed($0) }
            let request = UpstreamRequest(
                endpoint: endpoint, tenant: tenant, key: key, callerHeaders: headers,
                body: ByteBuffer(string: body))
            _ = try sendWith(secret) { (secret: borrowing SecretBytes?) throws(ProviderRefusal) in
                try pool.send(request, secret: secret, delegate: recorder, timeouts: timeouts)
            }
        }
    }

    /// Runs something with the pool on its loop, and waits for the promise.
    func onLoop<Value: Sendable>(
        _ body: @escaping @Sendable (UpstreamPool, EventLoopPromise<Value>) throws -> Void
    ) async throws -> Value {
        let promise = loop.makePromise(of: Value.self)
        loop.execute {
            do { try body(pool.value, promise) } catch { promise.fail(error) }
        }
        return try await promise.futureResult.get()
    }

    func counts() async throws -> UpstreamPool.Counts {
        try await onLoop { pool, promise in promise.succeed(pool.counts) }
    }
}

/// The secure heap, started once; a test machine may not lock memory.
private let secureHeap: Void = { try? SecureHeap.start(allowUnlocked: true) }()

/// A secret made from text.
func secretBytes(_ text: String) throws -> SecretBytes {
    _ = secureHeap
    let bytes = Array(text.utf8)
    return try SecretBytes(count: bytes.count) { $0.copyBytes(from: bytes) }
}

/// Lends a secret made from text, or none.
func sendWith<Value>(
    _ text: String?, _ body: (borrowing SecretBytes?) throws(ProviderRefusal) -> Value
) throws -> Value {
    guard let text else { return try body(nil) }
    let secret: SecretBytes? = try secretBytes(text)
    return try body(secret)
}

/// A provider of a kind on loopback.
func definition(
    port: Int, kind: ProviderKind = .openai, secure: Bool = false, host: String = "127.0.0.1",
    keyless: Bool = false
) throws -> ProviderDefinition {
    ProviderDefinition(
        name: try ProviderName("local"), kind: kind, origin: Origin(secure: secure, host: host, port: port),
        pathPrefix: "/v1", keyless: keyless)
}

extension UpstreamOptions {
    /// The defaults, but what a test left lying is still there when a loaded machine comes back to it.
    static var patient: UpstreamOptions {
        var options = UpstreamOptions()
        options.keepIdle = .seconds(3_600)
        return options
    }
}

func chat(port: Int) throws -> UpstreamEndpoint {
    try UpstreamEndpoint(definition(port: port), dialect: .openAIChat)
}

public import Cipher
public import Domain
public import NIOCore
internal import NIOHTTP1

/// Finds out whether a provider key works, by the free call that the provider's adapter names.
///
/// Goes over a connection of its own, so that a key under test shares nothing with keys in use. Bounded by
/// `timeouts`; not cancelled with its task.
public struct KeyProbe: Sendable {
    /// What the call showed.
    public enum Verdict: Hashable, Sendable {
        /// The provider answered as it does to a good key.
        case verified
        /// The provider says that this key is not valid.
        case refused(String)
        /// It cannot be told: no answer, a limit, a missing permission. The key is left as it is.
        case unknown(String)
    }

    /// Somebody waits at a prompt: shorter than for calls.
    public static let timeouts = UpstreamTimeouts(
        connect: .seconds(5), firstByte: .seconds(15), idle: .seconds(5), total: .seconds(20))

    private let pool: NIOLoopBound<UpstreamPool>

    public init(pool: NIOLoopBound<UpstreamPool>) { self.pool = pool }

    /// Asks the provider with the lent secret; nil only for a provider that needs none.
    public func verify(_ definition: ProviderDefinition, secret: borrowing SecretBytes?) async -> Verdict {
        switch secret {
        case .none: await verify(definition, lent: nil)
        case .some(let secret): await verify(definition, secret: secret)
        }
    }

    /// The same for a secret that is itself lent.
    public func verify(_ definition: ProviderDefinition, secret: borrowing SecretBytes) async -> Verdict {
        let outgoing = secret.withBytes { Self.request(to: definition, lent: $0) }
        return await ask(definition, outgoing)
    }

    private func verify(_ definition: ProviderDefinition, lent: UnsafeRawBufferPointer?) async -> Verdict {
        await ask(definition, Self.request(to: definition, lent: lent))
    }

    private static func request(
        to definition: ProviderDefinition, lent: UnsafeRawBufferPointer?
    ) -> Result<OutgoingRequest, ProviderRefusal> {
        Result { () throws(ProviderRefusal) in
            try OutgoingRequest(
                to: UpstreamEndpoint.verification(of: definition), body: ByteBuffer(), callerHeaders: nil,
                lent: lent,
                room: ByteBuffer())
        }
    }

    private func ask(
        _ definition: ProviderDefinition, _ request: Result<OutgoingRequest, ProviderRefusal>
    ) async -> Verdict {
        let outgoing: OutgoingRequest
        switch request {
        case .success(let made): outgoing = made
        case .failure(let refusal): return .unknown("not asked: \(refusal)")
        }
        let pool = pool
        let answer = await withCheckedContinuation { continuation in
            pool.eventLoop.execute {
                let listener = ProbeListener(continuation)
                _ = pool.value.sendAlone(outgoing, delegate: listener, timeouts: Self.timeouts)
            }
        }
        return Self.verdict(answer, from: definition)
    }

    static func verdict(_ answer: ProbeAnswer, from definition: ProviderDefinition) -> Verdict {
        let name = definition.name
        switch answer {
        case .failure(let failure): return .unknown("\(name) did not answer: \(failure)")
        case .response(let status, _) where (200..<300).contains(status): return .verified
        case .response(let status, let body):
            guard (400..<600).contains(status) else {
                return .unknown("\(name) answered with status \(status), which says nothing about the key")
            }
            let adapter = ProviderList.adapter(for: definition.kind)
            switch adapter?.failureClass(status: status, body: body) {
            case .badKey:
                return .refused(
                    "\(name) does not accept this key (status \(status)): check it, or add another")
            case .notPermitted:
                return .unknown(
                    "\(name) knows this key but does not let it list models (status \(status)): it may still serve calls"
                )
            case .keyRateLimit: return .unknown("\(name) limits this key's rate now: try again later")
            case .keyQuota:
                return .unknown("\(name) says that this key's account has no quota or credit left")
            default: return .unknown("\(name) answered with status \(status): the key could not be verified")
            }
        }
    }
}

/// What came back to a probe.
enum ProbeAnswer: Sendable {
    case response(status: Int, body: ByteBuffer)
    case failure(UpstreamFailure)
}

/// Collects a bounded response for a probe.
private final class ProbeListener: UpstreamDelegate {
    private let continuation: CheckedContinuation<ProbeAnswer, Never>
    private var status = 0
    private var body = ByteBuffer()

    /// An error needs a hundredth of this; a list of models that is longer need not be read whole.
    private static let bodyMax = 64 * 1024

    init(_ continuation: CheckedContinuation<ProbeAnswer, Never>) { self.continuation = continuation }

    func upstreamHead(status: Int, headers: HTTPHeaders) { self.status = status }

    func upstreamBody(_ piece: ByteBuffer) {
        let room = Self.bodyMax - body.readableBytes
        body.writeBytes(piece.readableBytesView.prefix(room))
    }

    func upstreamEnd() {
        continuation.resume(returning: .response(status: status, body: body))
    }

    func upstreamFailed(_ failure: UpstreamFailure) { continuation.resume(returning: .failure(failure)) }
}

public import Domain
public import NIOCore
internal import NIOHTTP1

/// Finds out whether a provider can be reached at all: its free verification call, without any key.
///
/// A refusal is an answer. Each goes over a connection of its own, so that name, address, TLS and server are all tried;
/// it is closed after the head, so that nobody's long list of models comes along. Bounded by `timeouts`, and over at
/// once when its task is cancelled.
public struct ReachProbe: Sendable {
    /// What came back.
    public enum Answer: Hashable, Sendable {
        case status(Int)
        case failure(UpstreamFailure)
        /// Cancelled, or not asked for the reason given: it says nothing of the provider.
        case nothing(String)
    }

    /// Nobody waits, and calls' own connect timeout is as long.
    public static let timeouts = UpstreamTimeouts(
        connect: .seconds(5), firstByte: .seconds(5), idle: .seconds(5), total: .seconds(10))

    private let pool: NIOLoopBound<UpstreamPool>
    private let timeouts: UpstreamTimeouts

    public init(pool: NIOLoopBound<UpstreamPool>, timeouts: UpstreamTimeouts = Self.timeouts) {
        self.pool = pool
        self.timeouts = timeouts
    }

    /// Whether a kind of provider has a call for this.
    public static func canAsk(_ definition: ProviderDefinition) -> Bool {
        ProviderList.adapter(for: definition.kind)?.verificationPath(at: definition) != nil
    }

    public func ask(_ definition: ProviderDefinition) async -> Answer {
        let outgoing: OutgoingRequest
        do throws(ProviderRefusal) {
            outgoing = try OutgoingRequest(
                to: UpstreamEndpoint.verification(of: definition, withoutKey: true), body: ByteBuffer(),
                callerHeaders: nil, lent: nil, room: ByteBuffer())
        } catch {
            return .nothing("not asked: \(error)")
        }
        let listener = ReachListener()
        let (pool, timeouts) = (pool, timeouts)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                pool.eventLoop.execute { listener.start(outgoing, on: pool.value, timeouts, continuation) }
            }
        } onCancel: {
            pool.eventLoop.execute { listener.finish(.nothing("cancelled")) }
        }
    }
}

/// Waits for a response's head and ends the exchange then.
// Safe because every member is touched on the pool's event loop alone.
private final class ReachListener: UpstreamDelegate, @unchecked Sendable {
    private var continuation: CheckedContinuation<ReachProbe.Answer, Never>?
    private var exchange: UpstreamExchange?
    private var isOver = false

    func start(
        _ outgoing: OutgoingRequest, on pool: UpstreamPool, _ timeouts: UpstreamTimeouts,
        _ continuation: CheckedContinuation<ReachProbe.Answer, Never>
    ) {
        // The task may have been cancelled before its call could start.
        guard !isOver else { return continuation.resume(returning: .nothing("cancelled")) }
        self.continuation = continuation
        exchange = pool.sendAlone(outgoing, delegate: self, timeouts: timeouts)
    }

    func finish(_ answer: ReachProbe.Answer) {
        guard !isOver else { return }
        isOver = true
        continuation?.resume(returning: answer)
        continuation = nil
        exchange?.cancel()
        exchange = nil
    }

    func upstreamHead(status: Int, headers: HTTPHeaders) { finish(.status(status)) }
    func upstreamBody(_ piece: ByteBuffer) {}
    func upstreamEnd() { finish(.nothing("it ended without a head")) }
    func upstreamFailed(_ failure: UpstreamFailure) { finish(.failure(failure)) }
}

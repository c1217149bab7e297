import Access
import Cipher
import Domain
import Engine
import Synchronization
import TestKit
import Vault

/// Calls of all tenants that go as far as having their provider key's secret in hand, which is then compared with what
/// was sealed; each opens its key anew.
final class CallLoad: Sendable {
    static let origin = Origin(secure: true, host: "api.openai.com", port: 443)

    struct Tally {
        var calls = 0
        var failures: [String] = []
    }

    private let engine: GatewayEngine
    private let crowd: TenantCrowd
    private let state = Mutex((tally: Tally(), stopped: false, turn: 0))

    init(engine: GatewayEngine, crowd: TenantCrowd) {
        self.engine = engine
        self.crowd = crowd
    }

    var tally: Tally { state.withLock(\.tally) }

    func stop() { state.withLock { $0.stopped = true } }

    func run() async {
        while !state.withLock(\.stopped) {
            call(lane: 1)
            engine.pump()
            // A pace, so that the machine is not taken away from what is measured.
            try? await Task.sleep(for: .milliseconds(1))
        }
    }

    func call(lane: Int) {
        let turn = state.withLock { state in
            state.turn += 1
            return state.turn
        }
        let failure: String?
        do { failure = try self.failure(of: crowd.members[turn % crowd.members.count], lane: lane) } catch {
            failure = "\(error)"
        }
        state.withLock { state in
            state.tally.calls += 1
            if let failure { state.tally.failures.append(failure) }
        }
    }

    private func failure(of member: TenantCrowd.Member, lane: Int) throws -> String? {
        let clock = engine.parts.clock
        let call = InboundCall(
            id: .random(), dialect: .openAIChat, model: try ModelName("gpt-6-sol"), streamed: false,
            estimatedTokens: 10, bodyDigest: nil, cache: CacheDirective(enabled: false), tags: "",
            timeout: nil,
            received: clock.now, at: clock.wall)
        let decision = Array("Bearer \(member.token)".utf8).withUnsafeBytes {
            engine.path.decide(call, presenting: PresentedCredential(authorization: $0), lane: lane)
        }
        guard case .forward(let session) = decision else { return "\(decision)" }
        guard case .send(let attempt) = session.next(at: clock.now), let key = attempt.key else {
            return "no attempt"
        }
        engine.parts.secrets.dropAll()
        var isRight: Bool?
        do {
            isRight = try session.withSecret(of: attempt, at: clock.now) {
                $0.withBytes { $0.elementsEqual(Array((member.secrets[key.id] ?? "").utf8)) }
            }
        } catch {
            session.settle(
                .init(end: .failed, status: 503, failure: .vaultSealed, usage: nil, estimate: nil),
                at: clock.now)
            return "key \(key.id): \(error)"
        }
        session.attemptAnswered(attempt, status: 200, at: clock.now)
        session.settle(
            .init(
                end: .answered, status: 200, failure: nil, usage: Usage(input: 3, output: 2), estimate: nil),
            at: clock.now)
        return isRight == true ? nil : "key \(key.id): another secret"
    }
}

import Access
import Cache
import Cipher
import Domain
import Engine
import Events
import Limits
import Locking
import Logging
import Metering
import Operations
import Routing
import Storage
import Testing
import Vault

/// A virtual key with its text.
struct Token {
    let id: VirtualKeyID
    let text: String
}

/// Calls through the path, without a network.
extension EngineFixture {
    var parts: PathParts { engine.parts }

    func issue(
        _ name: String = "app", models: [String] = [], limits: LimitSet = LimitSet(), expires: Int? = nil,
        user: String? = nil, team: String? = nil
    ) async throws -> Token {
        let before = Set(try await control.load().virtualKeys.map(\.id))
        let outcome = try await give(
            .tokenIssue(
                TokenOrder(
                    tenant: try TenantName("acme"), name: try Label(name),
                    user: try user.map { try Label($0) },
                    team: try team.map { try Label($0) },
                    models: try models.map { try ModelName($0) }, limits: limits, expiresInSeconds: expires)))
        let text = try #require(outcome.issued).withBytes { String(decoding: $0, as: UTF8.self) }
        let record = try #require(try await control.load().virtualKeys.first { !before.contains($0.id) })
        return Token(id: record.id, text: text)
    }

    func tenant() async throws -> TenantRecord { try #require(try await control.load().tenants.first) }

    func inbound(
        _ model: String = "gpt-6-sol", tokens: Int64 = 10, digest: Digest256? = nil, timeout: Duration? = nil
    ) throws -> InboundCall {
        InboundCall(
            id: .random(), dialect: .openAIChat, model: try ModelName(model), streamed: false,
            estimatedTokens: tokens, bodyDigest: digest, cache: CacheDirective(), tags: "", timeout: timeout,
            received: clock.now, at: clock.wall)
    }

    func decide(_ token: String, _ call: InboundCall) -> Decision {
        let bytes = Array("Bearer \(token)".utf8)
        return bytes.withUnsafeBytes {
            engine.path.decide(call, presenting: PresentedCredential(authorization: $0), lane: 0)
        }
    }

    /// A call that goes to a provider.
    func forward(_ token: Token, _ model: String = "gpt-6-sol", tokens: Int64 = 10) throws -> CallSession {
        let decision = decide(token.text, try inbound(model, tokens: tokens))
        guard case .forward(let session) = decision else {
            throw Unexpected(description: "not forwarded: \(decision)")
        }
        return session
    }

    /// Why a call is refused; nil when it is not, and then it is settled.
    func refusal(_ token: String, _ model: String = "gpt-6-sol", tokens: Int64 = 10) throws -> CallFailure? {
        switch decide(token, try inbound(model, tokens: tokens)) {
        case .refuse(let failure): return failure
        case .answer(let session, _), .forward(let session):
            session.settle(.answered(), at: clock.now)
            return nil
        }
    }

    /// Goes through with one attempt and settles.
    func answer(
        _ session: CallSession, usage: Usage = Usage(input: 3, output: 2), after: Duration = .zero
    ) throws {
        _ = try session.attempt(at: clock.now)
        clock.advance(after)
        session.attemptAnswered(status: 200, at: clock.now)
        session.settle(.answered(usage), at: clock.now)
    }

    /// Another engine on the same storage, as after a restart.
    func restarted() async throws -> GatewayEngine {
        let kept = try await control.load()
        let state = EngineState(
            vault: kept.vault, tenants: kept.tenants, tenantKeys: kept.tenantKeys,
            providerKeys: try await stored(), virtualKeys: kept.virtualKeys,
            providers: [provider.name: provider, second.name: second], routes: [:], prices: .builtIn)
        let fresh = PathParts(
            clock: clock, directory: state.directory(), options: PathOptions(),
            counters: MemoryLimitCounters(),
            cache: AnswerCache(), breakers: MemoryBreakerBoard(), credentials: MemoryCredentialBoard(),
            vault: parts.vault, secrets: PlaintextCache(vault: parts.vault), journal: MemoryJournal(),
            bus: EventBus(lanes: 2))
        return GatewayEngine(
            parts: fresh, state: state, control: control, tenants: tenants, prober: prober, holds: [],
            identity: .init(instance: "test", version: "0", demo: false, listening: ""),
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    func use(of scope: LimitScope) -> LimitUse? { parts.counters.use(of: scope, at: clock.now) }

    func rows() throws -> [LedgerRow] { try journal.pending(limit: 10_000) }

    /// Nothing is held: no place among the calls in flight, and no row that was promised and not written.
    func expectNothingHeld(sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(parts.inFlight.current == 0, sourceLocation: sourceLocation)
        #expect(journal.load.used == (try rows()).count, sourceLocation: sourceLocation)
    }
}

extension CallSession.Ending {
    static func answered(_ usage: Usage = Usage(input: 3, output: 2)) -> Self {
        .init(end: .answered, status: 200, failure: nil, usage: usage, estimate: nil)
    }

    static func failed(_ failure: CallFailure) -> Self {
        .init(end: .failed, status: failure.status, failure: failure.code, usage: nil, estimate: nil)
    }
}

extension CallSession {
    /// The next attempt, or the failure thrown.
    func attempt(at now: Instant) throws -> Attempt {
        switch next(at: now) {
        case .send(let attempt): return attempt
        case .pause(let pause): throw Unexpected(description: "a pause of \(pause)")
        case .fail(let failure): throw failure
        }
    }

    /// The first byte of the attempt under way, of two of the one that began first.
    func firstByte(at now: Instant) { firstByte(of: underWay.first, at: now) }

    func attemptFailed(
        _ failure: FailureClass, status: Int?, retryAfter: Duration?, face: CallFailure, at now: Instant
    ) {
        guard let attempt = underWay.first else { return }
        attemptFailed(
            attempt, failure, status: status, retryAfter: retryAfter, face: face, at: now)
    }

    /// The only attempt under way gave a good answer.
    func attemptAnswered(status: Int, at now: Instant) {
        guard let attempt = underWay.first else { return }
        attemptAnswered(attempt, status: status, at: now)
    }

    /// The attempt under way, of two the one that began first, failed.
    func fail(
        _ failure: FailureClass, status: Int? = nil, retryAfter: Duration? = nil, at now: Instant
    ) {
        guard let attempt = underWay.first else { return }
        fail(attempt, failure, status: status, retryAfter: retryAfter, at: now)
    }

    func fail(
        _ attempt: Attempt, _ failure: FailureClass, status: Int? = nil, retryAfter: Duration? = nil,
        at now: Instant
    ) {
        attemptFailed(
            attempt, failure, status: status, retryAfter: retryAfter,
            face: CallFailure(.upstreamFailed, source: .provider, "failed in a test"), at: now)
    }
}

struct Unexpected: Error, CustomStringConvertible {
    let description: String
}

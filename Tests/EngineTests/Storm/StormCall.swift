import Access
import Domain
import Engine
import Locking
import Routing
import Storage

/// One call of a storm: does what the interface does, with a provider that follows the weather.
final class StormCall {
    enum End {
        case answered
        case failed(CallFailure)
        /// After its first content, with an error frame.
        case cut
        /// The caller hung up.
        case cancelled
    }

    /// One attempt as it went out.
    struct Try: Hashable {
        let target: Target
        let key: ProviderKeyID?
    }

    let number: Int
    let tenant: Int
    let model: String
    let id: CallID
    let started: Instant
    let deadline: Instant
    /// Whether the caller set a time limit of his own.
    let isHurried: Bool
    /// Targets of its route that were well when it came: fair weather for a while, and a closed breaker.
    let shelters: [StormPlace]
    private(set) var tries: [Try] = []
    private(set) var end: End?
    private(set) var endedAt: Instant?
    var isTrying: Bool { attempt != nil }

    private let session: CallSession
    private let streamed: Bool
    private var random: SplitMix
    private var attempt: CallSession.Attempt?
    private var isCommitted = false
    /// Moves on with every step, so that what was planned for an earlier one does not happen.
    private var step = 0
    private unowned let storm: Storm

    init(
        _ session: CallSession, number: Int, tenant: Int, model: String, shelters: [StormPlace],
        random: SplitMix, storm: Storm
    ) {
        self.session = session
        self.number = number
        self.tenant = tenant
        self.model = model
        self.shelters = shelters
        self.random = random
        self.storm = storm
        id = session.call.id
        streamed = session.call.streamed
        started = session.call.received
        isHurried = session.call.timeout != nil
        let total = storm.options.total
        deadline = started + min(total, session.call.timeout ?? total)
    }

    // MARK: Attempts

    func goOn() {
        step += 1
        attempt = nil
        switch session.next(at: storm.now) {
        case .fail(let failure):
            session.settle(.failed(failure), at: storm.now)
            finish(.failed(failure))
        case .pause(let pause): after(pause) { $0.goOn() }
        case .send(let next):
            attempt = next
            tries.append(Try(target: next.target, key: next.key?.id))
            meet(next)
        }
    }

    private func meet(_ attempt: CallSession.Attempt) {
        let bounds = attempt.timeouts
        switch storm.behaviour(at: attempt.target, of: tenant, &random) {
        case .refusesConnection: within(.milliseconds(1)) { $0.fail(.transport, nil) }
        case .connectHangs: runOut(bounds.connect)
        case .silent: runOut(bounds.firstByte)
        case .fails(let failure, let status, let wait, let delay):
            within(delay) { $0.fail(failure, status, wait) }
        case .answers(let first, let whole):
            guard first < bounds.firstByte else { return runOut(bounds.firstByte) }
            within(first) { call in
                call.begin()
                call.within(whole - first, of: bounds.total - first) { $0.answer() }
            }
        case .cuts(let delay, let content):
            within(delay) { call in
                if content { call.begin() }
                call.breakOff()
            }
        case .stalls(let first):
            within(first) { call in
                call.begin()
                call.within(bounds.idle, of: bounds.total - first) { $0.breakOff() }
            }
        }
    }

    /// The first content: of a stream it goes out at once, and there is no other attempt from then on.
    private func begin() {
        guard streamed else { return }
        isCommitted = true
        session.firstByte(at: storm.now)
    }

    private func answer() {
        session.attemptAnswered(status: 200, at: storm.now)
        session.firstByte(at: storm.now)
        session.settle(
            .answered(Usage(input: 20, output: Int64(random.next() % 300))), at: storm.now)
        finish(.answered)
    }

    private func breakOff() {
        guard isCommitted else { return fail(.brokeBeforeContent, streamed ? 200 : nil) }
        cut(.brokeAfterContent)
    }

    private func cut(_ kind: FailureClass) {
        session.attemptFailed(
            kind, status: 200, retryAfter: nil,
            face: CallFailure(.upstreamCut, source: .provider, "cut in a storm"), at: storm.now)
        session.settle(
            .init(
                end: .cut, status: 200, failure: .upstreamCut, usage: nil, estimate: Usage(input: 20)),
            at: storm.now)
        finish(.cut)
    }

    private func fail(_ failure: FailureClass, _ status: Int?, _ wait: Duration? = nil) {
        session.attemptFailed(
            failure, status: status, retryAfter: wait, face: Self.face(of: failure, wait), at: storm.now)
        goOn()
    }

    /// The call's own time ran out during an attempt, which says nothing of the provider.
    private func passDeadline() {
        guard !isCommitted else { return cut(.cancelled) }
        let face = CallFailure(.deadlineExceeded, source: .gateway, "its time ran out in a storm")
        session.attemptFailed(.cancelled, status: nil, retryAfter: nil, face: face, at: storm.now)
        goOn()
    }

    func hangUp() {
        guard end == nil else { return }
        session.settle(
            .init(
                end: .cancelled, status: 499, failure: .cancelled, usage: nil,
                estimate: attempt == nil ? nil : Usage(input: 20)), at: storm.now)
        finish(.cancelled)
    }

    private func finish(_ end: End) {
        step += 1
        attempt = nil
        if self.end != nil { storm.complain("call \(number) ended twice") }
        self.end = end
        endedAt = storm.now
        storm.ended(self)
    }

    // MARK: Time

    private func after(_ delay: Duration, _ work: @escaping (StormCall) -> Void) {
        step += 1
        let step = step
        storm.later(delay) { [self] in if self.step == step, end == nil { work(self) } }
    }

    /// Does something later, unless the call's time runs out before.
    private func within(
        _ delay: Duration, of left: Duration? = nil, _ work: @escaping (StormCall) -> Void
    ) {
        let left = left ?? attempt?.timeouts.total ?? .zero
        if delay < left { after(delay, work) } else { after(left) { $0.passDeadline() } }
    }

    /// Nothing comes until a bound of the attempt's, or the call's own time, is over.
    private func runOut(_ bound: Duration) {
        within(bound) { $0.fail(.timeoutBeforeFirstByte, nil) }
    }

    /// What a caller is told of a failure, as the interface has it.
    private static func face(of failure: FailureClass, _ wait: Duration?) -> CallFailure {
        switch failure {
        case .badKey: CallFailure(.upstreamRefused, source: .providerKey, "bad key")
        case .notPermitted: CallFailure(.upstreamRefused, source: .providerKey, "denied", status: 403)
        case .keyQuota: CallFailure(.upstreamRefused, source: .providerKey, "spent", status: 402)
        case .keyRateLimit:
            CallFailure(
                .upstreamRefused, source: .providerKey, "limited", retryAfter: wait ?? .seconds(1),
                status: 429)
        case .timeoutBeforeFirstByte: CallFailure(.upstreamTimeout, source: .provider, "silent")
        default: CallFailure(.upstreamFailed, source: .provider, "failed", retryAfter: wait)
        }
    }
}

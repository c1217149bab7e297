import Access
import Domain
import Engine
import Locking
import Storage
import TestKit

/// One attempt of a call in a storm: meets what the weather has for it, as the interface would.
final class StormAttempt {
    let attempt: CallSession.Attempt
    private(set) var isCommitted = false
    private var isOver = false
    private var random: SplitMix
    private unowned let call: StormCall
    private unowned let storm: Storm

    init(_ attempt: CallSession.Attempt, of call: StormCall, random: SplitMix, storm: Storm) {
        self.attempt = attempt
        self.call = call
        self.random = random
        self.storm = storm
    }

    /// When the whole call's time is over.
    private var ends: Instant { attempt.started + attempt.timeouts.total }

    func start() {
        let bounds = attempt.timeouts
        switch call.nature {
        case .bad: return within(.milliseconds(30)) { $0.fail(.callerFault, 400) }
        case .long where !attempt.target.model.text.hasPrefix("large"):
            return within(.milliseconds(30)) { $0.fail(.contextWindow, 400) }
        case .long, .ordinary: break
        }
        switch storm.behaviour(at: attempt.target, of: call.tenant, &random) {
        case .refusesConnection: within(.milliseconds(1)) { $0.fail(.transport, nil) }
        case .connectHangs: runOut(bounds.connect)
        case .silent: runOut(bounds.firstByte)
        case .fails(let failure, let status, let wait, let delay):
            within(delay) { $0.fail(failure, status, wait) }
        case .answers(let first, let whole):
            guard first < bounds.firstByte else { return runOut(bounds.firstByte) }
            within(first) { attempt in
                attempt.begin()
                attempt.within(whole - first) { $0.answer() }
            }
        case .cuts(let delay, let content):
            within(delay) { attempt in
                if content { attempt.begin() }
                attempt.breakOff()
            }
        case .stalls(let first):
            within(first) { attempt in
                attempt.begin()
                attempt.within(bounds.idle) { $0.breakOff() }
            }
        }
    }

    /// Nobody waits for it any more.
    func close() { isOver = true }

    // MARK: What comes of it

    /// The first content: of a stream it goes out at once, and there is no other attempt from then on.
    private func begin() {
        guard call.isStreamed else { return }
        isCommitted = true
        call.begin(self)
    }

    private func answer() {
        isOver = true
        call.answer(self, Usage(input: 20, output: Int64(random.next() % 300)))
    }

    private func breakOff() {
        if isCommitted {
            isOver = true
            call.cut(self, .brokeAfterContent)
        } else {
            fail(.brokeBeforeContent, call.isStreamed ? 200 : nil)
        }
    }

    private func fail(_ failure: FailureClass, _ status: Int?, _ wait: Duration? = nil) {
        isOver = true
        call.failed(self, failure, status, wait, Self.face(of: failure, wait))
    }

    /// The call's own time ran out during an attempt, which says nothing of the provider.
    private func passDeadline() {
        isOver = true
        guard !isCommitted else { return call.cut(self, .cancelled) }
        call.failed(
            self, .cancelled, nil, nil,
            CallFailure(.deadlineExceeded, source: .gateway, "its time ran out in a storm"))
    }

    // MARK: Time

    /// Does something later, unless the call's time runs out before.
    private func within(_ delay: Duration, _ work: @escaping (StormAttempt) -> Void) {
        let left = ends - storm.now
        storm.later(min(delay, left)) { [self] in
            guard !isOver else { return }
            if delay < left { work(self) } else { passDeadline() }
        }
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
        case .callerFault, .contextWindow:
            CallFailure(.upstreamRefused, source: .caller, "bad request", status: 400)
        case .timeoutBeforeFirstByte: CallFailure(.upstreamTimeout, source: .provider, "silent")
        default: CallFailure(.upstreamFailed, source: .provider, "failed", retryAfter: wait)
        }
    }
}

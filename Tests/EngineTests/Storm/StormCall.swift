import Access
import Domain
import Engine
import Locking
import Routing
import Storage
import TestKit

/// One call of a storm: asks the session for attempts and does with them what the interface does.
final class StormCall {
    enum End {
        case answered
        case failed(CallFailure)
        /// After its first content, with an error frame.
        case cut
        /// The caller hung up.
        case cancelled
    }

    /// What is to be said of the call itself.
    enum Nature {
        case ordinary
        /// No provider understands it.
        case bad
        /// Too long for small models.
        case long
    }

    let number: Int
    /// Among the tenant's calls.
    let ordinal: Int
    let tenant: Int
    let model: String
    let nature: Nature
    let id: CallID
    let started: Instant
    let deadline: Instant
    let isStreamed: Bool
    /// Whether the caller set a time limit of his own.
    let isHurried: Bool
    /// Targets of its route that were well when it came: fair weather for a while, and a closed breaker.
    let shelters: [StormPlace]
    private(set) var tries: [Target] = []
    private(set) var end: End?
    var hasFailed: Bool { if case .failed = end { true } else { false } }
    /// Attempts under way.
    var trying: Int { (attempt == nil ? 0 : 1) + (hedge == nil ? 0 : 1) }

    private let session: CallSession
    private var random: SplitMix
    private var attempt: StormAttempt?
    /// The one beside it.
    private var hedge: StormAttempt?
    private unowned let storm: Storm

    init(
        _ session: CallSession, number: Int, ordinal: Int, tenant: Int, model: String, nature: Nature,
        shelters: [StormPlace], random: SplitMix, storm: Storm
    ) {
        self.session = session
        self.number = number
        self.ordinal = ordinal
        self.tenant = tenant
        self.model = model
        self.nature = nature
        self.shelters = shelters
        self.random = random
        self.storm = storm
        id = session.call.id
        isStreamed = session.call.streamed
        started = session.call.received
        isHurried = session.call.timeout != nil
        let total = storm.options.total
        deadline = started + min(total, session.call.timeout ?? total)
    }

    // MARK: Attempts

    func goOn() {
        switch session.next(at: storm.now) {
        case .fail(let failure):
            session.settle(.failed(failure), at: storm.now)
            finish(.failed(failure))
        case .pause(let pause):
            storm.later(pause) { [self] in if end == nil, attempt == nil { goOn() } }
        case .send(let next):
            let fresh = fresh(next)
            attempt = fresh
            if let patience = session.hedgeAfter {
                storm.later(patience) { [self] in runBeside(fresh) }
            }
            fresh.start()
        }
    }

    private func fresh(_ next: CallSession.Attempt) -> StormAttempt {
        tries.append(next.target)
        if nature == .bad, tries.count > 1 {
            storm.complain("call \(number), a bad request, was tried again")
        }
        return StormAttempt(next, of: self, random: SplitMix(seed: random.next()), storm: storm)
    }

    private func runBeside(_ slow: StormAttempt) {
        guard end == nil, attempt === slow, hedge == nil, let next = session.hedge(at: storm.now) else {
            return
        }
        storm.hedged()
        let fresh = fresh(next)
        hedge = fresh
        fresh.start()
    }

    private func goOn(without ended: StormAttempt) {
        if attempt === ended { attempt = hedge }
        hedge = nil
        if attempt == nil { goOn() }
    }

    private func settle(on winner: StormAttempt) {
        guard let hedge, let loser = attempt === winner ? hedge : attempt else { return }
        giveUp(loser)
        attempt = winner
        self.hedge = nil
    }

    private func giveUp(_ loser: StormAttempt) {
        loser.close()
        session.attemptAbandoned(loser.attempt, estimate: Usage(input: 20), at: storm.now)
    }

    // MARK: From the attempts

    func begin(_ one: StormAttempt) {
        settle(on: one)
        session.firstByte(of: one.attempt, at: storm.now)
    }

    func answer(_ one: StormAttempt, _ usage: Usage) {
        settle(on: one)
        session.attemptAnswered(one.attempt, status: 200, at: storm.now)
        session.firstByte(of: one.attempt, at: storm.now)
        session.settle(.answered(usage), at: storm.now)
        finish(.answered)
    }

    func cut(_ one: StormAttempt, _ kind: FailureClass) {
        session.attemptFailed(
            one.attempt, kind, status: 200, retryAfter: nil,
            face: CallFailure(.upstreamCut, source: .provider, "cut in a storm"), at: storm.now)
        session.settle(
            .init(end: .cut, status: 200, failure: .upstreamCut, usage: nil, estimate: Usage(input: 20)),
            at: storm.now)
        finish(.cut)
    }

    func failed(
        _ one: StormAttempt, _ failure: FailureClass, _ status: Int?, _ wait: Duration?, _ face: CallFailure
    ) {
        session.attemptFailed(
            one.attempt, failure, status: status, retryAfter: wait, face: face, at: storm.now)
        goOn(without: one)
    }

    func hangUp() {
        guard end == nil else { return }
        if let hedge { giveUp(hedge) }
        session.settle(
            .init(
                end: .cancelled, status: 499, failure: .cancelled, usage: nil,
                estimate: attempt == nil ? nil : Usage(input: 20)), at: storm.now)
        finish(.cancelled)
    }

    private func finish(_ end: End) {
        if self.end != nil { storm.complain("call \(number) ended twice") }
        self.end = end
        attempt?.close()
        hedge?.close()
        attempt = nil
        hedge = nil
        storm.ended(self)
    }
}

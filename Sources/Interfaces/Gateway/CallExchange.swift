import Access
import Dialects
import Domain
import Engine
import NIOCore
import NIOHTTP1
import Providers

/// One forwarded call: asks the session for attempts, lets each of them do its work, and owns what goes to the caller.
///
/// Nothing goes to the caller before it is sure that an attempt answers: a whole answer is collected up to a bound, a
/// stream until its first event. From the first byte on there is no other attempt: what ran beside it is given up.
/// Confined to one event loop.
final class CallExchange {
    let session: CallSession
    let loop: LoopContext
    let dialect: Dialect
    let fields: RequestFields
    let body: ByteBuffer
    /// As long as this is there, the body's room is taken.
    private let hold: BodyHold?
    let headers: HTTPHeaders
    let wholeMost: Int
    let caller: CallHandler
    let keepAlive: Bool

    /// The attempt under way, and the one that runs beside it where the route hedges.
    private(set) var attempt: AttemptExchange?
    private var hedge: AttemptExchange?
    private var hedgeTimer: Scheduled<Void>?
    private var isOver = false
    /// The request as it was understood, once an attempt had to say it anew.
    private var source: Translator.Source?
    var kept: ByteBuffer?
    /// Bytes of the answer so far.
    var sent: Int64 = 0

    init(
        session: CallSession, loop: LoopContext, caller: CallHandler, dialect: Dialect, fields: RequestFields,
        body: ByteBuffer, hold: BodyHold?, headers: HTTPHeaders, keepAlive: Bool, wholeMost: Int
    ) {
        self.session = session
        self.loop = loop
        self.caller = caller
        self.dialect = dialect
        self.fields = fields
        self.body = body
        self.hold = hold
        self.headers = headers
        self.keepAlive = keepAlive
        self.wholeMost = wholeMost
    }

    var now: Instant { loop.parts.clock.now }

    /// What an answer that is said anew needs to know of the call.
    var answerContext: AnswerContext {
        AnswerContext(
            id: session.call.id.text, model: fields.model.text, created: session.call.at,
            wantsStreamUsage: dialect != .openAIChat || fields.callerAskedForUsage,
            inputEstimate: fields.estimatedInputTokens)
    }

    // MARK: Attempts

    func start() { tryNext() }

    private func tryNext() {
        switch session.next(at: now) {
        case .fail(let failure): fail(failure)
        case .pause(let pause):
            caller.schedule(in: pause) { [self] in if !isOver, attempt == nil { tryNext() } }
        case .send(let next):
            let fresh = AttemptExchange(next, of: self)
            attempt = fresh
            watchPatience(fresh)
            fresh.start()
        }
    }

    private func watchPatience(_ fresh: AttemptExchange) {
        hedgeTimer?.cancel()
        hedgeTimer = session.hedgeAfter.flatMap { patience in
            caller.schedule(in: patience) { [self] in runBeside(fresh) }
        }
    }

    /// Begins another attempt beside one that has brought nothing yet.
    private func runBeside(_ slow: AttemptExchange) {
        // A hedge that cannot be said in its provider's format is none: then the next may be.
        while !isOver, attempt === slow, hedge == nil, let next = session.hedge(at: now) {
            let fresh = AttemptExchange(next, of: self)
            hedge = fresh
            fresh.start()
        }
    }

    /// The attempt beside one that has ended goes on alone; where there is none, the next one's turn has come.
    private func goOn(without ended: AttemptExchange) {
        if attempt === ended { attempt = hedge }
        hedge = nil
        // Between two attempts nothing is with a provider, and nothing is used.
        if attempt == nil { tryNext() }
    }

    /// The attempt's answer goes to the caller: the one beside it is given up.
    func settle(on winner: AttemptExchange) {
        hedgeTimer?.cancel()
        guard let hedge, let loser = attempt === winner ? hedge : attempt else { return }
        giveUp(loser)
        attempt = winner
        self.hedge = nil
    }

    private func giveUp(_ loser: AttemptExchange) {
        let used = loser.abandon()
        session.attemptAbandoned(loser.attempt, estimate: used.usage ?? used.estimate, at: now)
    }

    /// The request as it is understood; read once for all attempts.
    func understood() throws(CallFailure) -> Translator.Source {
        if let source { return source }
        let dialect = dialect
        let read = try body.withUnsafeReadableBytes { bytes in
            Result { () throws(CallFailure) in try Translator.read(bytes, as: dialect) }
        }.get()
        source = read
        return read
    }

    // MARK: From the attempts

    /// How an attempt failed that the caller has seen nothing of.
    struct Failure {
        let kind: FailureClass
        /// The provider's, where one came.
        var status: Int?
        var retryAfter: Duration?
        /// What the caller sees if nothing else helps.
        let face: CallFailure
    }

    func failed(_ attempt: AttemptExchange, _ failure: Failure) {
        session.attemptFailed(
            attempt.attempt, failure.kind, status: failure.status, retryAfter: failure.retryAfter,
            face: failure.face, at: now)
        goOn(without: attempt)
    }

    /// The call cannot be said in the words of the attempt's provider.
    func isUnsendable(_ attempt: AttemptExchange, _ face: CallFailure) {
        session.attemptUnsendable(attempt.attempt, face, at: now)
        goOn(without: attempt)
    }

    // MARK: The caller

    func makeBuffer(_ capacity: Int) -> ByteBuffer { caller.makeBuffer(capacity) }
    func flush() { caller.flush() }

    @discardableResult
    func schedule(in delay: Duration, _ work: @escaping () -> Void) -> Scheduled<Void>? {
        caller.schedule(in: delay, work)
    }

    func callerTakesMore(_ writable: Bool) {
        attempt?.setReading(writable)
        hedge?.setReading(writable)
    }

    /// The caller hung up: the upstream calls end too, and what was used is metered.
    func callerLeft() {
        guard !isOver else { return }
        if let hedge { giveUp(hedge) }
        let used =
            attempt?.abandon()
            ?? CallSession.Ending(
                end: .cancelled, status: 499, failure: .cancelled, usage: nil, estimate: nil)
        end()
        session.settle(used, at: now)
    }

    /// Nothing more is heard from attempts: call and attempts let go of each other.
    func end() {
        isOver = true
        attempt?.close()
        attempt = nil
        hedge?.close()
        hedge = nil
        hedgeTimer?.cancel()
    }
}

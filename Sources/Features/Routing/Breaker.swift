package import Domain

/// A circuit breaker for one target as a plain value: results and time in, decisions out.
///
/// Closed passes everything; too many failures open it; after a while it is half-open and passes one probe at a time;
/// enough good probes close it, a bad one opens it for longer.
///
/// Design note. Every permit carries a ticket with the *era* it was given in; tripping begins a new era. So results of
/// calls begun before a trip, however late they come, count neither for nor against what happened since. A probe has
/// a number besides: a result that comes after its slot was given to the next probe is ignored. Failures that are not
/// the provider's (a bad key, a bad request) count neither way; otherwise one tenant's bad key could open the breaker,
/// or its prompt 401s could hide an outage.
package struct Breaker: Sendable {
    /// What a call of a method moved; the caller publishes it.
    package enum Change: String, Sendable, Hashable {
        case none, opened, halfOpened, closed
    }

    /// Proof of a permit, handed back with the result.
    package struct Ticket: Sendable, Hashable {
        package let era: UInt32
        /// 0 for an ordinary call.
        package let probe: UInt32

        package init(era: UInt32, probe: UInt32) {
            self.era = era
            self.probe = probe
        }

        /// What a breaker that nothing was heard of hands out.
        package static var first: Self { Self(era: 0, probe: 0) }
    }

    /// Whether an attempt may start.
    package enum Permit: Sendable, Hashable {
        case pass(Ticket)
        /// Passes as the one probe of a half-open breaker: its result decides.
        case probe(Ticket)
        case refuse(Refusal)
    }

    /// What a permit would be, without taking one.
    package enum Outlook: Sendable, Hashable {
        case passes
        case probes
        case refuses(Refusal)
    }

    /// Why an attempt may not start, and until when.
    package struct Refusal: Sendable, Hashable {
        /// The rule that refuses.
        package enum Cause: Sendable, Hashable {
            case open
            /// Half-open, and its one probe is on its way.
            case probing
            /// An operator holds it open.
            case held
        }
        package let cause: Cause
        /// The first moment a call may pass; nil while a probe runs, whose end nobody knows.
        package let retryAt: Instant?

        package init(cause: Cause, retryAt: Instant?) {
            self.cause = cause
            self.retryAt = retryAt
        }
    }

    /// What last opened or half-opened it, for the sentence of `why`.
    enum Cause: Sendable {
        case share(FailureWindow.Counts)
        case silentRun(Int, FailureClass)
        case probe(FailureClass, openings: Int)
        case released(owner: String)
    }

    /// A hold with its end on the monotonic clock: setting the machine's clock neither ends nor prolongs it.
    struct Held: Sendable {
        let hold: BreakerHold
        let ends: Instant
    }

    private struct Probe: Sendable {
        let number: UInt32
        let ends: Instant
    }

    package let options: BreakerOptions
    /// As the last call of a mutating method left it; `position(at:)` says what time has made of it.
    package private(set) var position: BreakerPosition = .closed
    /// When it came into this position.
    package private(set) var since: Instant
    private(set) var held: Held?
    private(set) var cause: Cause?
    private(set) var successes = 0
    private(set) var window: FailureWindow
    private var era: UInt32 = 0
    private var probe: Probe?
    private var probesGiven: UInt32 = 0
    /// Openings since it was last closed; sets the next one's length.
    private var openings = 0
    /// Attempts without an answer in a row.
    private var silentRun = 0
    /// When an open breaker becomes half-open.
    private var opensUntil: Instant
    /// The longest Retry-After of this era, as a moment.
    private var waitAsked: Instant?

    package init(options: BreakerOptions = .init(), at now: Instant) {
        self.options = options
        since = now
        opensUntil = now
        window = FailureWindow(span: options.window, at: now)
    }

    // MARK: Asking

    /// The position once time has had its effect: an open breaker whose time is up is half-open.
    package func position(at now: Instant) -> BreakerPosition {
        if let held {
            guard now >= held.ends else { return position }
            if held.hold.mode == .open { return .halfOpen }
        }
        return position == .open && now >= opensUntil ? .halfOpen : position
    }

    /// The override in force.
    package func hold(at now: Instant) -> BreakerHold? {
        guard let held, now < held.ends else { return nil }
        return held.hold
    }

    /// When an open breaker will let a probe through; nil in other positions.
    package func nextProbe(at now: Instant) -> Instant? {
        position(at: now) == .open ? refusal(at: now).retryAt : nil
    }

    /// What `permit` would say, without taking a probe's slot.
    package func outlook(at now: Instant) -> Outlook {
        switch position(at: now) {
        case .closed: return .passes
        case .open: return .refuses(refusal(at: now))
        case .halfOpen:
            // A position that only time has made half-open has no probe yet.
            guard position == .halfOpen, isProbing(at: now) else { return .probes }
            return .refuses(Refusal(cause: .probing, retryAt: nil))
        }
    }

    /// Asks for one attempt, right before it starts; the ticket must come back with `succeeded`, `failed` or
    /// `abandoned`.
    package mutating func permit(at now: Instant) -> (permit: Permit, change: Change) {
        let change = advance(to: now)
        switch outlook(at: now) {
        case .passes: return (.pass(Ticket(era: era, probe: 0)), change)
        case .refuses(let refusal): return (.refuse(refusal), change)
        case .probes:
            // Skips 0 on wrap-around: that number means an ordinary call.
            probesGiven = probesGiven == .max ? 1 : probesGiven + 1
            probe = Probe(number: probesGiven, ends: now + options.probeTimeout)
            return (.probe(Ticket(era: era, probe: probesGiven)), change)
        }
    }

    // MARK: Results

    /// The attempt brought an answer. For a stream: when its first content came, so that a long one does not hold the
    /// probe's slot.
    package mutating func succeeded(_ ticket: Ticket, at now: Instant) -> Change {
        let change = advance(to: now)
        guard ticket.era == era else { return change }
        guard ticket.probe == 0 else { return probeSucceeded(ticket, at: now) ?? change }
        guard position == .closed else { return change }
        window.record(.answered, at: now)
        silentRun = 0
        return change
    }

    /// The attempt failed; `retryAfter` is what the provider asked for, if it did.
    package mutating func failed(
        _ ticket: Ticket, at now: Instant, kind: FailureClass, retryAfter: Duration? = nil
    ) -> Change {
        guard kind.rule.countsForBreaker else { return abandoned(ticket, at: now) }
        let change = advance(to: now)
        guard ticket.era == era else { return change }
        let isProbe = ticket.probe != 0
        if isProbe {
            guard endProbe(ticket), position == .halfOpen, held == nil else { return change }
        } else {
            guard position == .closed else { return change }
        }
        note(retryAfter, at: now)
        if isProbe { return trip(.probe(kind, openings: openings + 1), at: now) }
        return count(kind, at: now) ?? change
    }

    /// The attempt ended without saying anything of the provider (cancelled, a bad key): a probe's slot is given back.
    package mutating func abandoned(_ ticket: Ticket, at now: Instant) -> Change {
        let change = advance(to: now)
        _ = endProbe(ticket)
        return change
    }

    /// Lets time have its effect: ends a hold, turns open into half-open.
    package mutating func advance(to now: Instant) -> Change {
        guard position != .closed || held != nil else { return .none }
        let ahead = position(at: now)
        var due = opensUntil
        if let held, now >= held.ends {
            due = held.hold.mode == .open ? held.ends : max(due, held.ends)
            letGo(of: held)
        }
        // Only half-open comes by time alone; it began when it was due, not when somebody looked.
        return ahead == position ? .none : move(to: ahead, at: due)
    }

    // MARK: Overrides

    /// Puts an override in force, in place of any other.
    ///
    /// The hold's end is civil time; it is turned into a moment of the monotonic clock here, once, from the pair of
    /// readings given. A hold that is already over changes nothing.
    package mutating func hold(_ hold: BreakerHold, at now: Instant, wall: WallTime) -> Change {
        let change = advance(to: now)
        guard hold.ends > wall else { return change }
        held = Held(hold: hold, ends: now + min(hold.ends - wall, options.holdLongest))
        switch hold.mode {
        case .asIs: return change
        case .closed: return position == .closed ? change : move(to: .closed, at: now)
        case .open: return position == .open ? change : move(to: .open, at: now)
        }
    }

    /// Ends an override before its time. Forced open becomes half-open: the target must show that it works.
    package mutating func release(at now: Instant) -> Change {
        let change = advance(to: now)
        guard let held else { return change }
        letGo(of: held)
        if held.hold.mode == .open { return move(to: .halfOpen, at: now) }
        return advance(to: now)
    }

    // MARK: Moves

    private mutating func letGo(of held: Held) {
        if held.hold.mode == .open { cause = .released(owner: held.hold.owner) }
        self.held = nil
    }

    private mutating func probeSucceeded(_ ticket: Ticket, at now: Instant) -> Change? {
        guard endProbe(ticket), position == .halfOpen, held == nil else { return nil }
        successes += 1
        return successes >= options.probesToClose ? move(to: .closed, at: now) : nil
    }

    /// Frees the slot; false for a probe that no longer holds it.
    private mutating func endProbe(_ ticket: Ticket) -> Bool {
        guard ticket.era == era, let probe, probe.number == ticket.probe else { return false }
        self.probe = nil
        return true
    }

    /// Counts a failure while closed, and trips when it is one too many.
    private mutating func count(_ kind: FailureClass, at now: Instant) -> Change? {
        let mark = FailureWindow.Mark(kind)
        window.record(mark, at: now)
        silentRun = mark == .silent ? silentRun + 1 : 0
        guard held == nil else { return nil }
        if silentRun >= options.silentRunMax { return trip(.silentRun(silentRun, kind), at: now) }
        let counts = window.counts(at: now)
        guard counts.calls >= options.callsMin,
            counts.failures * 100 >= counts.calls * options.failurePercent
        else { return nil }
        return trip(.share(counts), at: now)
    }

    private mutating func trip(_ cause: Cause, at now: Instant) -> Change {
        self.cause = cause
        var length = options.openFirst
        for _ in 0..<openings where length < options.openLongest { length += length }
        openings += 1
        opensUntil = max(now + min(length, options.openLongest), waitAsked ?? now)
        return move(to: .open, at: now)
    }

    private mutating func move(to next: BreakerPosition, at now: Instant) -> Change {
        position = next
        since = now
        probe = nil
        successes = 0
        silentRun = 0
        switch next {
        case .open:
            era &+= 1
            return .opened
        case .halfOpen: return .halfOpened
        case .closed:
            openings = 0
            waitAsked = nil
            cause = nil
            window.clear()
            return .closed
        }
    }

    private mutating func note(_ retryAfter: Duration?, at now: Instant) {
        guard let retryAfter, retryAfter > .zero else { return }
        let moment = now + min(retryAfter, options.retryAfterLongest)
        waitAsked = max(waitAsked ?? moment, moment)
    }

    private func isProbing(at now: Instant) -> Bool {
        guard let probe else { return false }
        return now < probe.ends
    }

    private func refusal(at now: Instant) -> Refusal {
        guard let held, now < held.ends else { return Refusal(cause: .open, retryAt: opensUntil) }
        return Refusal(
            cause: .held, retryAt: held.hold.mode == .open ? held.ends : max(held.ends, opensUntil))
    }
}

extension FailureWindow.Mark {
    /// How a failure that counts for the breaker is counted.
    fileprivate init(_ kind: FailureClass) {
        self =
            switch kind {
            case .transport, .timeoutBeforeFirstByte: .silent
            case .providerFault, .overloaded: .serverError
            default: .broken
            }
    }
}

public import Domain

/// A circuit breaker for one target as a plain value: results and time in, decisions out.
///
/// Closed passes everything; too many failures or slow answers open it; after a while it is half-open and passes one
/// probe at a time; enough good probes close it, a bad one opens it for longer.
///
/// Design note. Every permit carries a ticket with the *era* it was given in; tripping begins a new era. So results of
/// calls begun before a trip, however late they come, count neither for nor against what happened since. A probe has
/// a number besides: a result that comes after its slot was given to the next probe is ignored. Failures that are not
/// the provider's (a bad key, a bad request) count neither way; otherwise one tenant's bad key could open the breaker,
/// or its prompt 401s could hide an outage. A slow answer is no failure: it trips by a rule of its own, and a slow
/// probe proves nothing and gives its slot back. That lets about one call per `slowCall` try a target that stays slow.
public struct Breaker: Sendable {
    /// A hold with its end on the monotonic clock: setting the machine's clock neither ends nor prolongs it.
    struct Held: Sendable {
        let hold: BreakerHold
        let ends: Instant
    }

    public let options: BreakerOptions
    /// As the last call of a mutating method left it; `position(at:)` says what time has made of it.
    public private(set) var position: BreakerPosition = .closed
    /// When it came into this position.
    public private(set) var since: Instant
    private(set) var held: Held?
    private(set) var cause: Cause?
    private(set) var probation = Probation()
    private(set) var window: FailureWindow
    private var era: UInt32 = 0
    private(set) var opening: OpenPeriod
    /// Attempts without an answer in a row.
    private var silentRun = 0
    /// Attempts in vain since the last answer, and when the first of them began.
    private var vain: (count: Int, since: Instant)?
    /// Active probes without one in a row.
    private var unreachableRun = 0

    public init(options: BreakerOptions = .init(), at now: Instant) {
        self.options = options
        since = now
        opening = OpenPeriod(at: now)
        window = FailureWindow(span: options.window, at: now)
    }

    /// Asks for one attempt, right before it starts; the ticket must come back with `succeeded`, `failed` or
    /// `abandoned`.
    public mutating func permit(at now: Instant) -> (permit: Permit, change: Change) {
        let change = advance(to: now)
        switch outlook(at: now) {
        case .passes: return (.pass(Ticket(era: era, probe: 0)), change)
        case .refuses(let refusal): return (.refuse(refusal), change)
        case .probes:
            let number = probation.take(at: now, timeout: options.probeTimeout)
            return (.probe(Ticket(era: era, probe: number)), change)
        }
    }

    // MARK: Results

    /// The attempt brought an answer.
    ///
    /// - Parameter firstContent: how long its first content took to come, where that was measured.
    public mutating func succeeded(
        _ ticket: Ticket, at now: Instant, firstContent: Duration? = nil
    ) -> Change {
        let change = advance(to: now)
        guard ticket.era == era else { return change }
        let isSlow = firstContent.map { $0 > options.slowCall } ?? false
        if ticket.probe != 0 {
            // One that was confirmed before is judged already.
            guard !probation.settle(ticket.probe), probation.giveBack(ticket.probe), !isSlow else {
                return change
            }
            return countProbe(at: now) ?? change
        }
        guard position == .closed else { return change }
        window.record(isSlow ? .slow : .answered, at: now)
        silentRun = 0
        vain = nil
        unreachableRun = 0
        return isSlow ? tripIfSlow(at: now) ?? change : change
    }

    /// The attempt showed its first content, and its end may be far: a probe counts now and frees its slot for the
    /// next. `succeeded` or `failed` must still follow; an ordinary call counts only then.
    public mutating func confirm(_ ticket: Ticket, at now: Instant) -> Change {
        let change = advance(to: now)
        guard ticket.era == era, ticket.probe != 0,
            let firstContent = probation.confirm(ticket.probe, at: now), firstContent <= options.slowCall
        else { return change }
        return countProbe(at: now) ?? change
    }

    /// The attempt failed; `retryAfter` is what the provider asked for, if it did.
    public mutating func failed(
        _ ticket: Ticket, at now: Instant, kind: FailureClass, retryAfter: Duration? = nil
    ) -> Change {
        guard kind.rule.countsForBreaker else { return abandoned(ticket, at: now) }
        let change = advance(to: now)
        guard ticket.era == era else { return change }
        if ticket.probe != 0 {
            // Also one that was confirmed: it showed content and then broke off.
            guard probation.settle(ticket.probe) || probation.giveBack(ticket.probe) else { return change }
        }
        switch position {
        case .open: return change
        case .halfOpen:
            guard ticket.probe != 0, held == nil else { return change }
            opening.ask(for: retryAfter, at: now, options: options)
            return trip(.probe(kind, openings: opening.count + 1), at: now)
        case .closed:
            opening.ask(for: retryAfter, at: now, options: options)
            return count(kind, at: now) ?? change
        }
    }

    /// The attempt ended without saying anything of the provider (cancelled, a bad key): a probe's slot is given back.
    public mutating func abandoned(_ ticket: Ticket, at now: Instant) -> Change {
        let change = advance(to: now)
        if ticket.era == era, !probation.settle(ticket.probe) { _ = probation.giveBack(ticket.probe) }
        return change
    }

    /// The attempt ended with its call, which had waited so long for the first byte: by itself that says nothing, but
    /// many such and no answer at all show that the target is silent.
    public mutating func gaveUp(_ ticket: Ticket, after waited: Duration, at now: Instant) -> Change {
        let change = abandoned(ticket, at: now)
        guard ticket.era == era, position == .closed, waited >= options.vainWait else { return change }
        let since = Instant(nanoseconds: now.nanoseconds - waited.wholeNanoseconds)
        vain = ((vain?.count ?? 0) + 1, min(vain?.since ?? since, since))
        guard held == nil, let vain, vain.count >= options.vainMin, now - vain.since >= options.silence else {
            return change
        }
        return trip(.silence(vain.count, now - vain.since), at: now)
    }

    /// Keys of several owners were rate-limited at once: that is the provider's condition, not one key's. Opens, or
    /// prolongs an opening; an override stands above it.
    public mutating func limited(_ promotion: RateLimitPromotion.Promotion, at now: Instant) -> Change {
        let change = advance(to: now)
        guard held == nil else { return change }
        opening.ask(for: promotion.retryAfter, at: now, options: options)
        guard position == .open else { return trip(.rateLimits, at: now) }
        opening.prolong()
        return change
    }

    // MARK: Active probes

    /// A probe of the provider got no answer, which counts like an attempt without one: the breaker may open before a
    /// call meets the outage. It is no attempt, so it stands in no share of failures, and it tries no half-open target.
    public mutating func unreachable(_ kind: FailureClass, at now: Instant) -> Change {
        let change = advance(to: now)
        guard position == .closed, held == nil else { return change }
        unreachableRun += 1
        return tripIfSilent(kind, at: now) ?? change
    }

    /// A probe of the provider got an answer. One that opened because nothing answered need not wait any longer: the next
    /// call tries it. When such a call failed all the same, a probe says nothing of calls, and the waits hold; so does what
    /// the provider asked for.
    public mutating func reachable(at now: Instant) -> Change {
        let change = advance(to: now)
        unreachableRun = 0
        guard position == .open, held == nil, opening.mayEndEarly(at: now) else { return change }
        switch cause {
        case .silentRun(_, .transport), .unreachable: return move(to: .halfOpen, at: now)
        default: return change
        }
    }

    /// Lets time have its effect: ends a hold, turns open into half-open.
    public mutating func advance(to now: Instant) -> Change {
        guard position != .closed || held != nil else { return .none }
        let ahead = position(at: now)
        var due = opening.until
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
    public mutating func hold(_ hold: BreakerHold, at now: Instant, wall: WallTime) -> Change {
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
    public mutating func release(at now: Instant) -> Change {
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

    /// Counts a good probe, and closes when it was the last one needed.
    private mutating func countProbe(at now: Instant) -> Change? {
        guard position == .halfOpen, held == nil, probation.count() >= options.probesToClose else {
            return nil
        }
        return move(to: .closed, at: now)
    }

    /// Counts a failure while closed, and trips when it is one too many.
    private mutating func count(_ kind: FailureClass, at now: Instant) -> Change? {
        let mark = FailureWindow.Mark(kind)
        window.record(mark, at: now)
        silentRun = mark == .silent ? silentRun + 1 : 0
        if mark != .silent { unreachableRun = 0 }
        guard held == nil else { return nil }
        if mark == .silent, let change = tripIfSilent(kind, at: now) { return change }
        let counts = window.counts(at: now)
        guard counts.calls >= options.callsMin,
            counts.failures * 100 >= counts.calls * options.failurePercent
        else { return nil }
        return trip(.share(counts), at: now)
    }

    /// Trips when attempts and probes in a row had no answer.
    private mutating func tripIfSilent(_ kind: FailureClass, at now: Instant) -> Change? {
        guard silentRun + unreachableRun >= options.silentRunMax else { return nil }
        let cause: Cause =
            unreachableRun == 0
            ? .silentRun(silentRun, kind)
            : .unreachable(probes: unreachableRun, attempts: silentRun, kind)
        return trip(cause, at: now)
    }

    /// Trips when too many of the window's answers were slow.
    private mutating func tripIfSlow(at now: Instant) -> Change? {
        let counts = window.counts(at: now)
        guard held == nil, counts.answers >= options.callsMin,
            counts.slow * 100 >= counts.answers * options.slowPercent
        else { return nil }
        return trip(.slow(counts), at: now)
    }

    private mutating func trip(_ cause: Cause, at now: Instant) -> Change {
        self.cause = cause
        opening.begin(at: now, options: options)
        return move(to: .open, at: now)
    }

    private mutating func move(to next: BreakerPosition, at now: Instant) -> Change {
        position = next
        since = now
        probation.restart()
        silentRun = 0
        vain = nil
        unreachableRun = 0
        switch next {
        case .open:
            era &+= 1
            probation.forget()
            return .opened
        case .halfOpen: return .halfOpened
        case .closed:
            opening.end()
            cause = nil
            window.clear()
            return .closed
        }
    }
}

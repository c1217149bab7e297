package import Domain

/// When a breaker trips and how it recovers; the defaults follow the thresholds in common use by such gateways.
package struct BreakerOptions: Sendable, Hashable {
    /// Share of failures in the window that trips it, 1 to 100.
    package var failurePercent: Int
    /// Below this many calls in the window the share says nothing.
    package var minimumCalls: Int
    /// Connect failures and time-outs in a row that trip it without the window.
    package var consecutiveFailures: Int
    /// How long it stays open the first time; doubles with each failed probe.
    package var openFirst: Duration
    package var openMost: Duration
    /// Probes in a row that must succeed before it closes.
    package var probeSuccesses: Int
    /// A probe that was never reported gives its place back after this long.
    package var probeTimeout: Duration

    package init(
        failurePercent: Int = 50, minimumCalls: Int = 10, consecutiveFailures: Int = 5,
        openFirst: Duration = .seconds(10), openMost: Duration = .seconds(120), probeSuccesses: Int = 3,
        probeTimeout: Duration = .seconds(60)
    ) {
        self.failurePercent = failurePercent
        self.minimumCalls = minimumCalls
        self.consecutiveFailures = consecutiveFailures
        self.openFirst = openFirst
        self.openMost = openMost
        self.probeSuccesses = probeSuccesses
        self.probeTimeout = probeTimeout
    }
}

/// Leave to send one attempt to a target, or not.
package enum BreakerPermit: Sendable, Hashable {
    case pass(epoch: UInt64)
    /// One at a time while half open; report it with the same permit.
    case probe(epoch: UInt64)
    case refuse(retryAt: Instant?, why: String)
}

/// How an attempt went, as a breaker sees it.
package enum BreakerOutcome: Sendable, Hashable {
    case succeeded
    /// - Parameter connect: it never got as far as an answer.
    case failed(connect: Bool, retryAfter: Duration?)
    /// It says nothing about the target: cancelled by the caller.
    case abandoned
}

/// Whether a breaker moved.
package enum BreakerChange: Sendable, Hashable { case none, opened, halfOpened, closed }

/// A circuit breaker as a plain value: events and time in, decisions out.
///
/// Closed counts failures in a window of 30 one-second buckets. Open refuses until its time has come, then half open
/// lets one probe through at a time. Every trip and every close begins a new epoch; results of attempts that began
/// in an older epoch change nothing. An operator's hold stands above all that until it ends or is released.
package struct Breaker: Sendable {
    private enum State: Sendable, Hashable {
        case closed
        case open(until: Instant)
        case halfOpen(successes: Int, probeSince: Instant?)
    }

    private struct Bucket: Sendable {
        var second: Int64 = .min
        var calls = 0
        var failures = 0
    }

    private struct Override: Sendable {
        let hold: BreakerHold
        let ends: Instant
    }

    /// The window: 30 seconds.
    package static let windowSeconds = 30

    private let options: BreakerOptions
    private var state = State.closed
    private var buckets = [Bucket](repeating: Bucket(), count: windowSeconds)
    private var consecutive = 0
    private var epoch: UInt64 = 0
    private var openFor: Duration
    private var tripped = ""
    private var override: Override?
    package private(set) var since: Instant?
    package private(set) var lastUsed: Instant?

    package init(options: BreakerOptions = BreakerOptions()) {
        self.options = options
        openFor = options.openFirst
    }

    // MARK: Decisions

    /// May an attempt begin now? `probe` permits must be reported back.
    package mutating func permit(at now: Instant) -> (BreakerPermit, BreakerChange) {
        lastUsed = now
        let ended = endHold(at: now)
        if let override {
            switch override.hold.mode {
            case .open: return (.refuse(retryAt: override.ends, why: why(at: now)), ended)
            case .closed: return (.pass(epoch: epoch), ended)
            case .asIs:
                if case .closed = state { return (.pass(epoch: epoch), ended) }
                return (.refuse(retryAt: override.ends, why: why(at: now)), ended)
            }
        }
        switch state {
        case .closed: return (.pass(epoch: epoch), ended)
        case .open(let until):
            guard now >= until else { return (.refuse(retryAt: until, why: why(at: now)), ended) }
            move(to: .halfOpen(successes: 0, probeSince: now), at: now)
            return (.probe(epoch: epoch), .halfOpened)
        case .halfOpen(let successes, let probeSince):
            if let probeSince, now < probeSince + options.probeTimeout {
                return (.refuse(retryAt: now + .seconds(1), why: why(at: now)), ended)
            }
            state = .halfOpen(successes: successes, probeSince: now)
            return (.probe(epoch: epoch), ended)
        }
    }

    /// Hears how a permitted attempt went.
    package mutating func report(_ outcome: BreakerOutcome, of permit: BreakerPermit, at now: Instant) -> BreakerChange {
        let ended = endHold(at: now)
        switch permit {
        case .refuse: return ended
        case .pass(let from):
            guard from == epoch, case .closed = state else { return ended }
            let change = reportPass(outcome, at: now)
            return change == .none ? ended : change
        case .probe(let from):
            guard from == epoch, case .halfOpen(let successes, _) = state else { return ended }
            let change = reportProbe(outcome, successes: successes, at: now)
            return change == .none ? ended : change
        }
    }

    private mutating func reportPass(_ outcome: BreakerOutcome, at now: Instant) -> BreakerChange {
        guard outcome != .abandoned else { return .none }
        count(outcome, at: now)
        guard case .failed(let connect, let retryAfter) = outcome else {
            consecutive = 0
            return .none
        }
        consecutive = connect ? consecutive + 1 : 0
        guard override == nil else { return .none }
        let (calls, failures) = window(at: now)
        if consecutive >= options.consecutiveFailures {
            return trip("\(consecutive) connect failures or time-outs in a row", retryAfter, at: now)
        }
        guard calls >= options.minimumCalls, failures * 100 >= calls * options.failurePercent else { return .none }
        return trip(
            "\(failures) of \(calls) calls failed (\(failures * 100 / calls)%) in \(Self.windowSeconds) s, trips at "
                + "\(options.failurePercent)% of at least \(options.minimumCalls)", retryAfter, at: now)
    }

    private mutating func reportProbe(_ outcome: BreakerOutcome, successes: Int, at now: Instant) -> BreakerChange {
        switch outcome {
        case .abandoned:
            state = .halfOpen(successes: successes, probeSince: nil)
            return .none
        case .succeeded:
            guard successes + 1 >= options.probeSuccesses else {
                state = .halfOpen(successes: successes + 1, probeSince: nil)
                return .none
            }
            move(to: .closed, at: now)
            forgetCounts()
            openFor = options.openFirst
            return .closed
        case .failed(_, let retryAfter):
            openFor = min(openFor * 2, options.openMost)
            return trip("a probe failed", retryAfter, at: now)
        }
    }

    private mutating func trip(_ why: String, _ retryAfter: Duration?, at now: Instant) -> BreakerChange {
        let wait = max(openFor, min(retryAfter ?? .zero, .seconds(3_600)))
        tripped = why
        move(to: .open(until: now + wait), at: now)
        return .opened
    }

    private mutating func move(to next: State, at now: Instant) {
        state = next
        since = now
        epoch += 1
    }

    // MARK: Holds

    /// Puts an operator's override in force until `ends`.
    package mutating func hold(_ hold: BreakerHold, ends: Instant, at now: Instant) {
        override = Override(hold: hold, ends: ends)
        since = now
        epoch += 1
        // A probe under way no longer counts; whoever comes after the hold begins anew.
        if case .halfOpen(let successes, _) = state { state = .halfOpen(successes: successes, probeSince: nil) }
    }

    /// Ends the override; what was forced open goes half open, so that a probe decides.
    package mutating func release(at now: Instant) -> BreakerChange {
        guard let ended = override else { return .none }
        override = nil
        since = now
        epoch += 1
        switch ended.hold.mode {
        case .open:
            state = .halfOpen(successes: 0, probeSince: nil)
            tripped = "the hold ended"
            return .halfOpened
        case .closed:
            let wasClosed = state == .closed
            state = .closed
            forgetCounts()
            return wasClosed ? .none : .closed
        case .asIs: return .none
        }
    }

    /// True once the override's end has passed; the next `permit` or `report` releases it.
    package func holdHasEnded(at now: Instant) -> Bool { override.map { now >= $0.ends } ?? false }

    private mutating func endHold(at now: Instant) -> BreakerChange {
        holdHasEnded(at: now) ? release(at: now) : .none
    }

    package var hold: BreakerHold? { override?.hold }

    // MARK: What can be seen

    package var position: BreakerPosition {
        switch override?.hold.mode {
        case .open: return .open
        case .closed: return .closed
        case .asIs, nil: break
        }
        return switch state {
        case .closed: .closed
        case .open: .open
        case .halfOpen: .halfOpen
        }
    }

    /// Calls and failures in the window.
    package func window(at now: Instant) -> (calls: Int, failures: Int) {
        let second = now.nanoseconds / 1_000_000_000
        return buckets.reduce(into: (0, 0)) { sum, bucket in
            guard bucket.second > second - Int64(Self.windowSeconds), bucket.second <= second else { return }
            sum.0 += bucket.calls
            sum.1 += bucket.failures
        }
    }

    /// When an attempt may pass again; nil when one may now.
    package func nextChance(at now: Instant) -> Instant? {
        if let override, override.hold.mode != .closed { return override.hold.mode == .open ? override.ends : nil }
        if case .open(let until) = state, until > now { return until }
        return nil
    }

    /// One sentence: the rule, the numbers, what happens next.
    package func why(at now: Instant) -> String {
        if let override {
            let left = seconds(override.ends - now)
            let what =
                switch override.hold.mode {
                case .open: "forced open"
                case .closed: "forced closed"
                case .asIs: "held as it is"
                }
            return "\(what) by \(override.hold.owner): \(override.hold.reason); ends in \(left)"
        }
        switch state {
        case .closed:
            let (calls, failures) = window(at: now)
            return calls == 0
                ? "no calls in \(Self.windowSeconds) s"
                : "\(failures) of \(calls) calls failed in \(Self.windowSeconds) s; trips at \(options.failurePercent)%"
        case .open(let until):
            let next = until > now ? "probe in \(seconds(until - now))" : "probe with the next call"
            return "\(tripped); \(next), needs \(options.probeSuccesses) ok in a row"
        case .halfOpen(let successes, _):
            return "\(tripped); probing: \(successes) of \(options.probeSuccesses) ok"
        }
    }

    private func seconds(_ duration: Duration) -> String {
        let count = duration.secondsRoundedUp
        return count < 120 ? "\(count)s" : "\((count + 59) / 60)m"
    }

    // MARK: The window

    private mutating func count(_ outcome: BreakerOutcome, at now: Instant) {
        let second = now.nanoseconds / 1_000_000_000
        let index = Int(((second % Int64(Self.windowSeconds)) + Int64(Self.windowSeconds)) % Int64(Self.windowSeconds))
        if buckets[index].second != second { buckets[index] = Bucket(second: second) }
        buckets[index].calls += 1
        if case .failed = outcome { buckets[index].failures += 1 }
    }

    private mutating func forgetCounts() {
        for index in buckets.indices { buckets[index] = Bucket() }
        consecutive = 0
    }
}

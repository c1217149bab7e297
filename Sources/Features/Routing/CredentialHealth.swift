public import Domain

/// How long a provider key rests after what its provider said of it.
public struct CredentialOptions: Sendable, Hashable {
    /// Rest after a rate limit that named no moment.
    public var coolingDefault = Duration.seconds(10)
    /// The most a Retry-After may rest a key: a broken header must not disable it for good.
    public var coolingLongest = Duration.seconds(3_600)
    /// Rest after a spent quota; doubles with each probe that finds it still spent.
    public var exhaustedFirst = Duration.seconds(300)
    public var exhaustedLongest = Duration.seconds(3_600)
    /// Rest after the first refusal of a key, in which the engine asks the provider; without an answer one call may.
    public var suspectRest = Duration.seconds(30)
    /// Rest after a refused key, and after a refused model, until one probe asks again.
    public var refusedRest = Duration.seconds(600)
    /// When a probe of which nothing was heard no longer blocks the next.
    public var probeTimeout = Duration.seconds(60)

    public init() {}
}

/// Whether a provider key may be used for a call.
public enum CredentialAvailability: Sendable, Hashable {
    case usable
    /// Its rest is over: one call may try it, and others wait for what that one finds.
    case probe
    case refused(CredentialMark, until: Instant)
}

/// What is known of one provider key, as a whole or for one model, as a plain value.
///
/// Marks and time go in, availability comes out. It never touches a breaker: a bad key is not the provider's fault.
public struct CredentialHealth: Sendable, Hashable {
    public private(set) var mark: CredentialMark = .ok
    /// When it was last marked; only a call begun after that can clear it.
    public private(set) var markedAt: Instant?
    /// The end of its rest.
    public private(set) var until = Instant(nanoseconds: .min)
    /// Probes in a row that found the quota spent.
    private var repeats = 0
    private var probeEnds: Instant?

    public init() {}

    public func availability(at now: Instant) -> CredentialAvailability {
        switch mark {
        case .ok: return .usable
        case .cooling: return now < until ? .refused(mark, until: until) : .usable
        case .exhausted, .suspect, .rejected, .deniedForModel:
            if now < until { return .refused(mark, until: until) }
            if let probeEnds, now < probeEnds { return .refused(mark, until: probeEnds) }
            return .probe
        }
    }

    /// Takes the probe, if one is due, right before the attempt starts.
    public mutating func take(at now: Instant, options: CredentialOptions) -> CredentialAvailability {
        let availability = availability(at: now)
        if availability == .probe { probeEnds = now + options.probeTimeout }
        return availability
    }

    /// Notes what an attempt showed.
    ///
    /// - Parameters:
    ///   - began: when the attempt started. An answer to a call begun before the last bad mark clears nothing:
    ///     calls in flight beside a rate-limited one must not end its rest. Nor does another bad mark that came of
    ///     such a call take its place to shorten the rest.
    ///   - retryAfter: what the provider asked for. Overlapping rests keep the longest end.
    public mutating func note(
        _ mark: CredentialMark, began: Instant, at now: Instant, retryAfter: Duration?,
        options: CredentialOptions
    ) {
        guard mark != .ok else {
            if let markedAt, began >= markedAt { self = Self() }
            return
        }
        let mark = confirmed(mark, began: began)
        // Only a probe doubles the rest; the others in flight when the quota ran out say nothing new.
        let isKnown = mark == .exhausted && self.mark == .exhausted && now < until
        let repeats = mark == .exhausted && self.mark == .exhausted ? self.repeats + (isKnown ? 0 : 1) : 0
        let rest: Duration =
            switch mark {
            case .ok, .cooling: retryAfter ?? options.coolingDefault
            case .suspect: options.suspectRest
            case .rejected, .deniedForModel: options.refusedRest
            case .exhausted:
                isKnown ? .zero : max(exhaustedRest(after: repeats, options), retryAfter ?? .zero)
            }
        let end = now + min(max(rest, .zero), max(options.coolingLongest, options.exhaustedLongest))
        if self.mark != mark, end <= until, let markedAt, began < markedAt { return }
        until = self.mark == mark ? max(until, end) : end
        self.mark = mark
        self.repeats = repeats
        markedAt = now
        probeEnds = nil
    }

    /// One refusal may be the provider's slip: it makes a suspect. The next, to a call begun after it, confirms it.
    /// Refusals of calls that were under way beside the first say nothing new.
    private func confirmed(_ mark: CredentialMark, began: Instant) -> CredentialMark {
        guard mark == .suspect else { return mark }
        switch self.mark {
        case .rejected: return .rejected
        case .suspect: return markedAt.map { began > $0 } ?? false ? .rejected : .suspect
        case .ok, .cooling, .exhausted, .deniedForModel: return .suspect
        }
    }

    private func exhaustedRest(after repeats: Int, _ options: CredentialOptions) -> Duration {
        var rest = options.exhaustedFirst
        for _ in 0..<repeats where rest < options.exhaustedLongest { rest += rest }
        return min(rest, options.exhaustedLongest)
    }
}

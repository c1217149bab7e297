public import Domain

extension Breaker {
    /// What last opened or half-opened it, for the sentence of `why`.
    enum Cause: Sendable {
        case share(FailureWindow.Counts)
        case slow(FailureWindow.Counts)
        case silentRun(Int, FailureClass)
        case silence(Int, Duration)
        case unreachable(probes: Int, attempts: Int, FailureClass)
        case rateLimits
        case probe(FailureClass, openings: Int)
        case released(owner: String)
    }

    /// One sentence for people: the rule, the numbers, and what happens next.
    public func why(at now: Instant) -> String {
        var breaker = self
        _ = breaker.advance(to: now)
        return breaker.sentence(at: now)
    }

    private func sentence(at now: Instant) -> String {
        if let held { return sentence(of: held, at: now) }
        switch position {
        case .closed: return windowPhrase(at: now)
        case .open:
            let wait = (nextProbe(at: now) ?? now) - now
            return "\(causePhrase); probe in \(wait.brief); needs \(options.probesToClose) ok"
        case .halfOpen:
            return
                "\(causePhrase); probing one call at a time, \(probation.successes) of \(options.probesToClose) ok"
        }
    }

    private func sentence(of held: Held, at now: Instant) -> String {
        let left = (held.ends - now).brief
        let who = "by \(held.hold.owner) (\(held.hold.reason))"
        return switch held.hold.mode {
        case .open: "forced open \(who); half-open in \(left)"
        case .closed: "forced closed \(who); free in \(left); \(windowPhrase(at: now))"
        case .asIs: "held \(position.word) \(who); free in \(left)"
        }
    }

    private var causePhrase: String {
        switch cause {
        case .share(let counts): sharePhrase(counts)
        case .slow(let counts): slowPhrase(counts)
        case .silentRun(let count, let kind):
            "\(count) attempts in a row without an answer, last \(kind.rawValue) (trip at \(options.silentRunMax))"
        case .silence(let count, let length):
            "no answer in \(length.brief), \(count) calls waited in vain (trip at \(options.silence.brief), min \(options.vainMin))"
        case .unreachable(let probes, let attempts, let kind):
            "\(probes) free \(probes == 1 ? "probe" : "probes")"
                + (attempts == 0 ? "" : " and \(attempts) \(attempts == 1 ? "attempt" : "attempts")")
                + " in a row without an answer, last \(kind.rawValue) (trip at \(options.silentRunMax))"
        case .rateLimits: RateLimitPromotion.why
        case .probe(let kind, let openings): "probe failed: \(kind.rawValue); opening \(openings) in a row"
        case .released(let owner): "was forced open by \(owner)"
        case nil: "no failure known"
        }
    }

    /// Both rules while closed; the one of slow answers only when there are some.
    private func windowPhrase(at now: Instant) -> String {
        let counts = window.counts(at: now)
        return counts.slow == 0 ? sharePhrase(counts) : "\(sharePhrase(counts)); \(slowPhrase(counts))"
    }

    private func slowPhrase(_ counts: FailureWindow.Counts) -> String {
        "\(counts.slowPercent)% of answers took over \(options.slowCall.brief) to their first content, "
            + "over \(options.window.brief) (trip at \(options.slowPercent)%, min \(options.callsMin) answers)"
    }

    private func sharePhrase(_ counts: FailureWindow.Counts) -> String {
        let over = "over \(options.window.brief)"
        let rule = "(trip at \(options.failurePercent)%, min \(options.callsMin) calls)"
        guard counts.calls > 0 else { return "no calls \(over) \(rule)" }
        let what =
            if counts.failures == counts.silent && counts.silent > 0 {
                "no answer"
            } else if counts.failures == counts.serverErrors && counts.serverErrors > 0 {
                "5xx"
            } else {
                "failures"
            }
        return "\(what) \(counts.failurePercent)% \(over) \(rule)"
    }
}

extension Duration {
    /// As a person says it, rounded up to seconds: `18s`, `2m 5s`, `3h 10m`, `9d 4h`.
    var brief: String {
        let seconds = secondsRoundedUp
        func pair(_ large: Int64, _ first: String, _ small: Int64, _ second: String) -> String {
            small == 0 ? "\(large)\(first)" : "\(large)\(first) \(small)\(second)"
        }
        return switch seconds {
        case ..<60: "\(seconds)s"
        case ..<3_600: pair(seconds / 60, "m", seconds % 60, "s")
        case ..<86_400: pair(seconds / 3_600, "h", seconds % 3_600 / 60, "m")
        default: pair(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h")
        }
    }
}

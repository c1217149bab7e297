public import Domain

/// Turns candidates, breakers and key health into the ordered attempts a call may make.
///
/// Pure, and only looks: a probe's slot is taken by the attempt itself, so that plans which are never carried out
/// block nothing.
public struct RoutePlanner: Sendable {
    /// The most attempts a plan holds: bounds what one call can cost.
    public let attemptsMax: Int

    /// What to suppose where nobody knows the end: a probe usually takes about as long.
    private static var supposedWait: Duration { .seconds(1) }

    public init(attemptsMax: Int = 8) { self.attemptsMax = max(1, attemptsMax) }

    /// - Parameters:
    ///   - order: the candidates' places as a strategy gave them.
    ///   - breakers: one outlook for each candidate, in the candidates' order.
    ///   - credentials: for each candidate one availability for each of its keys.
    public func plan(
        _ candidates: [Candidate], order: [Int], breakers: [Breaker.Outlook],
        credentials: [[CredentialAvailability]], at now: Instant
    ) -> RoutePlan {
        var draft = Draft(attemptsMax: attemptsMax)
        for place in order {
            let candidate = candidates[place]
            let keysFrom = draft.moment(of: candidate, credentials: credentials[place], at: now)
            if case .refuses(let refusal) = breakers[place] {
                draft.skipped.append(.init(target: candidate.target, key: nil, reason: .breaker(refusal)))
                draft.wait(for: keysFrom.map { max($0, refusal.retryAt ?? now + Self.supposedWait) })
            } else {
                draft.add(candidate, credentials: credentials[place])
                draft.wait(for: keysFrom)
            }
        }
        draft.trim()
        return RoutePlan(
            attempts: draft.attempts, skipped: draft.skipped,
            retryAt: draft.attempts.isEmpty ? draft.retryAt : nil)
    }
}

/// A plan in the making.
private struct Draft {
    let attemptsMax: Int
    var attempts: [RoutePlan.Attempt] = []
    var skipped: [RoutePlan.Skipped] = []
    var retryAt: Instant?

    mutating func wait(for moment: Instant?) {
        guard let moment else { return }
        retryAt = min(retryAt ?? moment, moment)
    }

    /// When one of the candidate's keys may be used; nil when it has none and needs one.
    func moment(of candidate: Candidate, credentials: [CredentialAvailability], at now: Instant) -> Instant? {
        if candidate.keys.isEmpty { return candidate.keyless ? now : nil }
        var soonest: Instant?
        for availability in credentials {
            guard case .refused(_, let until) = availability else { return now }
            soonest = min(soonest ?? until, until)
        }
        return soonest
    }

    /// Adds an attempt for each key that may be used; keys due for a probe come after those known to be well.
    mutating func add(_ candidate: Candidate, credentials: [CredentialAvailability]) {
        if candidate.keys.isEmpty {
            if candidate.keyless {
                attempt(candidate.target, nil)
            } else {
                skipped.append(.init(target: candidate.target, key: nil, reason: .noKey))
            }
        }
        for owned in [0..<candidate.ownKeys, candidate.ownKeys..<candidate.keys.count] {
            attempt(candidate, owned, credentials, that: .usable)
            attempt(candidate, owned, credentials, that: .probe)
        }
        for (key, availability) in zip(candidate.keys, credentials) {
            guard case .refused(let mark, let until) = availability else { continue }
            skipped.append(.init(target: candidate.target, key: key, reason: .credential(mark, until: until)))
        }
    }

    private mutating func attempt(
        _ candidate: Candidate, _ owned: Range<Int>, _ credentials: [CredentialAvailability],
        that wanted: CredentialAvailability
    ) {
        for place in owned where credentials[place] == wanted {
            attempt(candidate.target, candidate.keys[place])
        }
    }

    private mutating func attempt(_ target: Target, _ key: ProviderKeyID?) {
        attempts.append(.init(target: target, key: key))
    }

    /// Leaves out what is more than a call may make. Each target keeps its turn before any gets one for another key:
    /// however many keys a tenant has, what fails at one provider can still be answered by the last.
    mutating func trim() {
        guard attempts.count > attemptsMax else { return }
        var targets: Set<Target> = []
        for attempt in attempts where targets.count < attemptsMax { targets.insert(attempt.target) }
        var spare = attemptsMax - targets.count
        var kept: [RoutePlan.Attempt] = []
        for attempt in attempts {
            if targets.remove(attempt.target) == nil {
                guard spare > 0 else {
                    skipped.append(
                        .init(target: attempt.target, key: attempt.key, reason: .enough(attemptsMax)))
                    continue
                }
                spare -= 1
            }
            kept.append(attempt)
        }
        attempts = kept
    }
}

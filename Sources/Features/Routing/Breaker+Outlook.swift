public import Domain

/// What can be asked of a breaker without changing it.
extension Breaker {
    /// The position once time has had its effect: an open breaker whose time is up is half-open.
    public func position(at now: Instant) -> BreakerPosition {
        if let held {
            guard now >= held.ends else { return position }
            if held.hold.mode == .open { return .halfOpen }
        }
        return position == .open && now >= opening.until ? .halfOpen : position
    }

    /// The override in force.
    public func hold(at now: Instant) -> BreakerHold? {
        guard let held, now < held.ends else { return nil }
        return held.hold
    }

    /// When an open breaker will let a probe through; nil in other positions.
    public func nextProbe(at now: Instant) -> Instant? {
        position(at: now) == .open ? refusal(at: now).retryAt : nil
    }

    /// What `permit` would say, without taking a probe's slot.
    public func outlook(at now: Instant) -> Outlook {
        switch position(at: now) {
        case .closed: return .passes
        case .open: return .refuses(refusal(at: now))
        case .halfOpen:
            // A position that only time has made half-open has no probe yet.
            guard position == .halfOpen, probation.isTaken(at: now) else { return .probes }
            return .refuses(Refusal(cause: .probing, retryAt: nil))
        }
    }

    /// Whether `permit` would let a call through that is no probe.
    func passes(at now: Instant) -> Bool {
        if held == nil, position == .closed { return true }
        return outlook(at: now) == .passes
    }

    private func refusal(at now: Instant) -> Refusal {
        guard let held, now < held.ends else { return Refusal(cause: .open, retryAt: opening.until) }
        return Refusal(
            cause: .held, retryAt: held.hold.mode == .open ? held.ends : max(held.ends, opening.until))
    }
}

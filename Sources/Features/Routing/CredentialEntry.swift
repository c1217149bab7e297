import Domain

/// The health of one provider key: as a whole, and for the models it rests for.
struct CredentialEntry: Sendable {
    /// Models remembered for one key; a call names one model, and a key rarely serves more than a few.
    private static var modelsMax: Int { 64 }

    private(set) var whole = CredentialHealth()
    /// Few: models this key is resting for. Searched from the front.
    private(set) var models: [(name: ModelName, health: CredentialHealth)] = []

    /// The worst that is known: what a listing shows for the key.
    var mark: CredentialMark {
        guard whole.mark == .ok else { return whole.mark }
        if models.contains(where: { $0.health.mark == .deniedForModel }) { return .deniedForModel }
        return models.isEmpty ? .ok : .cooling
    }

    /// The worst that is in force at a moment: rate limits end by themselves.
    func mark(at now: Instant) -> CredentialMark {
        var current = self
        current.models.removeAll { $0.health.isOver(at: now) }
        return current.mark
    }

    var restEnds: Instant { models.reduce(whole.until) { max($0, $1.health.until) } }

    func availability(for model: ModelName, at now: Instant) -> CredentialAvailability {
        let first = whole.availability(at: now)
        guard let place = place(of: model) else { return first }
        return first.and(models[place].health.availability(at: now))
    }

    mutating func take(
        for model: ModelName, at now: Instant, options: CredentialOptions
    ) -> CredentialAvailability {
        let availability = availability(for: model, at: now)
        guard availability == .probe else { return availability }
        _ = whole.take(at: now, options: options)
        if let place = place(of: model) { _ = models[place].health.take(at: now, options: options) }
        return availability
    }

    mutating func note(
        _ mark: CredentialMark, for model: ModelName, began: Instant, at now: Instant, retryAfter: Duration?,
        options: CredentialOptions
    ) {
        // Rests that ended by themselves need no success to go.
        models.removeAll { $0.health.isOver(at: now) }
        if mark != .cooling && mark != .deniedForModel {
            whole.note(mark, began: began, at: now, retryAfter: retryAfter, options: options)
        }
        guard mark == .ok || mark == .cooling || mark == .deniedForModel else { return }
        if mark != .ok && place(of: model) == nil {
            if models.count >= Self.modelsMax { dropFirstToEnd() }
            models.append((model, CredentialHealth()))
        }
        guard let place = place(of: model) else { return }
        models[place].health.note(mark, began: began, at: now, retryAfter: retryAfter, options: options)
        if models[place].health.mark == .ok { models.remove(at: place) }
    }

    /// Everything that is not simply well, the key as a whole first.
    func statuses(of key: ProviderKeyID, at now: Instant, _ history: CredentialHistory) -> [CredentialStatus]
    {
        let parts = [(nil, whole)] + models.map { (Optional($0.name), $0.health) }
        return parts.compactMap { model, health in
            guard let markedAt = health.markedAt, !health.isOver(at: now) else { return nil }
            return CredentialStatus(
                key: key, model: model, mark: health.mark, until: health.until, markedAt: markedAt,
                headroom: model.flatMap { history.headroom(of: key, for: $0, at: now) })
        }
    }

    private func place(of model: ModelName) -> Int? { models.firstIndex { $0.name == model } }

    private mutating func dropFirstToEnd() {
        guard let first = models.indices.min(by: { models[$0].health.until < models[$1].health.until }) else {
            return
        }
        models.remove(at: first)
    }
}

extension CredentialHealth {
    /// Whether it is as good as well: a rate limit's rest needs no proof to end.
    fileprivate func isOver(at now: Instant) -> Bool { mark == .ok || (mark == .cooling && now >= until) }
}

extension CredentialAvailability {
    /// Both must allow; of two refusals the later end holds.
    fileprivate func and(_ other: Self) -> Self {
        switch (self, other) {
        case (.refused(_, let until), .refused(_, let otherUntil)): until >= otherUntil ? self : other
        case (.refused, _), (.probe, .usable), (.probe, .probe): self
        case (_, .refused), (.usable, _): other
        }
    }
}

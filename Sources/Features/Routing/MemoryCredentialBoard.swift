package import Domain
import Locking

/// The health of provider keys in this process, behind one lock that is held for nanoseconds.
///
/// Only keys that are not well take room: a success removes what it clears.
package final class MemoryCredentialBoard: CredentialBoard {
    fileprivate struct Entry {
        var whole = CredentialHealth()
        /// Few: models this key is resting for. Searched from the front.
        var models: [(name: ModelName, health: CredentialHealth)] = []
    }

    /// Models remembered for one key; a call names one model, and a key rarely serves more than a few.
    private static var modelsMax: Int { 64 }

    private let options: CredentialOptions
    private let capacity: Int
    private let entries = Locked<[ProviderKeyID: Entry]>([:])

    /// - Parameter capacity: unwell keys remembered; past it those whose rest ends first are forgotten.
    package init(options: CredentialOptions = .init(), capacity: Int = 16_384) {
        self.options = options
        self.capacity = max(1, capacity)
    }

    package func availabilities(
        of candidates: [Candidate], at now: Instant
    ) -> [[CredentialAvailability]] {
        entries.withLock { entries in
            candidates.map { candidate in
                candidate.keys.map {
                    entries[$0]?.availability(for: candidate.target.model, at: now) ?? .usable
                }
            }
        }
    }

    package func take(_ key: ProviderKeyID, for model: ModelName, at now: Instant) -> CredentialAvailability {
        entries.withLock { $0[key]?.take(for: model, at: now, options: options) ?? .usable }
    }

    package func note(
        _ mark: CredentialMark, on key: ProviderKeyID, for model: ModelName, began: Instant, at now: Instant,
        retryAfter: Duration?
    ) -> CredentialMark? {
        entries.withLock { entries in
            // The usual case, a good answer from a well key, ends here.
            if mark == .ok && entries[key] == nil { return nil }
            if entries[key] == nil { makeRoom(in: &entries) }
            let before = entries[key]?.mark ?? .ok
            entries[key, default: Entry()].note(
                mark, for: model, began: began, at: now, retryAfter: retryAfter, options: options,
                modelsMax: Self.modelsMax)
            let after = entries[key]?.mark ?? .ok
            if after == .ok { entries[key] = nil }
            return before == after ? nil : after
        }
    }

    package func clear(_ key: ProviderKeyID) -> CredentialMark? {
        entries.withLock { $0.removeValue(forKey: key) == nil ? nil : .ok }
    }

    package func states(at now: Instant) -> [CredentialStatus] {
        let copy = entries.withLock { $0 }
        return copy.sorted { $0.key < $1.key }.flatMap { key, entry -> [CredentialStatus] in
            [CredentialStatus(entry.whole, of: key, for: nil, at: now)].compactMap { $0 }
                + entry.models.compactMap { CredentialStatus($0.health, of: key, for: $0.name, at: now) }
        }
    }

    /// Drops an eighth when full, so that the search is paid once in many insertions.
    private func makeRoom(in entries: inout [ProviderKeyID: Entry]) {
        guard entries.count >= capacity else { return }
        let byEnd = entries.map { (key: $0.key, ends: $0.value.restEnds) }.sorted { $0.ends < $1.ends }
        for entry in byEnd.prefix(max(1, capacity / 8)) { entries[entry.key] = nil }
    }
}

extension MemoryCredentialBoard.Entry {
    /// The worst that is known: what a listing shows for the key.
    var mark: CredentialMark {
        guard whole.mark == .ok else { return whole.mark }
        if models.contains(where: { $0.health.mark == .deniedForModel }) { return .deniedForModel }
        return models.isEmpty ? .ok : .cooling
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
        options: CredentialOptions, modelsMax: Int
    ) {
        // Rests that ended by themselves need no success to go.
        models.removeAll { $0.health.isOver(at: now) }
        if mark != .cooling && mark != .deniedForModel {
            whole.note(mark, began: began, at: now, retryAfter: retryAfter, options: options)
        }
        guard mark == .ok || mark == .cooling || mark == .deniedForModel else { return }
        if mark != .ok && place(of: model) == nil {
            if models.count >= modelsMax { dropFirstToEnd() }
            models.append((model, CredentialHealth()))
        }
        guard let place = place(of: model) else { return }
        models[place].health.note(mark, began: began, at: now, retryAfter: retryAfter, options: options)
        if models[place].health.mark == .ok { models.remove(at: place) }
    }

    private func place(of model: ModelName) -> Int? { models.firstIndex { $0.name == model } }

    private mutating func dropFirstToEnd() {
        guard let first = models.indices.min(by: { models[$0].health.until < models[$1].health.until }) else {
            return
        }
        models.remove(at: first)
    }
}

extension CredentialStatus {
    /// nil for what is well.
    fileprivate init?(
        _ health: CredentialHealth, of key: ProviderKeyID, for model: ModelName?, at now: Instant
    ) {
        guard let markedAt = health.markedAt, !health.isOver(at: now) else { return nil }
        self.init(key: key, model: model, mark: health.mark, until: health.until, markedAt: markedAt)
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

public import Domain
import Locking

/// The health of provider keys in this process, behind one lock that is held for nanoseconds.
///
/// Only keys that are not well take room among the marks: a success removes what it clears. What was last seen of keys
/// that are well is kept for screens, of fewer keys.
public final class MemoryCredentialBoard: CredentialBoard {
    private struct State {
        var entries: [ProviderKeyID: CredentialEntry] = [:]
        var history: CredentialHistory
    }

    private let options: CredentialOptions
    private let capacity: Int
    private let state: Locked<State>

    /// - Parameters:
    ///   - capacity: unwell keys remembered; past it those whose rest ends first are forgotten.
    ///   - factsMax: keys whose facts are remembered, about 1 KiB each with all their models; past it those not seen
    ///     for longest are forgotten.
    public init(options: CredentialOptions = .init(), capacity: Int = 16_384, factsMax: Int = 4_096) {
        self.options = options
        self.capacity = max(1, capacity)
        state = Locked(State(history: CredentialHistory(capacity: factsMax)))
    }

    public func availabilities(
        of candidates: [Candidate], at now: Instant
    ) -> [[CredentialAvailability]] {
        state.withLock { state in
            candidates.map { candidate in
                candidate.keys.map {
                    state.entries[$0]?.availability(for: candidate.target.model, at: now) ?? .usable
                }
            }
        }
    }

    public func areWell(_ candidates: [Candidate], at now: Instant) -> Bool {
        state.withLock { state in
            state.entries.isEmpty
                || candidates.allSatisfy { candidate in
                    candidate.keys.allSatisfy { key in
                        guard let entry = state.entries[key] else { return true }
                        return entry.availability(for: candidate.target.model, at: now) == .usable
                    }
                }
        }
    }

    public func take(_ key: ProviderKeyID, for model: ModelName, at now: Instant) -> CredentialAvailability {
        state.withLock { state in
            // Looked for first: asking for a place to change costs more, and nearly no key is among them.
            guard state.entries[key] != nil else { return .usable }
            return state.entries[key]?.take(for: model, at: now, options: options) ?? .usable
        }
    }

    public func note(
        _ mark: CredentialMark, on key: ProviderKeyID, for model: ModelName, began: Instant, at now: Instant,
        retryAfter: Duration?
    ) -> CredentialMark? {
        state.withLock { state in
            state.history.note(mark, on: key, at: now)
            // The usual case, a good answer from a well key, ends here.
            if mark == .ok && state.entries[key] == nil { return nil }
            if state.entries[key] == nil { makeRoom(in: &state.entries) }
            var entry = state.entries.removeValue(forKey: key) ?? CredentialEntry()
            let (before, inForce) = (entry.mark, entry.mark(at: now))
            entry.note(mark, for: model, began: began, at: now, retryAfter: retryAfter, options: options)
            let after = entry.mark
            if after != .ok { state.entries[key] = entry }
            // A rest that had ended by itself and begins anew is news, though its mark is the old one.
            return before == after && inForce == after ? nil : after
        }
    }

    public func heard(
        _ headroom: KeyHeadroom, of key: ProviderKeyID, for model: ModelName, at now: Instant
    ) {
        state.withLock { $0.history.hear(headroom, of: key, for: model, at: now) }
    }

    public func clear(_ key: ProviderKeyID) -> CredentialMark? {
        state.withLock { state in
            state.history.forget(key)
            return state.entries.removeValue(forKey: key) == nil ? nil : .ok
        }
    }

    public func states(at now: Instant) -> [CredentialStatus] {
        let statuses = state.withLock { state in
            state.entries.map { (key: $0, statuses: $1.statuses(of: $0, at: now, state.history)) }
        }
        return statuses.sorted { $0.key < $1.key }.flatMap(\.statuses)
    }

    public func facts(at now: Instant) -> [CredentialFacts] {
        // Copies inside, composes outside the lock.
        let copy = state.withLock { $0 }
        let keys = Set(copy.entries.keys).union(copy.history.records.keys)
        return keys.sorted().map { key in
            let record = copy.history.records[key]
            return CredentialFacts(
                key: key, mark: copy.entries[key]?.mark(at: now) ?? .ok, lastAnswered: record?.lastAnswered,
                lastRefused: record?.lastRefused, lastLimited: record?.lastLimited,
                headrooms: record?.headrooms(at: now) ?? [])
        }
    }

    /// Drops an eighth when full, so that the search is paid once in many insertions.
    private func makeRoom(in entries: inout [ProviderKeyID: CredentialEntry]) {
        guard entries.count >= capacity else { return }
        let byEnd = entries.map { (key: $0.key, ends: $0.value.restEnds) }.sorted { $0.ends < $1.ends }
        for entry in byEnd.prefix(max(1, capacity / 8)) { entries[entry.key] = nil }
    }
}

package import Domain
import Locking

/// Whether a provider key can be used for a model now.
package enum CredentialState: Sendable, Hashable {
    case usable
    case unusable(why: String, until: Instant?)
}

/// The health of one provider key with one model, or of the key as a whole; a pure value.
package struct CredentialHealth: Sendable {
    /// A rate limit without a stated wait cools this long.
    private static let coolingDefault = Duration.seconds(5)
    /// Spent money is looked at again after this long, doubling to an hour.
    private static let exhaustedFirst = Duration.seconds(300)
    private static let exhaustedMost = Duration.seconds(3_600)
    /// A rejected or denied key is tried once more after this long: providers mend mistakes, too.
    private static let rejectedFor = Duration.seconds(600)

    package private(set) var mark = CredentialMark.ok
    private var until: Instant?
    private var wait = exhaustedFirst

    package init() {}

    /// Takes in what an attempt showed; true when the mark changed.
    package mutating func take(_ next: CredentialMark, retryAfter: Duration?, at now: Instant) -> Bool {
        let before = mark
        switch next {
        case .ok:
            until = nil
            wait = Self.exhaustedFirst
        case .cooling:
            // The longest demand wins: a later, shorter one must not end an earlier, longer one.
            until = max(until ?? now, now + (retryAfter ?? Self.coolingDefault))
        case .exhausted:
            if before == .exhausted { wait = min(wait * 2, Self.exhaustedMost) }
            until = now + max(wait, retryAfter ?? .zero)
        case .rejected, .deniedForModel: until = now + Self.rejectedFor
        }
        mark = next
        return before != next
    }

    package func state(at now: Instant) -> CredentialState {
        guard let until, until > now else { return .usable }
        let seconds = (until - now).secondsRoundedUp
        let what =
            switch mark {
            case .ok: "usable"
            case .cooling: "its key is rate limited"
            case .exhausted: "its key's quota is spent"
            case .rejected: "the provider rejects its key"
            case .deniedForModel: "its key may not use this model"
            }
        return .unusable(why: "\(what), again in \(seconds) s", until: until)
    }
}

/// The health of all provider keys, apart from the providers' own: a bad key never touches a breaker.
package protocol CredentialBoard: Sendable {
    func state(of key: ProviderKeyID, model: ModelName, at now: Instant) -> CredentialState
    /// The worst mark that is in force for a key, over all models.
    func mark(of key: ProviderKeyID, at now: Instant) -> CredentialMark
    /// - Parameter model: nil when the mark is about the key itself.
    /// - Returns: whether anything changed.
    func mark(_ mark: CredentialMark, key: ProviderKeyID, model: ModelName?, retryAfter: Duration?, at now: Instant) -> Bool
    /// The key was verified: everything is forgotten.
    func heal(_ key: ProviderKeyID, at now: Instant)
}

/// The credential health of one process.
package final class MemoryCredentialBoard: CredentialBoard {
    private struct Entry: Sendable {
        var whole = CredentialHealth()
        var models: [ModelName: CredentialHealth] = [:]
    }

    /// Only keys that had trouble take room; beyond these many the table is begun anew.
    private static let keysMost = 16_384
    private static let modelsMost = 64

    private let entries = Locked<[ProviderKeyID: Entry]>([:])

    package init() {}

    package func state(of key: ProviderKeyID, model: ModelName, at now: Instant) -> CredentialState {
        entries.withLock { entries in
            guard let entry = entries[key] else { return .usable }
            let whole = entry.whole.state(at: now)
            guard whole == .usable else { return whole }
            return entry.models[model]?.state(at: now) ?? .usable
        }
    }

    package func mark(of key: ProviderKeyID, at now: Instant) -> CredentialMark {
        entries.withLock { entries in
            guard let entry = entries[key] else { return .ok }
            let order: [CredentialMark] = [.rejected, .exhausted, .deniedForModel, .cooling]
            let live = ([entry.whole] + entry.models.values).filter { $0.state(at: now) != .usable }.map(\.mark)
            return order.first { live.contains($0) } ?? .ok
        }
    }

    package func mark(
        _ mark: CredentialMark, key: ProviderKeyID, model: ModelName?, retryAfter: Duration?, at now: Instant
    ) -> Bool {
        entries.withLock { entries in
            // The common case, a good answer from a key that never had trouble, takes no room.
            if mark == .ok, entries[key] == nil { return false }
            if entries[key] == nil, entries.count >= Self.keysMost { entries.removeAll() }
            var entry = entries[key] ?? Entry()
            defer { entries[key] = entry }
            switch mark {
            case .ok:
                let first = entry.whole.take(.ok, retryAfter: nil, at: now)
                let second = model.map { entry.models.removeValue(forKey: $0) != nil } ?? false
                return first || second
            case .rejected, .exhausted: return entry.whole.take(mark, retryAfter: retryAfter, at: now)
            case .cooling, .deniedForModel:
                guard let model else { return entry.whole.take(mark, retryAfter: retryAfter, at: now) }
                if entry.models[model] == nil, entry.models.count >= Self.modelsMost { entry.models.removeAll() }
                return entry.models[model, default: CredentialHealth()].take(mark, retryAfter: retryAfter, at: now)
            }
        }
    }

    package func heal(_ key: ProviderKeyID, at now: Instant) { entries.withLock { $0[key] = nil } }
}

import Domain
import FoundationEssentials
import Limits
import Locking
import Logging
import SQLiteStorage

/// Keeps what was used of rate limits over a restart, so that stopping gives nobody a full bucket.
///
/// Written once a second while calls change it, and at the end: after a crash, the last second's use is forgotten.
final class KeptLimits: Sendable {
    /// 65,536 scopes of some 200 bytes, with room.
    private static let bytesMost = 32 << 20

    private let folder: DataFolder
    private let counters: any LimitCounters
    private let log: Logger
    private let last = Locked<[LimitLevel]>([])

    init(in folder: DataFolder, of counters: any LimitCounters, log: Logger) {
        self.folder = folder
        self.counters = counters
        self.log = log
    }

    /// Before the first call. What cannot be read is told and forgotten: the limits then begin anew.
    func restore(at now: Instant, wall: WallTime) {
        do {
            guard let bytes = try folder.content(of: folder.limitsFile, most: Self.bytesMost) else { return }
            let kept = try JSONDecoder().decode(Kept.self, from: Data(bytes))
            let levels = kept.levels.compactMap(\.level)
            // A clock that was set back refills nothing.
            let elapsed = Duration.milliseconds(max(0, wall.milliseconds - kept.at))
            counters.restore(levels, elapsed: elapsed, at: now)
        } catch {
            log.warning(
                "the rate limits begin anew: what was kept of them cannot be read",
                metadata: ["file": "\(folder.limitsFile)", "why": "\(error)"])
        }
    }

    func save(at now: Instant, wall: WallTime) {
        let levels = counters.levels(at: now)
        guard last.withLock({ $0 != levels }) else { return }
        do {
            let kept = Kept(at: wall.milliseconds, levels: levels.map(Kept.Level.init))
            try folder.replace(folder.limitsFile, with: Array(try JSONEncoder().encode(kept)))
            last.withLock { $0 = levels }
        } catch {
            log.error("the use of rate limits cannot be kept", metadata: ["why": "\(error)"])
        }
    }
}

/// The file's content.
private struct Kept: Codable {
    /// Milliseconds since 1970.
    let at: Int64
    let levels: [Level]

    struct Level: Codable {
        enum Kind: String, Codable { case tenant, team, user, token, key }

        let kind: Kind
        /// The tenant's id, or the key's.
        let id: String
        /// A team's or a user's.
        var name: String?
        /// Per minute, and used.
        var requests: [Int64]?
        var tokens: [Int64]?

        init(_ level: LimitLevel) {
            switch level.scope {
            case .tenant(let tenant): (kind, id) = (.tenant, tenant.text)
            case .team(let tenant, let name): (kind, id, self.name) = (.team, tenant.text, name.text)
            case .user(let tenant, let name): (kind, id, self.name) = (.user, tenant.text, name.text)
            case .virtualKey(let key): (kind, id) = (.token, key.text)
            case .providerKey(let key): (kind, id) = (.key, key.text)
            }
            requests = level.requests.map { [$0.perMinute, $0.used] }
            tokens = level.tokens.map { [$0.perMinute, $0.used] }
        }

        var level: LimitLevel? {
            scope.map { LimitLevel(scope: $0, requests: Self.rate(requests), tokens: Self.rate(tokens)) }
        }

        private var scope: LimitScope? {
            let label = name.flatMap { try? Label($0) }
            switch kind {
            case .tenant: return TenantID(id).map { .tenant($0) }
            case .team: return TenantID(id).flatMap { tenant in label.map { .team(tenant, $0) } }
            case .user: return TenantID(id).flatMap { tenant in label.map { .user(tenant, $0) } }
            case .token: return VirtualKeyID(id).map { .virtualKey($0) }
            case .key: return ProviderKeyID(id).map { .providerKey($0) }
            }
        }

        private static func rate(_ figures: [Int64]?) -> LimitLevel.Rate? {
            guard let figures, figures.count == 2 else { return nil }
            return LimitLevel.Rate(perMinute: figures[0], used: figures[1])
        }
    }
}

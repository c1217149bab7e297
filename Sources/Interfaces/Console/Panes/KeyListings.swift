import Domain
import Operations

/// The tables of provider keys and of virtual keys.
enum KeyListings {
    private static let providerColumns: [Listing.Column] = [
        .init("KEY", 16, widest: 34),
        .init("FINGERPRINT", 12, rank: 2),
        .init("STATE", 7),
        .init("HEALTH", 9),
        .init("TENANT", 9, widest: 24, rank: 1),
        .init("AGE", 4, .right, rank: 3),
        .init("USED", 4, .right, rank: 2),
        .init("rq/s", 5, .right, rank: 1),
        .init("429%", 5, .right, rank: 4),
        .init("CHECK", 8, rank: 5),
        .init("NOTE", 14, widest: 200, rank: 6, sorts: false),
    ]

    static func providerKeys(_ model: ConsoleModel, key: Int) -> Listing {
        let keys = model.shown.providerKeys
        let now = model.shownTime
        return Listing(
            key: key, columns: providerColumns, total: keys.count, id: { .providerKey(keys[$0].id) },
            attention: {
                keys[$0].state == .damaged || (keys[$0].state == .active && keys[$0].health != .ok)
            },
            entry: { entry(keys[$0], $1, now) })
    }

    private static func entry(_ key: ProviderKeyView, _ column: Int, _ now: WallTime) -> Listing.Entry {
        switch column {
        case 0: return .init("\(key.provider)/\(key.label)", .textStrong)
        case 1: return .init(key.fingerprint, .textDim)
        case 2:
            let word = StateWord.key(key.state)
            return .init(word.text, word.slot)
        case 3:
            guard key.state == .active || key.state == .draining else { return .init("-", .textDim) }
            let word = StateWord.health(key.health)
            return .init(word.text, word.slot)
        case 4: return .init(key.tenant.text)
        case 5:
            return .init(Figure.age(now - key.created), .textDim, order: -Double(key.created.milliseconds))
        case 6:
            return .init(
                key.lastUsed.map { Figure.age(now - $0) } ?? "-",
                order: Double(key.lastUsed?.milliseconds ?? 0))
        case 7: return .init(Figure.rate(key.requestsPerSecond), order: key.requestsPerSecond)
        case 8:
            let slot: Slot = key.rateLimitedPercent >= 5 ? .statusWarn : .text
            return .init(Figure.percent(key.rateLimitedPercent), slot, order: key.rateLimitedPercent)
        case 9:
            let word = StateWord.verdict(key.verdict)
            return .init(word.text, word.slot)
        default: return .init(note(key, now), .textDim)
        }
    }

    private static func note(_ key: ProviderKeyView, _ now: WallTime) -> String {
        guard key.state == .draining, let ends = key.drainEnds else { return "" }
        return ends > now ? "drain ends in \(Figure.span(ends - now))" : "drain is over"
    }

    private static let virtualColumns: [Listing.Column] = [
        .init("NAME", 14, widest: 30),
        .init("FINGERPRINT", 11, rank: 2),
        .init("STATE", 7),
        .init("TENANT", 9, widest: 24, rank: 1),
        .init("ENDS", 5, .right, rank: 2),
        .init("USED", 4, .right, rank: 3),
        .init("rq/s", 5, .right, rank: 1),
        .init("LIMITS", 15, widest: 40, rank: 4, sorts: false),
        .init("MODELS", 10, widest: 200, rank: 5, sorts: false),
    ]

    /// - Parameter tenant: only this tenant's; nil = all.
    static func virtualKeys(_ model: ConsoleModel, key: Int, of tenant: TenantName? = nil) -> Listing {
        let all = model.shown.virtualKeys
        let keys = tenant.map { name in all.filter { $0.tenant == name } } ?? all
        let now = model.shownTime
        return Listing(
            key: key, columns: virtualColumns, total: keys.count, id: { .virtualKey(keys[$0].id) },
            entry: { entry(keys[$0], $1, now) })
    }

    private static func entry(_ key: VirtualKeyView, _ column: Int, _ now: WallTime) -> Listing.Entry {
        switch column {
        case 0: return .init(key.name.text, .textStrong)
        case 1: return .init(key.fingerprint, .textDim)
        case 2:
            let word = key.word(at: now)
            return .init(word, StateWord.virtualKey(word))
        case 3: return .init(key.tenant.text)
        case 4:
            guard let expires = key.expires else { return .init("never", .textDim, order: .infinity) }
            return .init(
                expires > now ? Figure.age(expires - now) : "over", order: Double(expires.milliseconds))
        case 5:
            return .init(
                key.lastUsed.map { Figure.age(now - $0) } ?? "-",
                order: Double(key.lastUsed?.milliseconds ?? 0))
        case 6: return .init(Figure.rate(key.requestsPerSecond), order: key.requestsPerSecond)
        case 7: return .init(limits(key.limits), .textDim)
        default:
            let models = key.models.isEmpty ? "all models" : key.models.map(\.text).joined(separator: " ")
            return .init(models, .textDim)
        }
    }

    /// `60/m 2par 90k tok/m`; nothing where there is no ceiling.
    static func limits(_ limits: LimitSet) -> String {
        let parts = [
            limits.requestsPerMinute.map { "\(Figure.limit($0))/min" },
            limits.parallel.map { "\($0) par" },
            limits.tokensPerMinute.map { "\(Figure.limit($0)) tok/min" },
        ].compactMap(\.self)
        return parts.isEmpty ? "none" : parts.joined(separator: " ")
    }
}

import Domain
import Operations

/// The tables of provider keys and of virtual keys.
enum KeyListings {
    private static let providerColumns: [Listing.Column] = [
        .init("KEY", 16, widest: 34),
        .init("FINGERPRINT", 12, rank: 5),
        .init("STATE", 7),
        .init("HEALTH", 9),
        .init("TENANT", 9, widest: 24, rank: 1),
        .init("AGE", 4, .right, rank: 6),
        .init("USED", 4, .right, rank: 3),
        .init("OK", 4, .right, rank: 2),
        .init("401", 4, .right, rank: 2),
        .init("429", 4, .right, rank: 2),
        .init("rq/s", 5, .right, rank: 1),
        .init("429%", 5, .right, rank: 3),
        .init("HEADROOM, NOTE", 26, widest: 200, rank: 4, sorts: false),
        .init("CHECK", 8, rank: 7),
    ]

    static func providerKeys(_ model: ConsoleModel, key: Int) -> Listing {
        let keys = model.shown.providerKeys
        let now = model.shownTime
        return Listing(
            key: key, columns: providerColumns, total: keys.count, id: { .providerKey(keys[$0].id) },
            attention: {
                keys[$0].state == .damaged
                    || ((keys[$0].state == .active || keys[$0].state == .canary) && keys[$0].health != .ok)
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
            guard key.isUsable else { return .init("-", .textDim) }
            let word = StateWord.health(key.health)
            return .init(word.text, word.slot)
        case 4: return .init(key.tenant.text)
        case 5:
            return .init(Figure.age(now - key.created), .textDim, order: -Double(key.created.milliseconds))
        case 6:
            return .init(
                key.lastUsed.map { Figure.age(now - $0) } ?? "-",
                order: Double(key.lastUsed?.milliseconds ?? 0))
        case 7: return last(key.lastSuccess, now, .text)
        case 8: return last(key.lastRejected, now, .statusBad)
        case 9: return last(key.lastRateLimited, now, .statusWarn)
        case 10: return .init(Figure.rate(key.requestsPerSecond), order: key.requestsPerSecond)
        case 11:
            let slot: Slot = key.rateLimitedPercent >= 5 ? .statusWarn : .text
            return .init(Figure.percent(key.rateLimitedPercent), slot, order: key.rateLimitedPercent)
        case 12: return .init(note(key, now), .textDim)
        default:
            let word = StateWord.verdict(key.verdict)
            return .init(word.text, word.slot)
        }
    }

    /// How long ago something was last seen; what is older than an hour is no news any more.
    private static func last(_ moment: WallTime?, _ now: WallTime, _ slot: Slot) -> Listing.Entry {
        guard let moment else { return .init("-", .textDim, order: 0) }
        let age = now - moment
        return .init(
            Figure.age(age), age < .seconds(3_600) ? slot : .textDim, order: Double(moment.milliseconds))
    }

    /// What it has left, after what is about to happen to it and where it stands worse with one model.
    private static func note(_ key: ProviderKeyView, _ now: WallTime) -> String {
        var parts: [String] = []
        if let canary = key.canary {
            let ends = canary.ends > now ? "in \(Figure.span(canary.ends - now))" : "soon"
            parts.append("\(canary.percent)%, 100% \(ends)")
        }
        if key.state == .draining, let ends = key.drainEnds {
            parts.append(ends > now ? "drain ends in \(Figure.span(ends - now))" : "drain is over")
        }
        parts += key.modelMarks.prefix(2).map { "\(StateWord.health($0.mark).text) for \($0.model)" }
        if !key.headroom.isEmpty { parts.append(headroom(key)) }
        return parts.joined(separator: "; ")
    }

    /// A bar in place of the middle dot, which not every terminal has.
    static func headroom(_ key: ProviderKeyView) -> String {
        String(key.headroom.map { $0 == "\u{b7}" ? "|" : $0 })
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

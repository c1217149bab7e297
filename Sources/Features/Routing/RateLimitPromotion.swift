public import Domain

/// Decides when rate limits of single keys are the target's own condition.
///
/// A 429 belongs to the key and model that met it. Only when keys of three owners met one at the same target within
/// 10 s is the target as a whole short of room: however many keys one tenant has, it cannot close a target to others.
/// Two owners are remembered at most, as the third promotes and begins anew.
public struct RateLimitPromotion: Sendable {
    /// Three owners were told to wait.
    public struct Promotion: Sendable, Hashable {
        /// How long the target must rest at least: the shortest of what the three owners were told, as that is what
        /// they have in common; one tenant's key may have to wait for hours. nil when one was told nothing.
        public let retryAfter: Duration?

        public init(retryAfter: Duration?) { self.retryAfter = retryAfter }
    }

    private struct Sighting: Sendable {
        let owner: TenantID
        var at: Instant
        /// The longest wait this owner was told, as a moment.
        var until: Instant?
    }

    /// Owners it takes, and within which time.
    public static var ownersMin: Int { 3 }
    public static var window: Duration { .seconds(10) }
    /// The most a Retry-After is believed: a broken header must not overflow the clock. The breaker's own ceiling holds
    /// besides.
    public static var longestWait: Duration { .seconds(86_400) }
    /// The rule as a breaker tells it.
    public static var why: String { "three owners' keys were rate-limited within 10 s" }
    /// The one owner that all of the platform's own keys count as.
    public static var platform: TenantID { TenantID(high: 0, low: 0) }

    private var sightings: [Sighting] = []

    public init() {}

    /// When a rate limit was last noted; nil without any.
    public var lastSeen: Instant? { sightings.map(\.at).max() }

    /// Notes that a key of `owner` was rate-limited; returns a promotion when that makes three owners.
    public mutating func note(owner: TenantID, at now: Instant, retryAfter: Duration?) -> Promotion? {
        sightings.removeAll { now - $0.at >= Self.window }
        let until = retryAfter.map { now + min(max($0, .zero), Self.longestWait) }
        if let place = sightings.firstIndex(where: { $0.owner == owner }) {
            sightings[place].at = max(sightings[place].at, now)
            sightings[place].until = [sightings[place].until, until].compactMap { $0 }.max()
        } else {
            sightings.append(Sighting(owner: owner, at: now, until: until))
        }
        guard sightings.count >= Self.ownersMin else { return nil }
        let ends = sightings.compactMap(\.until)
        let shared = ends.count == sightings.count ? ends.min() : nil
        sightings = []
        return Promotion(retryAfter: shared.flatMap { $0 > now ? $0 - now : nil })
    }
}

/// The rate limits of all targets: bounded, as callers may invent names of models.
struct RateLimitTable {
    /// Far above the targets that are short of room at one time; past it the ones seen longest ago are forgotten.
    static var capacity: Int { 1_024 }

    private var promotions: [Target: RateLimitPromotion] = [:]

    var count: Int { promotions.count }

    mutating func note(
        _ target: Target, owner: TenantID, at now: Instant, retryAfter: Duration?
    ) -> RateLimitPromotion.Promotion? {
        if promotions[target] == nil, promotions.count >= Self.capacity { makeRoom() }
        let promotion = promotions[target, default: RateLimitPromotion()].note(
            owner: owner, at: now, retryAfter: retryAfter)
        if promotion != nil { promotions[target] = nil }
        return promotion
    }

    /// Drops an eighth, so that the search is paid once in many insertions.
    private mutating func makeRoom() {
        let oldest = Instant(nanoseconds: .min)
        let bySight = promotions.map { (target: $0.key, seen: $0.value.lastSeen ?? oldest) }
            .sorted { $0.seen < $1.seen }
        for entry in bySight.prefix(Self.capacity / 8) { promotions[entry.target] = nil }
    }
}

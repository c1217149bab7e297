import Domain
import TestKit

/// What a storm in virtual time is like: everything follows from it.
struct StormPlan: Sendable {
    let seed: UInt64
    var weather = StormWeather()
    /// How long there are faults, and how long the calm lasts that follows.
    var blows = Duration.seconds(600)
    var calm = Duration.seconds(300)
    /// Calls a second of each tenant; 0 = the tenant keeps still.
    var rates: [Double]
    /// Names of models that callers use.
    var models = StormHouse.models
    /// Seconds that each call has; nil = a quarter of them have a limit, between 3 and 63 seconds.
    var timeouts: ClosedRange<Int>?

    /// Whether the gateway asks the providers by itself whether they are there.
    var probes = false

    /// Tenants whose own keys have faults.
    static let keyTroubled: Set<Int> = [8, 9]
    /// The tenant that asks for more than its limits.
    static let greedy = 7
    /// Tenants with a fault of their own.
    static let troubled = keyTroubled.union([greedy])

    init(calm seed: UInt64) {
        self.seed = seed
        rates = (0..<StormPlace.tenants).map { $0 == Self.greedy ? 7 : 1.5 + Double($0 % 4) / 3 }
    }

    /// Spells at all providers, and at the keys of two tenants, for ten minutes; five of calm follow.
    static func storm(_ seed: UInt64) -> Self {
        var plan = Self(calm: seed)
        plan.weather = StormWeather(seed: seed, blows: plan.blows, keyTroubled: keyTroubled)
        plan.probes = seed % 2 == 0
        return plan
    }
}

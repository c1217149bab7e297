import Domain
import Locking

/// What a provider does with one attempt.
enum StormBehaviour: Sendable, Hashable {
    /// First content, and the whole answer, after these times.
    case answers(first: Duration, whole: Duration)
    /// Nobody listens.
    case refusesConnection
    /// The connection is never made.
    case connectHangs
    /// It takes the request and says nothing.
    case silent
    /// An error answer, of which the gateway makes this.
    case fails(FailureClass, status: Int, retryAfter: Duration?, after: Duration)
    /// The answer breaks off, before or after its first content.
    case cuts(after: Duration, content: Bool)
    /// The answer begins and stands still.
    case stalls(first: Duration)
}

/// A time in which something is wrong: at a provider, for one of its models, or with one tenant's keys for it.
struct StormSpell: Sendable, Hashable, CustomStringConvertible {
    enum Kind: Sendable, Hashable, CaseIterable {
        // Of the provider.
        case refused, unreachable, errors, overloaded, silent, slow, cutsEarly, cutsLate, stalls, limited
        // Of one tenant's keys.
        case keyLimited, quotaSpent, badKey, denied

        static let ofProvider: [Kind] = [
            .refused, .unreachable, .errors, .overloaded, .silent, .slow, .cutsEarly, .cutsLate, .stalls,
            .limited,
        ]
        static let ofKey: [Kind] = [.keyLimited, .quotaSpent, .badKey, .denied]
    }

    let kind: Kind
    let provider: Int
    /// nil = all.
    var model: Int?
    /// Whose keys; nil = everybody's.
    var tenant: Int?
    /// Since the storm's beginning.
    let from: Duration
    let until: Duration
    /// Of a hundred attempts.
    var percent = 100
    /// What the provider asks for, where it asks.
    var retryAfter: Duration?

    func covers(_ place: StormPlace) -> Bool {
        provider == place.provider && (model ?? place.model) == place.model
            && (tenant ?? place.tenant) == place.tenant
    }

    var description: String {
        "\(kind) at \(StormPlace.providers[provider])"
            + (model.map { "/\(StormPlace.models[$0])" } ?? "") + (tenant.map { " for tenant \($0)" } ?? "")
            + " \(from)..\(until) \(percent) %"
    }
}

/// Where an attempt goes, and whose key it carries.
struct StormPlace: Sendable, Hashable {
    static let providers = ["alpha", "beta", "gamma"]
    static let models = ["small", "large"]

    let provider: Int
    let model: Int
    let tenant: Int
}

/// All spells of a storm.
struct StormWeather: Sendable {
    let spells: [StormSpell]
    /// By place, with their beginnings and ends in nanoseconds: asked many times a call.
    private let places: [StormPlace: [(from: Int64, until: Int64, spell: StormSpell)]]

    init(spells: [StormSpell] = []) {
        self.spells = spells
        var places: [StormPlace: [(from: Int64, until: Int64, spell: StormSpell)]] = [:]
        for provider in StormPlace.providers.indices {
            for model in StormPlace.models.indices {
                for tenant in 0..<StormPlan.tenants {
                    let place = StormPlace(provider: provider, model: model, tenant: tenant)
                    places[place] = spells.filter { $0.covers(place) }.map {
                        ($0.from.wholeNanoseconds, $0.until.wholeNanoseconds, $0)
                    }
                }
            }
        }
        self.places = places
    }

    /// Whether nothing was or is wrong at a place within a time.
    func isFair(at place: StormPlace, from start: Duration, to end: Duration) -> Bool {
        let (start, end) = (start.wholeNanoseconds, end.wholeNanoseconds)
        return !(places[place] ?? []).contains { $0.from <= end && start < $0.until }
    }

    private func spell(at place: StormPlace, at now: Duration) -> StormSpell? {
        let now = now.wholeNanoseconds
        return places[place]?.first { $0.from <= now && now < $0.until }?.spell
    }

    func behaviour(at place: StormPlace, at now: Duration, _ random: inout SplitMix) -> StormBehaviour {
        let spell = spell(at: place, at: now)
        let strikes = Int(random.next() % 100)
        let first = Duration.milliseconds(80 + Int64(random.next() % 700))
        let rest = Duration.milliseconds(50 + Int64(random.next() % 2_400))
        guard let spell, strikes < spell.percent else { return .answers(first: first, whole: first + rest) }
        let soon = Duration.milliseconds(5 + Int64(random.next() % 200))
        switch spell.kind {
        case .refused: return .refusesConnection
        case .unreachable: return .connectHangs
        case .silent: return .silent
        case .errors:
            let status = [500, 502, 503][Int(random.next() % 3)]
            return .fails(.providerFault, status: status, retryAfter: nil, after: soon)
        case .overloaded: return .fails(.overloaded, status: 529, retryAfter: spell.retryAfter, after: soon)
        case .slow:
            let late = Duration.milliseconds(28_000 + Int64(random.next() % 28_000))
            return .answers(first: late, whole: late + rest)
        case .cutsEarly: return .cuts(after: soon, content: false)
        case .cutsLate: return .cuts(after: first, content: true)
        case .stalls: return .stalls(first: first)
        case .limited, .keyLimited:
            return .fails(.keyRateLimit, status: 429, retryAfter: spell.retryAfter, after: soon)
        case .quotaSpent: return .fails(.keyQuota, status: 402, retryAfter: nil, after: soon)
        case .badKey: return .fails(.badKey, status: 401, retryAfter: nil, after: soon)
        case .denied: return .fails(.notPermitted, status: 403, retryAfter: nil, after: soon)
        }
    }
}

/// What a storm is like: everything follows from it.
struct StormPlan: Sendable {
    let seed: UInt64
    var weather = StormWeather()
    /// How long there are faults, and how long the calm lasts that follows.
    var blows: Duration
    var calm: Duration
    /// Calls a second of each tenant; 0 = the tenant keeps still.
    var rates: [Double]
    /// Of the tenants whose own keys have faults, or who ask for more than they may.
    let troubled: Set<Int>
    /// Names of models that callers use.
    var models: [String]
    /// Of every call; nil = a quarter of them have one, between 3 and 63 seconds.
    var timeouts: ClosedRange<Int>?

    static let tenants = 10
    /// Two tenants with bad keys, one that asks for more than its limits.
    static let keyTroubled: Set<Int> = [8, 9]
    static let greedy = 7

    /// Spells at all providers, and at the keys of two tenants, for ten minutes; five of calm follow.
    static func storm(_ seed: UInt64) -> Self {
        var random = SplitMix(seed: seed)
        let blows = Duration.seconds(600)
        var spells: [StormSpell] = []
        for provider in StormPlace.providers.indices {
            var at = Duration.seconds(Int64(random.next() % 60))
            while at < blows {
                let length = Duration.seconds(5 + Int64(random.next() % 70))
                spells.append(spell(provider, at, min(at + length, blows), &random))
                at += length + .seconds(10 + Int64(random.next() % 180))
            }
        }
        for tenant in keyTroubled.sorted() {
            for provider in StormPlace.providers.indices {
                var at = Duration.seconds(Int64(random.next() % 100))
                while at < blows {
                    let length = Duration.seconds(20 + Int64(random.next() % 120))
                    let kind = StormSpell.Kind.ofKey[Int(random.next() % 4)]
                    spells.append(
                        StormSpell(
                            kind: kind, provider: provider,
                            model: kind == .denied ? Int(random.next() % 2) : nil, tenant: tenant, from: at,
                            until: min(at + length, blows),
                            retryAfter: random.next() % 2 == 0
                                ? nil : .seconds(1 + Int64(random.next() % 20))))
                    at += length + .seconds(30 + Int64(random.next() % 200))
                }
            }
        }
        return Self(
            seed: seed, weather: StormWeather(spells: spells), blows: blows, calm: .seconds(300),
            rates: (0..<tenants).map { $0 == greedy ? 7 : 1.5 + Double($0 % 4) / 3 },
            troubled: keyTroubled.union([greedy]), models: StormHouse.models)
    }

    private static func spell(
        _ provider: Int, _ from: Duration, _ until: Duration, _ random: inout SplitMix
    ) -> StormSpell {
        let kinds = StormSpell.Kind.ofProvider
        let kind = kinds[Int(random.next() % UInt64(kinds.count))]
        let wait = random.next() % 3 == 0 ? nil : Duration.seconds(1 + Int64(random.next() % 15))
        return StormSpell(
            kind: kind, provider: provider, model: random.next() % 4 == 0 ? Int(random.next() % 2) : nil,
            from: from, until: until,
            percent: random.next() % 3 == 0 ? 40 + Int(random.next() % 50) : 100, retryAfter: wait)
    }
}

package import Domain

/// What a provider does with one attempt.
package enum StormBehaviour: Sendable, Hashable {
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

/// Where an attempt goes, and whose key it carries.
package struct StormPlace: Sendable, Hashable {
    package static let models = ["small", "large"]
    package static let providers = 3
    package static let tenants = 10

    package let provider: Int
    package let model: Int
    package let tenant: Int

    package init(provider: Int, model: Int, tenant: Int) {
        self.provider = provider
        self.model = model
        self.tenant = tenant
    }
}

/// A time in which something is wrong: at a provider, for one of its models, or with one tenant's keys for it.
package struct StormSpell: Sendable, Hashable {
    package enum Kind: Sendable, Hashable, CaseIterable {
        // Of the provider.
        case refused, unreachable, errors, overloaded, silent, slow, cutsEarly, cutsLate, stalls, limited
        // Of one tenant's keys.
        case keyLimited, quotaSpent, badKey, denied

        package static let ofKey: [Kind] = [.keyLimited, .quotaSpent, .badKey, .denied]
        package static let ofProvider = allCases.filter { !ofKey.contains($0) }
    }

    package let kind: Kind
    package let provider: Int
    /// nil = all.
    package var model: Int?
    /// Whose keys; nil = everybody's.
    package var tenant: Int?
    /// Since the storm's beginning.
    package let from: Duration
    package let until: Duration
    /// Of a hundred attempts.
    package var percent: Int
    /// What the provider asks for, where it asks.
    package var retryAfter: Duration?

    package init(
        kind: Kind, provider: Int, model: Int? = nil, tenant: Int? = nil, from: Duration, until: Duration,
        percent: Int = 100, retryAfter: Duration? = nil
    ) {
        self.kind = kind
        self.provider = provider
        self.model = model
        self.tenant = tenant
        self.from = from
        self.until = until
        self.percent = percent
        self.retryAfter = retryAfter
    }

    fileprivate func covers(_ place: StormPlace) -> Bool {
        provider == place.provider && (model ?? place.model) == place.model
            && (tenant ?? place.tenant) == place.tenant
    }
}

/// How quick a storm and its providers are; all in milliseconds.
package struct StormTempo: Sendable {
    /// From a request to the first content, and from there to the end.
    package var first: ClosedRange<Int64> = 80...780
    package var rest: ClosedRange<Int64> = 50...2_450
    /// To the first content of a slow answer.
    package var late: ClosedRange<Int64> = 28_000...56_000
    /// To a refusal.
    package var soon: ClosedRange<Int64> = 5...205
    /// How long spells last, and how much time lies between two of the same provider.
    package var spells: ClosedRange<Int64> = 5_000...75_000
    package var gaps: ClosedRange<Int64> = 10_000...190_000
    /// The same of one tenant's keys.
    package var keySpells: ClosedRange<Int64> = 20_000...140_000
    package var keyGaps: ClosedRange<Int64> = 30_000...230_000
    /// What providers ask for.
    package var waits: ClosedRange<Int64> = 1_000...15_000

    package init() {}
}

/// All that is wrong in a storm: everything follows from a seed.
package struct StormWeather: Sendable {
    package let spells: [StormSpell]
    private let tempo: StormTempo
    /// By place, with their beginnings and ends in nanoseconds: asked many times a call.
    private let places: [StormPlace: [(from: Int64, until: Int64, spell: StormSpell)]]

    package init(spells: [StormSpell] = [], tempo: StormTempo = StormTempo()) {
        self.spells = spells
        self.tempo = tempo
        var places: [StormPlace: [(from: Int64, until: Int64, spell: StormSpell)]] = [:]
        for provider in 0..<StormPlace.providers {
            for model in StormPlace.models.indices {
                for tenant in 0..<StormPlace.tenants {
                    let place = StormPlace(provider: provider, model: model, tenant: tenant)
                    places[place] = spells.filter { $0.covers(place) }.map {
                        ($0.from.wholeNanoseconds, $0.until.wholeNanoseconds, $0)
                    }
                }
            }
        }
        self.places = places
    }

    /// Spells at all providers, and at the keys of some tenants, one after another until a storm is over.
    package init(
        seed: UInt64, blows: Duration, keyTroubled: Set<Int>, tempo: StormTempo = StormTempo()
    ) {
        var random = SplitMix(seed: seed)
        var spells: [StormSpell] = []
        for provider in 0..<StormPlace.providers {
            var at = Duration.milliseconds(random.pick(0...tempo.gaps.upperBound / 3))
            while at < blows {
                let end = min(at + .milliseconds(random.pick(tempo.spells)), blows)
                let kinds = StormSpell.Kind.ofProvider
                spells.append(
                    StormSpell(
                        kind: kinds[Int(random.next() % UInt64(kinds.count))], provider: provider,
                        model: random.next() % 4 == 0 ? Int(random.next() % 2) : nil, from: at, until: end,
                        percent: random.next() % 3 == 0 ? 40 + Int(random.next() % 50) : 100,
                        retryAfter: random.next() % 3 == 0 ? nil : .milliseconds(random.pick(tempo.waits))))
                at = end + .milliseconds(random.pick(tempo.gaps))
            }
        }
        for tenant in keyTroubled.sorted() {
            for provider in 0..<StormPlace.providers {
                var at = Duration.milliseconds(random.pick(0...tempo.keyGaps.upperBound / 3))
                while at < blows {
                    let end = min(at + .milliseconds(random.pick(tempo.keySpells)), blows)
                    let kind = StormSpell.Kind.ofKey[Int(random.next() % 4)]
                    spells.append(
                        StormSpell(
                            kind: kind, provider: provider,
                            model: kind == .denied ? Int(random.next() % 2) : nil, tenant: tenant, from: at,
                            until: end,
                            retryAfter: random.next() % 2 == 0
                                ? nil : .milliseconds(random.pick(tempo.waits))))
                    at = end + .milliseconds(random.pick(tempo.keyGaps))
                }
            }
        }
        self.init(spells: spells, tempo: tempo)
    }

    /// Whether nothing was or is wrong at a place within a time.
    package func isFair(at place: StormPlace, from start: Duration, to end: Duration) -> Bool {
        let (start, end) = (start.wholeNanoseconds, end.wholeNanoseconds)
        return !(places[place] ?? []).contains { $0.from <= end && start < $0.until }
    }

    package func behaviour(
        at place: StormPlace, at now: Duration, _ random: inout SplitMix
    ) -> StormBehaviour {
        let now = now.wholeNanoseconds
        // The keys' own spells stand at the end, behind the providers'.
        let spell = places[place]?.first { $0.from <= now && now < $0.until }?.spell
        let strikes = Int(random.next() % 100)
        let first = Duration.milliseconds(random.pick(tempo.first))
        let rest = Duration.milliseconds(random.pick(tempo.rest))
        guard let spell, strikes < spell.percent else { return .answers(first: first, whole: first + rest) }
        let soon = Duration.milliseconds(random.pick(tempo.soon))
        switch spell.kind {
        case .refused: return .refusesConnection
        case .unreachable: return .connectHangs
        case .silent: return .silent
        case .errors:
            let status = [500, 502, 503][Int(random.next() % 3)]
            return .fails(.providerFault, status: status, retryAfter: nil, after: soon)
        case .overloaded: return .fails(.overloaded, status: 529, retryAfter: spell.retryAfter, after: soon)
        case .slow:
            let late = Duration.milliseconds(random.pick(tempo.late))
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

extension SplitMix {
    package mutating func pick(_ range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + Int64(next() % UInt64(range.upperBound - range.lowerBound + 1))
    }
}

import Domain

/// What the simulated providers do and when: a pure function of a seed and the time since the start.
///
/// Outages come one at a time, at a different provider each time; the first begins within 20 to 30 seconds, so that
/// a newcomer sees a breaker open and recover within two minutes. Between two outages comes a spell of a lesser fault, of
/// another kind each time.
public struct DemoScript: Sendable {
    /// How a provider behaves at one moment.
    public struct Mood: Sendable, Hashable {
        /// Typical time to the first byte, in milliseconds.
        public var latency: Double
        /// Shares of answers, 0 to 1, in this order of precedence.
        public var overloaded: Double
        public var failed: Double
        public var rateLimited: Double
        public var cut: Double
        /// Of streams: they stand still and never end.
        public var stalled: Double
        /// Of calls: their first byte comes many times later than `latency`.
        public var slow: Double
        /// One tenant's key is refused.
        public var refusesKey: Bool

        public init(
            latency: Double, overloaded: Double = 0, failed: Double = 0, rateLimited: Double = 0,
            cut: Double = 0, stalled: Double = 0, slow: Double = 0, refusesKey: Bool = false
        ) {
            self.stalled = stalled
            self.slow = slow
            self.refusesKey = refusesKey
            self.latency = latency
            self.overloaded = overloaded
            self.failed = failed
            self.rateLimited = rateLimited
            self.cut = cut
        }
    }

    /// One provider's bad time, in seconds since the start.
    public struct Outage: Sendable, Hashable {
        public let provider: Int
        public let start: Double
        public let end: Double
    }

    /// What a spell is of.
    public enum Spell: Sendable, Hashable, CaseIterable {
        case rateLimits, cuts, badKey, slowness, stalls
    }

    private let seed: UInt64
    private let providers: Int
    private static let cycle = 90.0
    private static let length = 22.0
    /// A spell lies in the calm half of its cycle.
    private static let spell = 60.0..<76.0
    /// The provider at which a key goes bad: its tenant has another one there.
    public static let keyProvider = 2

    public init(seed: UInt64, providers: Int) {
        self.seed = seed
        self.providers = max(1, providers)
    }

    /// The outage of the n-th cycle of 90 seconds.
    public func outage(_ cycle: Int) -> Outage {
        var random = SplitMix(seed: seed &+ UInt64(truncatingIfNeeded: cycle) &* 0x9e37_79b9)
        // The first outage always hits the first provider: every route of the demo has a reserve for it.
        let provider = cycle == 0 ? 0 : Int(random.next() % UInt64(providers))
        let start = Double(cycle) * Self.cycle + 20 + random.unit() * 10
        return Outage(provider: provider, start: start, end: start + Self.length)
    }

    /// The lesser fault of the n-th cycle and where it strikes: all kinds in turn, the first by the seed.
    public func spell(_ cycle: Int) -> (kind: Spell, provider: Int) {
        let kinds = Spell.allCases
        let kind = kinds[Int((seed &+ UInt64(cycle)) % UInt64(kinds.count))]
        var random = SplitMix(seed: ~seed &+ UInt64(cycle))
        let place = Int(random.next() % UInt64(providers))
        return (kind, kind == .badKey ? min(Self.keyProvider, providers - 1) : place)
    }

    public func mood(of provider: Int, at seconds: Double) -> Mood {
        var mood = weather(of: provider, at: seconds)
        let cycle = max(0, Int(seconds / Self.cycle))
        let spell = spell(cycle)
        guard spell.provider == provider, Self.spell.contains(seconds - Double(cycle) * Self.cycle) else {
            return mood
        }
        switch spell.kind {
        case .rateLimits: mood.rateLimited = 0.3
        case .cuts: mood.cut = 0.4
        case .badKey: mood.refusesKey = true
        case .slowness: mood.slow = 0.3
        case .stalls: mood.stalled = 0.3
        }
        return mood
    }

    private func weather(of provider: Int, at seconds: Double) -> Mood {
        let base = [420.0, 560.0, 300.0, 480.0, 90.0][provider % 5]
        let current = outage(max(0, Int(seconds / Self.cycle)))
        if current.provider == provider, seconds >= current.start, seconds < current.end {
            return Mood(latency: base * 1.6, overloaded: 0.55, failed: 0.3, cut: 0.05)
        }
        let wave = 1 + 0.25 * Self.triangle(seconds / 45 + Double(provider) / 4)
        return Mood(
            latency: base * wave, failed: 0.004, rateLimited: provider == 2 ? 0.02 : 0.004, cut: 0.003)
    }

    /// Calls per second of all tenants together, before the speed is applied.
    public func rate(at seconds: Double) -> Double { 9 + 4 * Self.triangle(seconds / 60) }

    /// A wave between -1 and 1 with period 1.
    private static func triangle(_ phase: Double) -> Double {
        let part = phase - phase.rounded(.down)
        return part < 0.5 ? 4 * part - 1 : 3 - 4 * part
    }
}

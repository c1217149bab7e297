import Domain

/// What the simulated providers do and when: a pure function of a seed and the time since the start.
///
/// Outages come one at a time, at a different provider each time; the first begins within 20 to 30 seconds, so that
/// a newcomer sees a breaker open and recover within two minutes.
package struct DemoScript: Sendable {
    /// How a provider behaves at one moment.
    package struct Mood: Sendable, Hashable {
        /// Typical time to the first byte, in milliseconds.
        package var latency: Double
        /// Shares of answers, 0 to 1, in this order of precedence.
        package var overloaded: Double
        package var failed: Double
        package var rateLimited: Double
        package var cut: Double

        package init(
            latency: Double, overloaded: Double = 0, failed: Double = 0, rateLimited: Double = 0,
            cut: Double = 0
        ) {
            self.latency = latency
            self.overloaded = overloaded
            self.failed = failed
            self.rateLimited = rateLimited
            self.cut = cut
        }
    }

    /// One provider's bad time, in seconds since the start.
    package struct Outage: Sendable, Hashable {
        package let provider: Int
        package let start: Double
        package let end: Double
    }

    private let seed: UInt64
    private let providers: Int
    private static let cycle = 90.0
    private static let length = 22.0

    package init(seed: UInt64, providers: Int) {
        self.seed = seed
        self.providers = max(1, providers)
    }

    /// The outage of the n-th cycle of 90 seconds.
    package func outage(_ cycle: Int) -> Outage {
        var random = SplitMix(seed: seed &+ UInt64(truncatingIfNeeded: cycle) &* 0x9e37_79b9)
        // The first outage always hits the first provider: every route of the demo has a reserve for it.
        let provider = cycle == 0 ? 0 : Int(random.next() % UInt64(providers))
        let start = Double(cycle) * Self.cycle + 20 + random.unit() * 10
        return Outage(provider: provider, start: start, end: start + Self.length)
    }

    package func mood(of provider: Int, at seconds: Double) -> Mood {
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
    package func rate(at seconds: Double) -> Double { 9 + 4 * Self.triangle(seconds / 60) }

    /// A wave between -1 and 1 with period 1.
    private static func triangle(_ phase: Double) -> Double {
        let part = phase - phase.rounded(.down)
        return part < 0.5 ? 4 * part - 1 : 3 - 4 * part
    }
}

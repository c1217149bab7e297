import Domain
import Operations

/// The last 15 minutes of one thing's traffic (all, a tenant, a target, a key), in slots of ten seconds.
///
/// Latencies are kept as histograms for the last minute only; older slots keep their 95th percentile.
struct TrafficWindow: Sendable {
    /// One finished call, as far as figures need it.
    struct Sample: Sendable {
        let failed: Bool
        /// Its latency's place in a histogram.
        let bucket: Int
        let cost: Money
        let tokens: Int64
        let hit: Bool
        let rateLimited: Bool

        init(
            failed: Bool, microseconds: Int64, cost: Money, tokens: Int64, hit: Bool = false,
            rateLimited: Bool = false
        ) {
            self.failed = failed
            bucket = LatencyHistogram.bucket(milliseconds: Double(microseconds) / 1_000)
            self.cost = cost
            self.tokens = tokens
            self.hit = hit
            self.rateLimited = rateLimited
        }
    }

    private struct Slot: Sendable {
        var epoch: Int64 = .min
        var calls: Int64 = 0
        var failed: Int64 = 0
        var cost = Money.zero
        var tokens: Int64 = 0
        var hits: Int64 = 0
        var rateLimited: Int64 = 0
        var latency = LatencyHistogram()
        var p95: Double = 0

        mutating func add(_ sample: Sample) {
            calls += 1
            if sample.failed { failed += 1 }
            if sample.hit { hits += 1 }
            if sample.rateLimited { rateLimited += 1 }
            cost += sample.cost
            tokens += sample.tokens
            latency.add(bucket: sample.bucket)
        }
    }

    private static let slotMilliseconds = Int64(TrafficSeries.secondsPerPoint) * 1_000
    /// Slots that make up "the last 60 seconds": the running one and the six before, scaled to what has passed.
    private static let recent = 6

    private var slots = Array(repeating: Slot(), count: TrafficSeries.points)
    private(set) var last: WallTime?
    private var first: WallTime?

    mutating func add(_ sample: Sample, at: WallTime) {
        let epoch = at.milliseconds / Self.slotMilliseconds
        let index = Int(epoch % Int64(TrafficSeries.points))
        if slots[index].epoch != epoch {
            retireHistograms(before: epoch)
            slots[index] = Slot(epoch: epoch)
        }
        slots[index].add(sample)
        last = at
        if first == nil { first = at }
    }

    private mutating func retireHistograms(before epoch: Int64) {
        for index in slots.indices where slots[index].epoch < epoch - Int64(Self.recent) {
            guard slots[index].latency.total > 0 else { continue }
            slots[index].p95 = slots[index].latency.percentile(0.95) ?? 0
            slots[index].latency = LatencyHistogram()
        }
    }

    /// Figures over the last minute.
    func figures(at now: WallTime, inFlight: Int = 0) -> TrafficFigures {
        let sum = recentSum(at: now)
        var figures = TrafficFigures(inFlight: inFlight)
        guard sum.calls > 0 else { return figures }
        let seconds = recentSeconds(at: now)
        figures.calls = sum.calls
        figures.requestsPerSecond = Double(sum.calls) / seconds
        figures.errorPercent = 100 * Double(sum.failed) / Double(sum.calls)
        figures.p50Milliseconds = sum.latency.percentile(0.5)
        figures.p95Milliseconds = sum.latency.percentile(0.95)
        figures.costPerHour = Money(nanoUSD: Int64(Double(sum.cost.nanoUSD) * 3_600 / seconds))
        figures.hitPercent = 100 * Double(sum.hits) / Double(sum.calls)
        return figures
    }

    /// Tokens in the last minute.
    func tokensPerMinute(at now: WallTime) -> Int64 {
        Int64(Double(recentSum(at: now).tokens) * 60 / recentSeconds(at: now))
    }

    /// Share of rate-limited attempts in the last minute, 0 to 100.
    func rateLimitedPercent(at now: WallTime) -> Double {
        let sum = recentSum(at: now)
        return sum.calls == 0 ? 0 : 100 * Double(sum.rateLimited) / Double(sum.calls)
    }

    private func recentSeconds(at now: WallTime) -> Double {
        let into = Double(now.milliseconds % Self.slotMilliseconds) / 1_000
        let window = Double((Self.recent - 1) * TrafficSeries.secondsPerPoint) + max(into, 0.5)
        // Younger than the window: the rate is that of the time there was.
        let age = first.map { Double((now - $0).wholeMilliseconds) / 1_000 } ?? window
        return max(1, min(window, age))
    }

    private func recentSum(at now: WallTime) -> Slot {
        let epoch = now.milliseconds / Self.slotMilliseconds
        return slots.reduce(into: Slot()) { sum, slot in
            guard slot.epoch > epoch - Int64(Self.recent), slot.epoch <= epoch else { return }
            sum.calls += slot.calls
            sum.failed += slot.failed
            sum.cost += slot.cost
            sum.tokens += slot.tokens
            sum.hits += slot.hits
            sum.rateLimited += slot.rateLimited
            sum.latency.merge(slot.latency)
        }
    }

    /// Points of the last 15 minutes, oldest first; empty slots are zero.
    func series(at now: WallTime) -> TrafficSeries {
        var series = TrafficSeries()
        let newest = now.milliseconds / Self.slotMilliseconds
        for epoch in (newest - Int64(TrafficSeries.points) + 1)...newest {
            let slot = slots[Int(epoch % Int64(TrafficSeries.points))]
            let live = slot.epoch == epoch && slot.calls > 0
            let elapsed =
                epoch == newest ? max(0.5, Double(now.milliseconds % Self.slotMilliseconds) / 1_000) : 10
            series.requestsPerSecond.append(live ? Double(slot.calls) / elapsed : 0)
            series.errorPercent.append(live ? 100 * Double(slot.failed) / Double(slot.calls) : 0)
            let p95 = slot.latency.total > 0 ? slot.latency.percentile(0.95) ?? 0 : slot.p95
            series.p95Milliseconds.append(live ? p95 : 0)
            series.costPerHour.append(live ? Double(slot.cost.nanoUSD) / 1e9 * 3_600 / elapsed : 0)
            series.hitPercent.append(live ? 100 * Double(slot.hits) / Double(slot.calls) : 0)
        }
        return series
    }
}

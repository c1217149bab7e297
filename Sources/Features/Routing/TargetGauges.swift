public import Domain
import Locking

/// How every target has been doing: attempts under way, times to the first token, tokens a second.
///
/// Behind one lock that is held for nanoseconds; a target of which nothing was heard takes no room.
public final class TargetGauges: Sendable {
    private struct Gauge {
        var running = 0
        var firstToken: Smoothed = Smoothed()
        var tokensPerSecond: Smoothed = Smoothed()
    }

    private let capacity: Int
    private let gauges = Locked<[Target: Gauge]>([:])

    /// - Parameter capacity: targets remembered; past it those are forgotten at which nothing runs.
    public init(capacity: Int = 4_096) { self.capacity = max(1, capacity) }

    public func began(_ target: Target) {
        gauges.withLock { gauges in
            if gauges.count >= capacity, gauges[target] == nil {
                gauges = gauges.filter { $0.value.running > 0 }
            }
            gauges[target, default: Gauge()].running += 1
        }
    }

    /// - Parameters:
    ///   - firstToken: from the attempt's beginning; nil = none came.
    ///   - tokens: output, and the time from the first token to the last; nil = not a stream, or not known.
    public func ended(
        _ target: Target, firstToken: Duration?, tokens: (count: Int64, over: Duration)?, at now: Instant
    ) {
        gauges.withLock { gauges in
            guard let place = gauges.index(forKey: target) else { return }
            gauges.values[place].running = max(0, gauges.values[place].running - 1)
            if let firstToken { gauges.values[place].firstToken.add(firstToken.inSeconds, at: now) }
            // Over less than this, the rate is that of a buffer and not of a model.
            if let tokens, tokens.over >= .milliseconds(20), tokens.count > 0 {
                gauges.values[place].tokensPerSecond.add(
                    Double(tokens.count) / tokens.over.inSeconds, at: now)
            }
        }
    }

    public func readings(of targets: [Target], at now: Instant) -> [TargetReading] {
        gauges.withLock { gauges in
            targets.map { target in
                guard let gauge = gauges[target] else { return TargetReading() }
                return TargetReading(
                    firstToken: gauge.firstToken.value(at: now).map { .nanoseconds(Int64($0 * 1e9)) },
                    tokensPerSecond: gauge.tokensPerSecond.value(at: now), running: gauge.running)
            }
        }
    }

    /// Attempts under way at all targets together.
    public var running: Int { gauges.withLock { $0.values.reduce(0) { $0 + $1.running } } }
}

/// A figure that follows its samples: an exponentially weighted mean that forgets what is old.
public struct Smoothed: Sendable, Hashable {
    /// The weight of a new sample.
    private static let alpha = 0.2
    /// After this long without a sample nothing is known: then the target is tried anew.
    private static let forgetsAfter = Duration.seconds(120)

    private var mean = 0.0
    private var last: Instant?

    public init() {}

    public mutating func add(_ sample: Double, at now: Instant) {
        mean = value(at: now).map { $0 + Self.alpha * (sample - $0) } ?? sample
        last = now
    }

    public func value(at now: Instant) -> Double? {
        last.flatMap { now - $0 > Self.forgetsAfter ? nil : mean }
    }
}

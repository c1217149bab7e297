/// Counts latencies in logarithmic buckets: percentiles within a tenth, in constant memory.
///
/// 96 buckets, each 15 % wider than the one before, from 0.1 ms to about 65 s; what is slower counts in the last.
struct LatencyHistogram: Sendable {
    private static let first = 0.1
    private static let growth = 1.15
    private static let bounds: [Double] = {
        var bounds: [Double] = []
        var bound = first
        for _ in 0..<96 {
            bounds.append(bound)
            bound *= growth
        }
        return bounds
    }()

    private var counts: [UInt32] = []
    private(set) var total: UInt64 = 0

    /// Which bucket a latency counts in: found once for a call, however many histograms it goes into.
    static func bucket(milliseconds: Double) -> Int {
        let bounds = bounds
        var low = 0
        var high = bounds.count - 1
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] < milliseconds { low = middle + 1 } else { high = middle }
        }
        return low
    }

    mutating func add(bucket: Int) {
        if counts.isEmpty { counts = Array(repeating: 0, count: Self.bounds.count) }
        counts[bucket] &+= 1
        total += 1
    }

    mutating func merge(_ other: LatencyHistogram) {
        guard other.total > 0 else { return }
        if counts.isEmpty { counts = Array(repeating: 0, count: Self.bounds.count) }
        for (index, count) in other.counts.enumerated() { counts[index] &+= count }
        total += other.total
    }

    /// The upper bound of the bucket that holds the given share (0 to 1) of the calls; nil when there are none.
    func percentile(_ share: Double) -> Double? {
        guard total > 0 else { return nil }
        let wanted = UInt64((Double(total) * share).rounded(.up))
        var seen: UInt64 = 0
        for (index, count) in counts.enumerated() {
            seen += UInt64(count)
            if seen >= wanted { return Self.bounds[index] }
        }
        return Self.bounds.last
    }
}

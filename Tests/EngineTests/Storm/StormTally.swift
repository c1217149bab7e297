import Domain

/// What became of a storm's calls.
struct StormTally {
    /// Where one call was sent.
    struct Trace: Hashable {
        /// Among the tenant's calls.
        let number: Int
        let model: String
        let tries: [Target]
        let failed: Bool
    }

    var calls = 0
    var attempts = 0
    var answered = 0
    var cut = 0
    var cancelled = 0
    /// By code and status.
    var failures: [String: Int] = [:]
    /// Calls of tenants without a fault of their own that had a healthy target all the time.
    var sheltered = 0
    /// Of these the ones whose own time ran out at another, silent target.
    var hurried: [Duration] = []
    var openings = 0
    var retries = 0
    var hedges = 0
    var rows = 0
    /// By tenant, in the order in which their calls ended.
    var traces: [Int: [Trace]] = [:]
    var complaints: [String] = []

    /// Whether a caller can make something of an error: it is of the failure table, says whose fault it is, and, where
    /// waiting helps, how long.
    static func isClear(_ failure: CallFailure) -> Bool {
        guard !failure.message.isEmpty else { return false }
        switch failure.code {
        case .requestsPerMinute, .tokensPerMinute:
            return failure.status == 429 && failure.retryAfter != nil
        case .parallelCalls: return failure.status == 429
        case .noTarget: return failure.status == 503 && failure.retryAfter != nil
        case .noProviderKey: return failure.status == 424 && failure.retryAfter != nil
        case .upstreamRefused: return [400, 402, 403, 424, 429].contains(failure.status)
        case .upstreamFailed: return failure.status == 502
        case .upstreamTimeout, .deadlineExceeded: return failure.status == 504
        default: return false
        }
    }
}

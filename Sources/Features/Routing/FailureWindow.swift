public import Domain

/// Calls, failures and slow answers of the last while, in small time buckets: constant memory whatever the load.
public struct FailureWindow: Sendable {
    /// How a call counts.
    public enum Mark: Sendable {
        case answered
        /// Answered, but its first content came late.
        case slow
        /// No answer at all: connect failure or timeout.
        case silent
        /// The provider answered that it cannot: 5xx, overloaded.
        case serverError
        /// The answer broke off.
        case broken

        /// How a failure that counts for the breaker is counted.
        init(_ kind: FailureClass) {
            self =
                switch kind {
                case .transport, .timeoutBeforeFirstByte: .silent
                case .providerFault, .overloaded: .serverError
                default: .broken
                }
        }
    }

    /// Sums over the window.
    public struct Counts: Sendable, Hashable {
        public var calls = 0
        /// Answered late; no failures.
        public var slow = 0
        public var silent = 0
        public var serverErrors = 0
        public var broken = 0

        public var failures: Int { silent + serverErrors + broken }
        public var answers: Int { calls - failures }
        /// Share of failures among the calls, rounded down; 0 without calls.
        public var failurePercent: Int { calls == 0 ? 0 : failures * 100 / calls }
        /// Share of slow ones among the answers, rounded down; 0 without answers.
        public var slowPercent: Int { answers == 0 ? 0 : slow * 100 / answers }

        public init() {}
    }

    private struct Bucket: Sendable {
        var calls: UInt32 = 0
        var slow: UInt32 = 0
        var silent: UInt32 = 0
        var serverErrors: UInt32 = 0
        var broken: UInt32 = 0
    }

    private var ring: TimeRing<Bucket>

    public init(span: Duration, at now: Instant) {
        ring = TimeRing(span: span, empty: Bucket(), at: now)
    }

    public mutating func record(_ mark: Mark, at now: Instant) {
        ring.update(at: now) { bucket in
            bucket.calls &+= 1
            switch mark {
            case .answered: break
            case .slow: bucket.slow &+= 1
            case .silent: bucket.silent &+= 1
            case .serverError: bucket.serverErrors &+= 1
            case .broken: bucket.broken &+= 1
            }
        }
    }

    public func counts(at now: Instant) -> Counts {
        var sums = Counts()
        ring.forEach(at: now) { bucket in
            sums.calls += Int(bucket.calls)
            sums.slow += Int(bucket.slow)
            sums.silent += Int(bucket.silent)
            sums.serverErrors += Int(bucket.serverErrors)
            sums.broken += Int(bucket.broken)
        }
        return sums
    }

    public mutating func clear() { ring.clear() }
}

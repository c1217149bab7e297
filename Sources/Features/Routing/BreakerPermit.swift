public import Domain

extension Breaker {
    /// What a call of a method moved; the caller publishes it.
    public enum Change: String, Sendable, Hashable {
        case none, opened, halfOpened, closed
    }

    /// Proof of a permit, handed back with the result.
    public struct Ticket: Sendable, Hashable {
        public let era: UInt32
        /// 0 for an ordinary call.
        public let probe: UInt32

        public init(era: UInt32, probe: UInt32) {
            self.era = era
            self.probe = probe
        }

        /// What a breaker that nothing was heard of hands out.
        public static var first: Self { Self(era: 0, probe: 0) }
    }

    /// Whether an attempt may start.
    public enum Permit: Sendable, Hashable {
        case pass(Ticket)
        /// Passes as the one probe of a half-open breaker: its result decides.
        case probe(Ticket)
        case refuse(Refusal)
    }

    /// What a permit would be, without taking one.
    public enum Outlook: Sendable, Hashable {
        case passes
        case probes
        case refuses(Refusal)
    }

    /// Why an attempt may not start, and until when.
    public struct Refusal: Sendable, Hashable {
        /// The rule that refuses.
        public enum Cause: Sendable, Hashable {
            case open
            /// Half-open, and its one probe is on its way.
            case probing
            /// An operator holds it open.
            case held
        }
        public let cause: Cause
        /// The first moment a call may pass; nil while a probe runs, whose end nobody knows.
        public let retryAt: Instant?

        public init(cause: Cause, retryAt: Instant?) {
            self.cause = cause
            self.retryAt = retryAt
        }
    }
}

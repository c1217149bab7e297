import Domain

/// The one limit that a refused call is told of; made into a sentence only after the lock is released.
struct LimitRefusal {
    enum Kind {
        case requests
        case tokens(needed: Int64, left: Int)
        case parallel
        /// The gateway's own table is full of calls.
        case noRoom
    }

    let kind: Kind
    let scope: LimitScope
    let ceiling: Int
    /// nil = never: the ceiling is 0.
    let wait: Duration?
    /// What the rate-limit headers say.
    var facts = LimitFacts()

    /// A call's end cannot be foreseen; a second is long enough not to be a storm.
    static var parallelWait: Duration { .seconds(1) }

    /// Of two refusals the one to tell: the one that lasts longer.
    func orLonger(_ other: LimitRefusal?) -> LimitRefusal {
        guard let other else { return self }
        guard let wait else { return self }
        guard let otherWait = other.wait else { return other }
        return wait > otherWait ? self : other
    }

    var failure: CallFailure {
        switch kind {
        case .requests:
            CallFailure(
                .requestsPerMinute, source: .caller,
                "\(scope.phrase) may make \(ceiling) requests per minute, and they are used up; \(advice)",
                retryAfter: wait, limits: facts)
        case .tokens(let needed, let left):
            CallFailure(
                .tokensPerMinute, source: .caller,
                "\(scope.phrase) may use \(ceiling) tokens per minute: this call needs about \(needed), "
                    + "\(left) are left; \(advice)",
                retryAfter: wait, limits: facts)
        case .parallel:
            CallFailure(
                .parallelCalls, source: .caller,
                "\(scope.phrase) may have \(ceiling) calls at the same time, and all are running; \(advice)",
                retryAfter: wait, limits: facts)
        case .noRoom:
            CallFailure(
                .overloaded, source: .gateway, "the gateway counts as many calls as it can; \(advice)",
                retryAfter: wait, limits: facts)
        }
    }

    private var advice: String {
        guard let wait else { return "ask your operator to raise the limit" }
        // Tenths of a second, rounded up.
        let tenths = (wait.wholeNanoseconds + 99_999_999) / 100_000_000
        return "try again in \(tenths / 10).\(tenths % 10) s"
    }
}

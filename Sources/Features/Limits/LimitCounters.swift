package import Domain
import Locking

/// Who a limit is for.
package enum LimitScope: Sendable, Hashable {
    case tenant(TenantID)
    case virtualKey(VirtualKeyID)

    var words: String {
        switch self {
        case .tenant: "this tenant"
        case .virtualKey: "this virtual key"
        }
    }
}

/// What one call needs.
package struct Demand: Sendable {
    package let scopes: [(scope: LimitScope, limits: LimitSet)]
    /// Estimated model tokens.
    package let tokens: Int64
    package init(scopes: [(scope: LimitScope, limits: LimitSet)], tokens: Int64) {
        self.scopes = scopes
        self.tokens = tokens
    }
}

/// The tightest limits a call met, for the `x-ratelimit-*` headers.
package struct LimitFacts: Sendable, Hashable {
    /// One kind of limit.
    package struct Line: Sendable, Hashable {
        package let limit: Int
        package let remaining: Int64
        package let reset: Duration
    }
    package var requests: Line?
    package var tokens: Line?

    package init(requests: Line? = nil, tokens: Line? = nil) {
        self.requests = requests
        self.tokens = tokens
    }
}

/// A call that was let in; settle it exactly once.
package struct Admission: Sendable {
    let scopes: [(scope: LimitScope, limits: LimitSet)]
    let estimate: Int64
    package let facts: LimitFacts
}

/// The live counters behind the limits: the seam where a store shared by several gateways comes later.
package protocol LimitCounters: Sendable {
    /// Takes all or nothing: a call refused for one limit consumes none of the others.
    func admit(_ demand: Demand, at now: Instant) throws(CallFailure) -> Admission
    /// Gives the parallel places back and puts the true tokens in the estimate's place.
    func settle(_ admission: Admission, usedTokens: Int64, at now: Instant)
}

/// The counters of one process.
package final class MemoryLimitCounters: LimitCounters {
    private struct Counters: Sendable {
        var requests: TokenBucket?
        var tokens: TokenBucket?
        var parallel = 0
    }

    /// Scopes beyond this many make idle ones (full buckets, nothing in flight) be forgotten; forgetting a full
    /// bucket changes nothing.
    private let scopesMost: Int
    private let table = Locked<[LimitScope: Counters]>([:])

    package init(scopesMost: Int = 65_536) { self.scopesMost = scopesMost }

    package func admit(_ demand: Demand, at now: Instant) throws(CallFailure) -> Admission {
        let limited = demand.scopes.filter { $0.limits != LimitSet() }
        guard !limited.isEmpty else { return Admission(scopes: [], estimate: 0, facts: LimitFacts()) }
        return try table.withLock { table throws(CallFailure) in
            if table.count + limited.count > scopesMost { Self.forgetIdle(&table, at: now) }
            var next: [Counters] = []
            for (scope, limits) in limited {
                var counters = Self.fit(table[scope] ?? Counters(), to: limits, at: now)
                try Self.check(&counters, scope, limits, tokens: demand.tokens, at: now)
                next.append(counters)
            }
            var facts = LimitFacts()
            for (index, (scope, limits)) in limited.enumerated() {
                next[index].requests?.take(1, at: now)
                next[index].tokens?.take(demand.tokens, at: now)
                next[index].parallel += 1
                Self.note(&next[index], limits, in: &facts, at: now)
                table[scope] = next[index]
            }
            return Admission(scopes: limited, estimate: demand.tokens, facts: facts)
        }
    }

    package func settle(_ admission: Admission, usedTokens: Int64, at now: Instant) {
        guard !admission.scopes.isEmpty else { return }
        table.withLock { table in
            for (scope, _) in admission.scopes {
                guard var counters = table[scope] else { continue }
                counters.parallel = max(0, counters.parallel - 1)
                counters.tokens?.take(usedTokens - admission.estimate, at: now)
                table[scope] = counters
            }
        }
    }

    /// Scopes kept now.
    package var scopeCount: Int { table.withLock { $0.count } }

    /// Calls in flight under a scope.
    package func parallel(of scope: LimitScope) -> Int { table.withLock { $0[scope]?.parallel ?? 0 } }

    private static func fit(_ old: Counters, to limits: LimitSet, at now: Instant) -> Counters {
        var counters = old
        counters.requests = fit(old.requests, to: limits.requestsPerMinute, at: now)
        counters.tokens = fit(old.tokens, to: limits.tokensPerMinute, at: now)
        return counters
    }

    private static func fit(_ bucket: TokenBucket?, to limit: Int?, at now: Instant) -> TokenBucket? {
        guard let limit else { return nil }
        guard var bucket else { return TokenBucket(perMinute: limit, at: now) }
        bucket.change(perMinute: limit, at: now)
        return bucket
    }

    private static func check(
        _ counters: inout Counters, _ scope: LimitScope, _ limits: LimitSet, tokens: Int64, at now: Instant
    ) throws(CallFailure) {
        if let most = limits.parallel, counters.parallel >= most {
            throw CallFailure(
                .parallelCalls, source: .caller,
                "\(scope.words) may have \(most) calls at the same time; wait for one to end", retryAfter: .seconds(1))
        }
        if let limit = limits.requestsPerMinute, let wait = counters.requests?.wait(for: 1, at: now) {
            throw CallFailure(
                .requestsPerMinute, source: .caller, "\(scope.words) may make \(limit) requests a minute; wait",
                retryAfter: wait)
        }
        if let limit = limits.tokensPerMinute, let wait = counters.tokens?.wait(for: tokens, at: now) {
            throw CallFailure(
                .tokensPerMinute, source: .caller,
                "\(scope.words) may use \(limit) tokens a minute; this call needs about \(tokens)", retryAfter: wait)
        }
    }

    private static func note(_ counters: inout Counters, _ limits: LimitSet, in facts: inout LimitFacts, at now: Instant) {
        if let limit = limits.requestsPerMinute, let line = counters.requests?.facts(at: now) {
            facts.requests = tighter(facts.requests, .init(limit: limit, remaining: line.remaining, reset: line.reset))
        }
        if let limit = limits.tokensPerMinute, let line = counters.tokens?.facts(at: now) {
            facts.tokens = tighter(facts.tokens, .init(limit: limit, remaining: line.remaining, reset: line.reset))
        }
    }

    private static func tighter(_ old: LimitFacts.Line?, _ new: LimitFacts.Line) -> LimitFacts.Line {
        guard let old, old.remaining <= new.remaining else { return new }
        return old
    }

    private static func forgetIdle(_ table: inout [LimitScope: Counters], at now: Instant) {
        table = table.filter { _, counters in
            var requests = counters.requests
            var tokens = counters.tokens
            return counters.parallel > 0 || !(requests?.isFull(at: now) ?? true) || !(tokens?.isFull(at: now) ?? true)
        }
    }
}

import Domain
import Limits
import Testing

/// What all limit counters must do, whatever keeps their state.
func checkLimitCounters(_ make: () -> any LimitCounters) throws {
    try rejectedCallsCostNothing(make())
    try settlingCorrectsAndReturns(make())
    try settlingTwiceDoesNothing(make())
    try callsTakenBackCountForNothing(make())
    try refusalsCarryWhatIsLeft(make())
    try factsAreOfTheTightestScope(make())
    try scopesAreApart(make())
    unlimitedScopesCountNothing(make())
    try levelsOutliveTheirStore(make(), make())
}

let tenant = LimitScope.tenant(TenantID(high: 1, low: 1))
let virtualKey = LimitScope.virtualKey(VirtualKeyID(high: 2, low: 2))

func demand(_ parts: [(LimitScope, LimitSet)], tokens: Int64 = 0) -> Demand {
    var demand = Demand(tokens: tokens)
    for (scope, limits) in parts { demand.add(scope, limits) }
    return demand
}

/// The failure of a call that must be refused.
func refusal(_ demand: Demand, on counters: any LimitCounters, at now: Instant) -> CallFailure? {
    do throws(CallFailure) {
        _ = try counters.admit(demand, at: now)
        return nil
    } catch {
        return error
    }
}

private let start = Instant(nanoseconds: 0)

private func rejectedCallsCostNothing(_ counters: any LimitCounters) throws {
    let both = demand(
        [
            (tenant, LimitSet(requestsPerMinute: 10, tokensPerMinute: 1_000)),
            (virtualKey, LimitSet(requestsPerMinute: 10, parallel: 1)),
        ], tokens: 100)
    let first = try counters.admit(both, at: start)
    for _ in 1...50 {
        let failure = try #require(refusal(both, on: counters, at: start))
        #expect(failure.code == .parallelCalls)
        #expect(failure.source == .caller)
        #expect(failure.retryAfter == .seconds(1))
        #expect(failure.status == 429)
        #expect(
            failure.message
                == "this virtual key may have 1 calls at the same time, and all are running; try again in 1.0 s"
        )
    }
    #expect(counters.use(of: tenant, at: start) == LimitUse(inFlight: 1, requestsLeft: 9, tokensLeft: 900))
    #expect(
        counters.use(of: virtualKey, at: start) == LimitUse(inFlight: 1, requestsLeft: 9, tokensLeft: nil))
    counters.settle(first, usedTokens: 100, at: start)
    _ = try counters.admit(both, at: start)
}

private func settlingCorrectsAndReturns(_ counters: any LimitCounters) throws {
    let call = demand([(tenant, LimitSet(tokensPerMinute: 1_000, parallel: 9))], tokens: 400)
    let one = try counters.admit(call, at: start)
    let two = try counters.admit(call, at: start)
    let failure = try #require(refusal(call, on: counters, at: start))
    #expect(failure.code == .tokensPerMinute)
    #expect(failure.retryAfter == .seconds(12))
    #expect(
        failure.message
            == "this tenant may use 1000 tokens per minute: this call needs about 400, 200 are left; "
            + "try again in 12.0 s")
    counters.settle(one, usedTokens: 100, at: start)
    #expect(counters.use(of: tenant, at: start) == LimitUse(inFlight: 1, requestsLeft: nil, tokensLeft: 500))
    counters.settle(two, usedTokens: 2_400, at: start)
    #expect(counters.use(of: tenant, at: start) == LimitUse(inFlight: 0, requestsLeft: nil, tokensLeft: 0))
    // 1,000 - 100 - 2,400 = a debt of 1,500; then the 400 themselves.
    #expect(refusal(call, on: counters, at: start)?.retryAfter == .seconds(60 * 1_900 / 1_000))
}

private func settlingTwiceDoesNothing(_ counters: any LimitCounters) throws {
    let call = demand([(virtualKey, LimitSet(tokensPerMinute: 1_000, parallel: 2))], tokens: 500)
    let one = try counters.admit(call, at: start)
    counters.settle(one, usedTokens: nil, at: start)
    let two = try counters.admit(call, at: start)
    for _ in 1...3 { counters.settle(one, usedTokens: 0, at: start) }
    #expect(
        counters.use(of: virtualKey, at: start) == LimitUse(inFlight: 1, requestsLeft: nil, tokensLeft: 0))
    counters.settle(two, usedTokens: nil, at: start)
    #expect(counters.use(of: virtualKey, at: start)?.inFlight == 0)
}

/// What was turned away elsewhere used up nothing here, and gives back no more than it took.
private func callsTakenBackCountForNothing(_ counters: any LimitCounters) throws {
    let both = demand(
        [
            (tenant, LimitSet(requestsPerMinute: 10, tokensPerMinute: 1_000)),
            (virtualKey, LimitSet(requestsPerMinute: 2, parallel: 2)),
        ], tokens: 100)
    let stays = try counters.admit(both, at: start)
    for _ in 1...20 {
        let admission = try counters.admit(both, at: start)
        counters.takeBack(admission, at: start)
        counters.takeBack(admission, at: start)
        counters.settle(admission, usedTokens: 500, at: start)
    }
    #expect(counters.use(of: tenant, at: start) == LimitUse(inFlight: 1, requestsLeft: 9, tokensLeft: 900))
    #expect(
        counters.use(of: virtualKey, at: start) == LimitUse(inFlight: 1, requestsLeft: 1, tokensLeft: nil))
    // Later, when the bucket has filled: it never holds more than a minute's number.
    let late = start + .seconds(120)
    counters.takeBack(try counters.admit(both, at: start), at: late)
    counters.settle(stays, usedTokens: 100, at: late)
    #expect(counters.use(of: tenant, at: late) == LimitUse(inFlight: 0, requestsLeft: 10, tokensLeft: 1_000))
}

private func refusalsCarryWhatIsLeft(_ counters: any LimitCounters) throws {
    let both = demand(
        [
            (tenant, LimitSet(requestsPerMinute: 600, tokensPerMinute: 1_000)),
            (virtualKey, LimitSet(requestsPerMinute: 1)),
        ], tokens: 100)
    _ = try counters.admit(both, at: start)
    let facts = try #require(refusal(both, on: counters, at: start)?.limits)
    #expect(facts.requests == .init(limit: 1, remaining: 0, reset: .seconds(60)))
    #expect(facts.tokens == .init(limit: 1_000, remaining: 900, reset: .seconds(6)))
}

private func factsAreOfTheTightestScope(_ counters: any LimitCounters) throws {
    let admission = try counters.admit(
        demand(
            [
                (tenant, LimitSet(requestsPerMinute: 600, tokensPerMinute: 10_000)),
                (virtualKey, LimitSet(requestsPerMinute: 60, tokensPerMinute: 100_000)),
            ], tokens: 1_000), at: start)
    #expect(admission.facts.requests == .init(limit: 60, remaining: 59, reset: .seconds(1)))
    #expect(admission.facts.tokens == .init(limit: 10_000, remaining: 9_000, reset: .seconds(6)))
}

private func scopesAreApart(_ counters: any LimitCounters) throws {
    let limits = LimitSet(requestsPerMinute: 1)
    _ = try counters.admit(demand([(tenant, limits)]), at: start)
    let failure = try #require(refusal(demand([(tenant, limits)]), on: counters, at: start))
    #expect(failure.code == .requestsPerMinute)
    #expect(failure.retryAfter == .seconds(60))
    // Same numbers in the id, another kind of scope.
    _ = try counters.admit(demand([(.virtualKey(VirtualKeyID(high: 1, low: 1)), limits)]), at: start)
    _ = try counters.admit(demand([(.tenant(TenantID(high: 1, low: 2)), limits)]), at: start)
    let never = try #require(
        refusal(demand([(virtualKey, LimitSet(requestsPerMinute: 0))]), on: counters, at: start))
    #expect(never.retryAfter == nil)
}

private func unlimitedScopesCountNothing(_ counters: any LimitCounters) {
    let call = demand([(tenant, LimitSet()), (virtualKey, LimitSet())], tokens: 1_000_000)
    for _ in 1...100 { #expect(refusal(call, on: counters, at: start) == nil) }
    #expect(counters.use(of: tenant, at: start) == nil)
}

/// A restart neither fills a bucket nor forgets a debt, and the time between refills as if nothing had happened.
private func levelsOutliveTheirStore(_ counters: any LimitCounters, _ next: any LimitCounters) throws {
    let user = LimitScope.user(TenantID(high: 1, low: 1), try Label("mira"))
    let both = demand(
        [
            (tenant, LimitSet(requestsPerMinute: 60, tokensPerMinute: 600)),
            (user, LimitSet(requestsPerMinute: 2)),
        ], tokens: 100)
    let first = try counters.admit(both, at: start)
    _ = try counters.admit(both, at: start)
    counters.settle(first, usedTokens: 900, at: start)
    let levels = counters.levels(at: start)
    #expect(levels.count == 2)
    // Another process, whose clock began elsewhere, ten seconds later.
    let later = Instant(nanoseconds: 77)
    next.restore(levels, elapsed: .seconds(10), at: later)
    // 600 - 900 - 100 + 10 s of 10 tokens; 60 - 2 + 2 requests at most.
    #expect(next.use(of: tenant, at: later) == LimitUse(inFlight: 0, requestsLeft: 60, tokensLeft: 0))
    #expect(next.use(of: user, at: later)?.requestsLeft == 0)
    let refused = try #require(refusal(both, on: next, at: later))
    #expect(refused.code == .tokensPerMinute && refused.retryAfter == .seconds(40))
    _ = try next.admit(both, at: later + .seconds(40))
    // What counts already is not taken back to what was kept.
    next.restore(levels, elapsed: .zero, at: later + .seconds(40))
    #expect(next.use(of: user, at: later + .seconds(40))?.requestsLeft == 0)
    #expect(next.levels(at: later + .seconds(400)).isEmpty, "what is as new needs no keeping")
}

import Domain

/// All counters of one process as a plain value: demands and time in, verdicts out.
///
/// Accounts and admissions stand in arrays and are found again by their place, so settling hashes nothing. An
/// admission's slot has a generation: settling twice, or after the slot went to another call, does nothing.
struct LimitTable {
    enum Verdict {
        case admitted(Admission)
        case refused(LimitRefusal)
    }

    private struct Account {
        let scope: LimitScope
        var requests: RateBucket?
        var tokens: RateBucket?
        var inFlight = 0
        var lastUsed: Instant
    }

    private struct Call {
        var generation: UInt64 = 0
        var isLive = false
        var tokens: Int64 = 0
        var count = 0
        var accounts = InlineArray<4, Int>(repeating: 0)
    }

    private let accountsMax: Int
    private let callsMax: Int
    private var places: [LimitScope: Int] = [:]
    private var accounts: [Account] = []
    private var freeAccounts: [Int] = []
    private var calls: [Call] = []
    private var freeCalls: [Int] = []

    init(accountsMax: Int, callsMax: Int) {
        self.accountsMax = max(4, accountsMax)
        self.callsMax = max(1, callsMax)
    }

    var accountCount: Int { places.count }

    // MARK: Verbs

    /// Looks at every limit first and takes only when all allow it.
    mutating func admit(_ demand: Demand, at now: Instant) -> Verdict {
        guard let first = demand[0] else {
            return .admitted(Admission(slot: nil, generation: 0, facts: .init()))
        }
        guard makeRoom(for: demand.count, at: now) else {
            return .refused(
                LimitRefusal(kind: .noRoom, scope: first.scope, ceiling: 0, wait: LimitRefusal.parallelWait))
        }
        var call = Call(tokens: max(0, demand.tokens), count: demand.count)
        var refusal: LimitRefusal?
        for number in 0..<demand.count {
            guard let part = demand[number] else { continue }
            let place = account(for: part, at: now)
            call.accounts[number] = place
            refusal = look(at: place, limits: part.limits, tokens: call.tokens, orBefore: refusal)
        }
        if var refusal {
            refusal.facts = facts(of: call)
            return .refused(refusal)
        }
        return .admitted(take(call, at: now))
    }

    /// - Parameter requests: what it counts for among the requests of the minute: 1, or 0 to give that back.
    mutating func settle(
        _ admission: Admission, usedTokens: Int64?, requests: Int64 = 1, at now: Instant
    ) {
        guard let slot = admission.slot, calls.indices.contains(slot), calls[slot].isLive,
            calls[slot].generation == admission.generation
        else { return }
        let call = calls[slot]
        calls[slot].isLive = false
        freeCalls.append(slot)
        // Bounded before subtracting: a provider's figure may be anything.
        let correction = usedTokens.map { min(max($0, 0), 1 << 40) - min(call.tokens, 1 << 40) } ?? 0
        for number in 0..<call.count {
            let place = call.accounts[number]
            accounts[place].inFlight -= 1
            accounts[place].tokens?.refill(to: now)
            accounts[place].tokens?.take(correction)
            guard requests != 1 else { continue }
            accounts[place].requests?.refill(to: now)
            accounts[place].requests?.take(requests - 1)
        }
    }

    func use(of scope: LimitScope, at now: Instant) -> LimitUse? {
        guard let place = places[scope] else { return nil }
        var account = accounts[place]
        account.requests?.refill(to: now)
        account.tokens?.refill(to: now)
        return LimitUse(
            inFlight: account.inFlight, requestsLeft: account.requests?.remaining,
            tokensLeft: account.tokens?.remaining)
    }

    // MARK: Over a restart

    mutating func levels(at now: Instant) -> [LimitLevel] {
        places.values.compactMap { place in
            guard !isRefilled(place, at: now) else { return nil }
            let account = accounts[place]
            return LimitLevel(
                scope: account.scope,
                requests: account.requests.map { .init(perMinute: $0.perMinute, used: $0.used) },
                tokens: account.tokens.map { .init(perMinute: $0.perMinute, used: $0.used) })
        }
    }

    mutating func restore(_ levels: [LimitLevel], elapsed: Duration, at now: Instant) {
        for level in levels where places[level.scope] == nil && places.count < accountsMax {
            let place = open(level.scope, at: now)
            accounts[place].requests = level.requests.map {
                RateBucket(perMinute: $0.perMinute, used: $0.used, elapsed: elapsed, at: now)
            }
            accounts[place].tokens = level.tokens.map {
                RateBucket(perMinute: $0.perMinute, used: $0.used, elapsed: elapsed, at: now)
            }
        }
    }

    // MARK: Steps of admitting

    /// The scope's account, brought up to now and to the ceilings in force.
    private mutating func account(for part: Demand.Part, at now: Instant) -> Int {
        let place = places[part.scope] ?? open(part.scope, at: now)
        Self.bring(&accounts[place].requests, to: part.limits.requestsPerMinute, at: now)
        Self.bring(&accounts[place].tokens, to: part.limits.tokensPerMinute, at: now)
        accounts[place].lastUsed = max(accounts[place].lastUsed, now)
        return place
    }

    private static func bring(_ bucket: inout RateBucket?, to ceiling: Int?, at now: Instant) {
        guard let ceiling else {
            bucket = nil
            return
        }
        if bucket == nil { bucket = RateBucket(perMinute: ceiling, at: now) }
        bucket?.refill(to: now, perMinute: ceiling)
    }

    /// What one account has against the call; the longer of that and what was found before.
    private func look(
        at place: Int, limits: LimitSet, tokens: Int64, orBefore before: LimitRefusal?
    ) -> LimitRefusal? {
        var worst = before
        let account = accounts[place]
        if let parallel = limits.parallel, account.inFlight >= parallel {
            let wait = parallel > 0 ? LimitRefusal.parallelWait : nil
            worst = LimitRefusal(kind: .parallel, scope: account.scope, ceiling: parallel, wait: wait)
                .orLonger(worst)
        }
        if let bucket = account.requests, !bucket.admits(1) {
            worst = LimitRefusal(
                kind: .requests, scope: account.scope, ceiling: Int(bucket.perMinute),
                wait: bucket.wait(for: 1)
            ).orLonger(worst)
        }
        if let bucket = account.tokens, !bucket.admits(tokens) {
            worst = LimitRefusal(
                kind: .tokens(needed: tokens, left: bucket.remaining), scope: account.scope,
                ceiling: Int(bucket.perMinute), wait: bucket.wait(for: tokens)
            ).orLonger(worst)
        }
        return worst
    }

    private mutating func take(_ call: Call, at now: Instant) -> Admission {
        for number in 0..<call.count {
            let place = call.accounts[number]
            accounts[place].inFlight += 1
            accounts[place].requests?.take(1)
            accounts[place].tokens?.take(call.tokens)
        }
        let facts = facts(of: call)
        let slot: Int
        if let free = freeCalls.popLast() {
            slot = free
        } else {
            slot = calls.count
            calls.append(Call())
        }
        let generation = calls[slot].generation &+ 1
        calls[slot] = call
        calls[slot].generation = generation
        calls[slot].isLive = true
        return Admission(slot: slot, generation: generation, facts: facts)
    }

    /// What is left now, of the scope that has least.
    private func facts(of call: Call) -> LimitFacts {
        var facts = LimitFacts()
        for number in 0..<call.count {
            let place = call.accounts[number]
            facts.requests = Self.tighter(facts.requests, accounts[place].requests)
            facts.tokens = Self.tighter(facts.tokens, accounts[place].tokens)
        }
        return facts
    }

    private static func tighter(_ fact: LimitFacts.Fact?, _ bucket: RateBucket?) -> LimitFacts.Fact? {
        guard let bucket else { return fact }
        let remaining = bucket.remaining
        if let fact, fact.remaining <= remaining { return fact }
        return LimitFacts.Fact(limit: Int(bucket.perMinute), remaining: remaining, reset: bucket.untilFull)
    }

    // MARK: Room

    private mutating func open(_ scope: LimitScope, at now: Instant) -> Int {
        let account = Account(scope: scope, lastUsed: now)
        let place: Int
        if let free = freeAccounts.popLast() {
            place = free
            accounts[place] = account
        } else {
            place = accounts.count
            accounts.append(account)
        }
        places[scope] = place
        return place
    }

    /// Before the table passes its bound: drops the accounts that are as good as new; then, down to seven eighths,
    /// those idle longest, debtors last. An account with calls in flight is never dropped. False when nothing helps.
    ///
    /// Dropping one that is not full forgets at most a minute's use of one scope (and an hour's debt); it takes more
    /// scopes within a minute than the table has places.
    private mutating func makeRoom(for count: Int, at now: Instant) -> Bool {
        guard freeCalls.count > 0 || calls.count < callsMax else { return false }
        guard places.count + count > accountsMax else { return true }
        for place in places.values where isAsNew(place, at: now) { drop(place) }
        let target = min(accountsMax - count, accountsMax * 7 / 8)
        guard places.count > target else { return true }
        let idle = places.values.filter { accounts[$0].inFlight == 0 }
            .map { (place: $0, owes: accounts[$0].tokens?.isInDebt == true, used: accounts[$0].lastUsed) }
            .sorted { ($0.owes ? 1 : 0, $0.used) < ($1.owes ? 1 : 0, $1.used) }
        for entry in idle.prefix(places.count - target) { drop(entry.place) }
        return places.count + count <= accountsMax
    }

    private mutating func isAsNew(_ place: Int, at now: Instant) -> Bool {
        accounts[place].inFlight == 0 && isRefilled(place, at: now)
    }

    private mutating func isRefilled(_ place: Int, at now: Instant) -> Bool {
        accounts[place].requests?.refill(to: now)
        accounts[place].tokens?.refill(to: now)
        return accounts[place].requests?.isFull != false && accounts[place].tokens?.isFull != false
    }

    private mutating func drop(_ place: Int) {
        places[accounts[place].scope] = nil
        freeAccounts.append(place)
    }
}

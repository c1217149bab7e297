import Domain

/// The breakers of one process as a plain value.
///
/// They stand in an array and are found by their place: a breaker is several hundred bytes, too many to move in and
/// out of a dictionary for each call.
struct BreakerTable {
    private struct Slot {
        let target: Target
        var breaker: Breaker
        var lastUsed: Instant
    }

    private let options: BreakerOptions
    private let capacity: Int
    private var places: [Target: Int] = [:]
    private var slots: [Slot] = []
    private var rateLimits = RateLimitTable()

    init(options: BreakerOptions, capacity: Int) {
        self.options = options
        self.capacity = max(1, capacity)
    }

    func outlooks(of candidates: [Candidate], at now: Instant) -> [Breaker.Outlook] {
        candidates.map { candidate in
            guard let place = places[candidate.target] else { return .passes }
            return slots[place].breaker.outlook(at: now)
        }
    }

    func pass(_ candidates: [Candidate], at now: Instant) -> Bool {
        candidates.allSatisfy { candidate in
            guard let place = places[candidate.target] else { return true }
            return slots[place].breaker.passes(at: now)
        }
    }

    mutating func permit(_ target: Target, at now: Instant) -> Permission {
        guard let place = places[target] else { return Permission(permit: .pass(.first), change: .none) }
        slots[place].lastUsed = now
        let (permit, change) = slots[place].breaker.permit(at: now)
        return Permission(permit: permit, change: change)
    }

    mutating func report(
        _ result: AttemptResult, of ticket: Breaker.Ticket, for target: Target, at now: Instant
    ) -> Breaker.Change {
        guard let place = places[target] ?? (says(result) ? open(target, at: now) : nil) else {
            return .none
        }
        slots[place].lastUsed = now
        switch result {
        case .answered: return slots[place].breaker.succeeded(ticket, at: now)
        case .answeredAfter(let firstContent):
            return slots[place].breaker.succeeded(ticket, at: now, firstContent: firstContent)
        case .failed(let kind, let retryAfter):
            return slots[place].breaker.failed(ticket, at: now, kind: kind, retryAfter: retryAfter)
        case .gaveUp(let waited): return slots[place].breaker.gaveUp(ticket, after: waited, at: now)
        case .abandoned: return slots[place].breaker.abandoned(ticket, at: now)
        }
    }

    /// Whether a result is worth a breaker of its own.
    private func says(_ result: AttemptResult) -> Bool {
        switch result {
        case .answered, .answeredAfter: true
        case .failed(let kind, _): kind.rule.countsForBreaker
        case .gaveUp(let waited): waited >= options.vainWait
        case .abandoned: false
        }
    }

    mutating func confirm(
        _ ticket: Breaker.Ticket, for target: Target, at now: Instant
    ) -> Breaker.Change {
        guard let place = places[target] else { return .none }
        slots[place].lastUsed = now
        return slots[place].breaker.confirm(ticket, at: now)
    }

    mutating func rateLimited(
        _ target: Target, owner: TenantID, retryAfter: Duration?, at now: Instant
    ) -> Breaker.Change {
        guard let promotion = rateLimits.note(target, owner: owner, at: now, retryAfter: retryAfter),
            let place = places[target] ?? open(target, at: now)
        else { return .none }
        slots[place].lastUsed = now
        return slots[place].breaker.limited(promotion, at: now)
    }

    /// Rare, so all are looked through.
    mutating func probed(
        _ provider: ProviderName, _ finding: ProbeFinding, targets: [Target], at now: Instant
    ) -> [BreakerShift] {
        if finding != .reachable {
            for target in targets where target.provider == provider && places[target] == nil {
                _ = open(target, at: now)
            }
        }
        var shifts: [BreakerShift] = []
        for place in slots.indices where slots[place].target.provider == provider {
            let change: Breaker.Change =
                switch finding {
                case .reachable: slots[place].breaker.reachable(at: now)
                case .unreachable(let kind): slots[place].breaker.unreachable(kind, at: now)
                }
            if change != .none { shifts.append(BreakerShift(target: slots[place].target, change: change)) }
        }
        return shifts
    }

    mutating func hold(
        _ hold: BreakerHold, on target: Target, at now: Instant, wall: WallTime
    ) -> Breaker.Change {
        let place = places[target] ?? open(target, at: now) ?? add(target, at: now)
        return slots[place].breaker.hold(hold, at: now, wall: wall)
    }

    mutating func release(_ target: Target, at now: Instant) -> Breaker.Change {
        guard let place = places[target] else { return .none }
        return slots[place].breaker.release(at: now)
    }

    mutating func advance(to now: Instant) -> [BreakerShift] {
        var shifts: [BreakerShift] = []
        for place in slots.indices {
            let change = slots[place].breaker.advance(to: now)
            if change != .none { shifts.append(BreakerShift(target: slots[place].target, change: change)) }
        }
        return shifts
    }

    func breaker(of target: Target) -> Breaker? { places[target].map { slots[$0].breaker } }

    var all: [(Target, Breaker)] { slots.map { ($0.target, $0.breaker) } }

    /// A new breaker's place; nil when the table is full of held ones.
    private mutating func open(_ target: Target, at now: Instant) -> Int? {
        if slots.count >= capacity { dropIdle() }
        return slots.count < capacity ? add(target, at: now) : nil
    }

    private mutating func add(_ target: Target, at now: Instant) -> Int {
        places[target] = slots.count
        slots.append(Slot(target: target, breaker: Breaker(options: options, at: now), lastUsed: now))
        return slots.count - 1
    }

    /// Drops an eighth, closed ones idle longest first, held ones never: the search is paid once in many openings.
    private mutating func dropIdle() {
        let idle = slots.indices.filter { slots[$0].breaker.held == nil }.sorted { left, right in
            let (one, other) = (slots[left], slots[right])
            let (oneOpen, otherOpen) = (one.breaker.position != .closed, other.breaker.position != .closed)
            return oneOpen == otherOpen ? one.lastUsed < other.lastUsed : otherOpen
        }
        let dropped = Set(idle.prefix(max(1, capacity / 8)))
        slots = slots.indices.filter { !dropped.contains($0) }.map { slots[$0] }
        places = Dictionary(uniqueKeysWithValues: slots.enumerated().map { ($1.target, $0) })
    }
}

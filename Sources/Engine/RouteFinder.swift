import Domain
import Metering
import Routing

/// What routing has to know of a call.
struct RouteQuestion: Sendable {
    var model: ModelName
    var tenant: TenantRecord
    var dialect: Dialect
    /// What the caller wants besides.
    var wishes = CallWishes()
    /// By estimate.
    var input: Int64 = 0
    var output: Int64 = 0
    /// One random number.
    var draw: UInt64 = 0

    fileprivate var lot: RouteLot { RouteLot(draw: draw, conversation: wishes.conversation) }
}

/// Finds where a call may go, and why not elsewhere: for the path, for explanations, and for what a change would do.
struct RouteFinder {
    let directory: Directory
    let breakers: any BreakerBoard
    let credentials: any CredentialBoard
    let gauges: TargetGauges
    let attemptsMax: Int
    /// Calls of fewer tokens are too long for no model of the price table: its least context is 512, and what is
    /// compared is half the estimate.
    private static let longInput: Int64 = 1_024
    /// A change that is tried and not made.
    var overrides: RouteOverrides?

    /// A plan, and what it was made of.
    struct Found {
        let prepared: PreparedRoute
        let plan: RoutePlan
        /// Every key that the plan may name.
        let keys: [ProviderKeyID: KeyEntry]
        let candidates: [Candidate]
        var route: Route { prepared.route }
        /// Whether the model's name leads anywhere at all for this tenant and format.
        var isKnown: Bool { !route.choices.isEmpty }
    }

    init(_ parts: PathParts, _ directory: Directory, attemptsMax: Int) {
        self.directory = directory
        breakers = parts.breakers
        credentials = parts.credentials
        gauges = parts.gauges
        self.attemptsMax = attemptsMax
    }

    func find(_ question: RouteQuestion, at now: Instant) -> Found {
        let prepared = directory.prepared(
            for: question.model, tenant: question.tenant, dialect: question.dialect)
        if let standing = standing(prepared, question, at: now) {
            return Found(
                prepared: prepared, plan: standing.plan, keys: standing.keys, candidates: standing.candidates)
        }
        let route = prepared.route
        let choices = overrides?.choices(route.choices, of: question.model) ?? route.choices
        return find(question, among: choices, of: prepared, at: now)
    }

    /// The route's standing plan, where this call asks for nothing that could change it and all that it names is well:
    /// nearly always.
    private func standing(
        _ prepared: PreparedRoute, _ question: RouteQuestion, at now: Instant
    ) -> StandingPlan? {
        guard overrides == nil, let standing = prepared.standing, standing.plan.attempts.count <= attemptsMax,
            question.wishes.constraints.isEmpty, !isLong(question, for: prepared.route),
            breakers.pass(standing.candidates, at: now), credentials.areWell(standing.candidates, at: now)
        else { return nil }
        return standing
    }

    /// The plan for some targets instead of the route's own: its fallbacks, its last resort.
    func find(
        _ question: RouteQuestion, among choices: [Route.Choice], of prepared: PreparedRoute, at now: Instant
    ) -> Found {
        let route = prepared.route
        var keys: [ProviderKeyID: KeyEntry] = [:]
        var objections: [RoutePlan.Skipped] = []
        let isPriced =
            route.strategy == .cheapest || route.constraints.costMost != nil
            || question.wishes.constraints.costMost != nil
        let readings =
            route.strategy.asksGauges
            ? gauges.readings(of: choices.map(\.target), at: now) : []
        var candidates: [Candidate] = []
        candidates.reserveCapacity(choices.count)
        for (place, choice) in choices.enumerated() {
            guard let provider = directory.providers[choice.target.provider] else { continue }
            let cost = isPriced ? directory.cost(of: question, at: choice.target, provider) : nil
            if let objection = objection(to: choice.target, provider, cost, question, route) {
                objections.append(
                    .init(target: choice.target, key: nil, reason: .unsuitable(objection)))
                continue
            }
            var owned = directory.keys(of: question.tenant, at: choice.target, by: question.lot)
            if let overrides { owned = overrides.keys(owned) }
            for key in owned { keys[key.id] = KeyEntry(key) }
            candidates.append(
                Candidate(
                    choice, owned, of: question.tenant, keyless: provider.keyless, cost: cost,
                    gauge: readings.isEmpty ? TargetReading() : readings[place]))
        }
        let order = StrategyList.strategy(named: route.strategy).order(candidates, by: question.lot)
        var plan = RoutePlanner(attemptsMax: attemptsMax).plan(
            candidates, order: order, breakers: outlooks(of: candidates, at: now),
            credentials: credentials.availabilities(of: candidates, at: now), at: now)
        if !objections.isEmpty {
            plan = RoutePlan(
                attempts: plan.attempts, skipped: plan.skipped + objections, retryAt: plan.retryAt)
        }
        return Found(prepared: prepared, plan: plan, keys: keys, candidates: candidates)
    }

    /// An estimate refuses nothing: it only prefers one target to another.
    private func isLong(_ question: RouteQuestion, for route: Route) -> Bool {
        question.input > Self.longInput && route.choices.count > 1 && !question.wishes.inlinesData
    }

    private func outlooks(of candidates: [Candidate], at now: Instant) -> [Breaker.Outlook] {
        let outlooks = breakers.outlooks(of: candidates, at: now)
        return overrides?.outlooks(outlooks, of: candidates) ?? outlooks
    }

    private func objection(
        to target: Target, _ provider: ProviderDefinition, _ cost: Money?, _ question: RouteQuestion,
        _ route: Route
    ) -> String? {
        let wishes = question.wishes
        let isConstrained = !route.constraints.isEmpty || !wishes.constraints.isEmpty
        if isConstrained {
            if let objection = route.constraints.objection(to: provider, cost: cost)
                ?? wishes.constraints.objection(to: provider, cost: cost)
            {
                return objection
            }
        }
        let traits =
            directory.routing.traits.isEmpty ? nil : directory.routing.traits.first { $0.covers(target) }
        if let traits {
            let missing = wishes.needs.intersection(traits.lacks)
            if !missing.isEmpty { return "the model cannot do what the call asks for: \(missing.text)" }
        }
        let isLong = isLong(question, for: route)
        guard isConstrained || isLong else { return nil }
        let context =
            traits?.context
            ?? directory.prices.price(provider: target.provider, model: target.model, kind: provider.kind)?
            .context
        if isConstrained {
            let lacks = traits?.lacks ?? []
            if let objection = route.constraints.objection(lacks: lacks, context: context)
                ?? wishes.constraints.objection(lacks: lacks, context: context)
            {
                return objection
            }
        }
        // The estimate is too high rather than too low: only what is far over is kept away.
        if isLong, let context, question.input / 2 > context {
            return "the call is about \(question.input) tokens long, and the model reads \(context)"
        }
        return nil
    }
}

extension RoutingStrategyName {
    fileprivate var asksGauges: Bool {
        switch self {
        case .fastest, .throughput, .leastBusy: true
        case .priority, .weighted, .cheapest, .sticky: false
        }
    }
}

extension Candidate {
    fileprivate init(
        _ choice: Route.Choice, _ owned: [ProviderKeyRecord], of tenant: TenantRecord, keyless: Bool,
        cost: Money? = nil, gauge: TargetReading = TargetReading()
    ) {
        self.init(
            target: choice.target, weight: choice.weight, keys: owned.map(\.id),
            ownKeys: owned.count { $0.tenant == tenant.id }, keyless: keyless, cost: cost, gauge: gauge)
    }
}

extension Directory {
    /// The plan that calls get as long as all targets and keys are well; nil where calls differ: by lot, by price, by how
    /// targets have been doing, or by what the route demands of them.
    func standingPlan(of route: Route, for tenant: TenantRecord) -> StandingPlan? {
        guard route.strategy == .priority, route.constraints.isEmpty, routing.traits.isEmpty else {
            return nil
        }
        var candidates: [Candidate] = []
        var keys: [ProviderKeyID: KeyEntry] = [:]
        for choice in route.choices {
            guard let provider = providers[choice.target.provider] else { continue }
            let owned = self.keys(of: tenant, at: choice.target, by: RouteLot(draw: 0))
            guard owned.count < 2 || owned.allSatisfy({ $0.weight == nil && $0.canary == nil }) else {
                return nil
            }
            for key in owned { keys[key.id] = KeyEntry(key) }
            candidates.append(Candidate(choice, owned, of: tenant, keyless: provider.keyless))
        }
        let plan = RoutePlanner(attemptsMax: .max).plan(
            candidates, order: Array(candidates.indices), breakers: candidates.map { _ in .passes },
            credentials: candidates.map { $0.keys.map { _ in .usable } }, at: Instant(nanoseconds: 0))
        return plan.attempts.isEmpty ? nil : StandingPlan(candidates: candidates, keys: keys, plan: plan)
    }

    /// What a call costs at a target by estimate; nil = the price is not known.
    func cost(of question: RouteQuestion, at target: Target, _ provider: ProviderDefinition) -> Money? {
        prices.price(provider: target.provider, model: target.model, kind: provider.kind).map {
            prices.cost(of: Usage(input: question.input, output: question.output), at: $0)
        }
    }

    /// The keys that may serve a tenant's call at a target, the preferred first: its own active ones, its own draining
    /// ones, and then the platform's where the tenant uses those.
    func keys(of tenant: TenantRecord, at target: Target, by lot: RouteLot) -> [ProviderKeyRecord] {
        let own = Self.preferred(keys[tenant.id]?[target.provider] ?? [], for: target, by: lot)
        guard tenant.usesPlatformKeys, let platform, platform != tenant.id,
            let others = keys[platform]?[target.provider]
        else { return own }
        return own + Self.preferred(others, for: target, by: lot)
    }

    /// Keys of one owner: those that may not be used for the model left out. Active ones by lot where any has a weight,
    /// else the newest first: after a rotation that is the successor; a draining one is its reserve. A successor on trial
    /// stands before its predecessor for its share of the calls, and for the others behind it, in reserve.
    private static func preferred(
        _ keys: [ProviderKeyRecord], for target: Target, by lot: RouteLot
    ) -> [ProviderKeyRecord] {
        if keys.count == 1, keys[0].serves(target.model) { return keys }
        let usable = keys.reversed().filter { $0.serves(target.model) }
        guard usable.contains(where: { $0.state == .canary }) else {
            return ordered(usable, for: target, by: lot)
        }
        var order = ordered(usable.filter { $0.state != .canary }, for: target, by: lot)
        for key in usable where key.state == .canary {
            let predecessor = order.firstIndex { $0.id == key.predecessor && $0.state == .active }
            let takes = key.canary?.takes(lot.conversation ?? lot.draw, as: key.id) ?? false
            order.insert(key, at: predecessor.map { takes ? $0 : $0 + 1 } ?? 0)
        }
        return order
    }

    private static func ordered(
        _ usable: [ProviderKeyRecord], for target: Target, by lot: RouteLot
    ) -> [ProviderKeyRecord] {
        guard usable.count > 1, usable.contains(where: { $0.weight != nil }) else { return usable }
        let active = usable.filter { $0.state == .active }
        let candidates = active.map { Candidate(target: target, weight: $0.weight ?? 1, keys: [$0.id]) }
        // The same conversation keeps its key: providers keep prompts for an account, not for everybody.
        let seed = lot.conversation ?? lot.draw
        let order = WeightedStrategy().order(candidates, by: RouteLot(draw: seed))
        return order.map { active[$0] } + usable.filter { $0.state != .active }
    }
}

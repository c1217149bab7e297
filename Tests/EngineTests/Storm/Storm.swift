import Access
import Domain
import Engine
import Events
import Glibc
import Limits
import Locking
import Operations
import Routing
import Storage
import TestKit
import Testing

/// A storm under way: callers, providers and time, all of one thread and in one order.
final class Storm {
    let plan: StormPlan
    let house: StormHouse
    let options = PathOptions()
    private(set) var tally = StormTally()
    private var agenda = Agenda()
    private let began: Instant
    private var running: [Int: StormCall] = [:]
    private var numbers = 0
    private var seconds = 0
    private var arrivals: [SplitMix]
    private var counts: [Int]
    private var complaints: [String] = []
    private var rows: Set<CallID> = []
    private let feed: EventFeed

    /// A target counts as a shelter when it was well for this long: longer than an attempt begun before may hang on,
    /// and than the ceiling of calls under way takes to grow again.
    static let lookBack = Duration.seconds(120)

    init(_ plan: StormPlan) async throws {
        self.plan = plan
        house = try await StormHouse(seed: plan.seed)
        began = house.clock.now
        arrivals = (0..<StormPlace.tenants).map { Self.generator(plan.seed, $0, -1) }
        counts = Array(repeating: 0, count: StormPlace.tenants)
        feed = house.engine.feed(depth: 100)
    }

    var now: Instant { house.clock.now }
    var sinceStart: Duration { now - began }

    func later(_ delay: Duration, _ work: @escaping () -> Void) { agenda.add(at: now + delay, work) }

    func complain(_ sentence: String) { if complaints.count < 60 { complaints.append(sentence) } }

    /// Each call's luck is its own, whatever other tenants do.
    private static func generator(_ seed: UInt64, _ tenant: Int, _ call: Int) -> SplitMix {
        var mixer = SplitMix(seed: seed ^ UInt64(tenant + 1) << 48 ^ UInt64(bitPattern: Int64(call)))
        return SplitMix(seed: mixer.next())
    }

    // MARK: Running

    func run() async throws {
        for tenant in plan.rates.indices where plan.rates[tenant] > 0 { expectCall(of: tenant) }
        everySecond()
        pass(until: began + (plan.blows + .seconds(5)))
        // The owners mend their keys.
        for tenant in house.tenants {
            for key in tenant.keys.joined() { try await house.give(.keyVerify(key: key)) }
        }
        pass(until: began + (plan.blows + plan.calm - .seconds(60)))
        expectRecovery()
        pass(until: nil)
        expectNothingHeld()
        complaints += house.breakers.complaints.all + house.credentials.complaints.all
        complaints += house.retries.complaints.all
        tally.openings = house.breakers.openings
        tally.retries = house.retries.granted
        tally.complaints = complaints
    }

    private func pass(until end: Instant?) {
        while let next = agenda.next, end.map({ next < $0 }) ?? true, let (at, work) = agenda.take() {
            house.clock.advance(at - now)
            work()
        }
        if let end { house.clock.advance(end - now) }
    }

    private var isOver: Bool { sinceStart >= plan.blows + plan.calm }

    private func expectCall(of tenant: Int) {
        let gap = -log(1 - arrivals[tenant].unit()) / plan.rates[tenant]
        later(.nanoseconds(Int64(gap * 1e9))) { [self] in
            guard !isOver else { return }
            do { try beginCall(of: tenant) } catch { complain("\(error)") }
            expectCall(of: tenant)
        }
    }

    private func beginCall(of tenant: Int) throws {
        counts[tenant] += 1
        numbers += 1
        let number = numbers
        var random = Self.generator(plan.seed, tenant, counts[tenant])
        let model = plan.models[Int(random.next() % UInt64(plan.models.count))]
        var wishes = CallWishes()
        wishes.conversation = random.next() % 2 == 0 ? random.next() % 40 : nil
        wishes.callClass = random.next() % 5 == 0 ? .batch : nil
        let timeout = timeout(&random)
        let call = InboundCall(
            id: .random(), dialect: .openAIChat, model: try ModelName(model),
            streamed: random.next() % 2 == 0,
            estimatedTokens: 20 + Int64(random.next() % 300), wishes: wishes, bodyDigest: nil,
            cache: CacheDirective(), tags: "", timeout: timeout, received: now, at: house.clock.wall)
        let leaves = random.next() % 33 == 0 ? Duration.milliseconds(Int64(random.next() % 4_000)) : nil
        let nature = nature(random.next())
        let shelters = nature == .ordinary ? try shelters(of: model, for: tenant) : []
        tally.calls += 1
        let bytes = Array("Bearer \(house.tenants[tenant].token.text)".utf8)
        let decision = bytes.withUnsafeBytes {
            house.engine.path.decide(call, presenting: PresentedCredential(authorization: $0), lane: 0)
        }
        switch decision {
        case .answer: complain("call \(number) was answered from a cache that nothing was put into")
        case .refuse(let failure): refused(call, tenant, model, failure, shelters)
        case .forward(let session):
            let begun = StormCall(
                session, number: number, ordinal: counts[tenant], tenant: tenant, model: model,
                nature: nature,
                shelters: shelters, random: random, storm: self)
            running[number] = begun
            if let leaves { later(leaves) { begun.hangUp() } }
            begun.goOn()
        }
    }

    /// One call in a hundred is bad, and one too long.
    private func nature(_ draw: UInt64) -> StormCall.Nature {
        switch draw % 100 {
        case 0: .bad
        case 1: .long
        default: .ordinary
        }
    }

    private func timeout(_ random: inout SplitMix) -> Duration? {
        let draw = random.next()
        if let seconds = plan.timeouts {
            return .seconds(seconds.lowerBound + Int(draw % UInt64(seconds.count)))
        }
        return draw % 4 == 0 ? .milliseconds(3_000 + Int64(draw / 4 % 60_000)) : nil
    }

    func behaviour(at target: Target, of tenant: Int, _ random: inout SplitMix) -> StormBehaviour {
        plan.weather.behaviour(at: place(target, tenant), at: sinceStart, &random)
    }

    private func place(_ target: Target, _ tenant: Int) -> StormPlace {
        StormPlace(
            provider: StormHouse.providers.firstIndex(of: target.provider.text) ?? 0,
            model: StormPlace.models.firstIndex(of: target.model.text) ?? 0, tenant: tenant)
    }

    private func shelters(of model: String, for tenant: Int) throws -> [StormPlace] {
        let targets = try house.targets(of: model)
        let outlooks = house.breakers.outlooks(of: targets.map { Candidate(target: $0, keys: []) }, at: now)
        return zip(targets, outlooks).compactMap { target, outlook in
            let place = place(target, tenant)
            let isFair = plan.weather.isFair(at: place, from: sinceStart - Self.lookBack, to: sinceStart)
            return outlook == .passes && isFair ? place : nil
        }
    }

    // MARK: Ends

    func hedged() { tally.hedges += 1 }

    func ended(_ call: StormCall) {
        running[call.number] = nil
        if now > call.deadline { complain("call \(call.number) ended \(now - call.deadline) too late") }
        tally.attempts += call.tries.count
        tally.traces[call.tenant, default: []].append(
            StormTally.Trace(
                number: call.ordinal, model: call.model, tries: call.tries, failed: call.hasFailed))
        let shelter = call.shelters.contains {
            plan.weather.isFair(at: $0, from: call.started - began, to: sinceStart)
        }
        switch call.end {
        case .answered: tally.answered += 1
        case .cut: tally.cut += 1
        case .cancelled: tally.cancelled += 1
        case .failed(let failure): judge(failure, call, shelter)
        case nil: complain("call \(call.number) ended without an end")
        }
        if shelter, !StormPlan.troubled.contains(call.tenant) { tally.sheltered += 1 }
    }

    private func refused(
        _ call: InboundCall, _ tenant: Int, _ model: String, _ failure: CallFailure, _ shelters: [StormPlace]
    ) {
        judge(
            failure, tenant, isHurried: false, shelter: !shelters.isEmpty, nature: .ordinary,
            "refused, \(model)")
    }

    private func judge(_ failure: CallFailure, _ call: StormCall, _ shelter: Bool) {
        let story = call.tries.map { "\($0)" }.joined(separator: " ")
        judge(
            failure, call.tenant, isHurried: call.isHurried, shelter: shelter, nature: call.nature,
            "\(call.model) after \(now - call.started): \(story)")
    }

    private func judge(
        _ failure: CallFailure, _ tenant: Int, isHurried: Bool, shelter: Bool, nature: StormCall.Nature,
        _ story: String
    ) {
        tally.failures["\(failure.code.rawValue) \(failure.status)", default: 0] += 1
        let what = "tenant \(tenant) at \(sinceStart): \(failure.code.rawValue), \(failure.message); \(story)"
        if !StormTally.isClear(failure) { complain("no clear error: \(what)") }
        let isCalm = sinceStart > plan.blows + plan.calm - .seconds(60)
        if isCalm, tenant != StormPlan.greedy, nature == .ordinary {
            complain("an error in the calm: \(what)")
        }
        guard shelter, !StormPlan.troubled.contains(tenant) else { return }
        // Who does not wait until the gateway gives a silent target up cannot be sent elsewhere in his time.
        if isHurried, failure.code == .deadlineExceeded {
            tally.hurried.append(sinceStart)
            return
        }
        complain("an error beside a healthy target: \(what)")
    }

    // MARK: What must hold

    private func everySecond() {
        later(.seconds(1)) { [self] in
            _ = house.parts.breakers.advance(to: now)
            seconds += 1
            // Pictures for screens cost more than the calls.
            if seconds % 20 == 0 { house.engine.pump() }
            if plan.probes, seconds % 15 == 0 { probeProviders() }
            takeRows()
            expectBalance()
            if !isOver || !running.isEmpty { everySecond() }
        }
    }

    /// What free calls to the providers find: whether anybody is there.
    private func probeProviders() {
        for (number, provider) in house.providerNames.enumerated() {
            let kinds = plan.weather.spells.filter {
                $0.provider == number && $0.tenant == nil && $0.from <= sinceStart && sinceStart < $0.until
            }.map(\.kind)
            let isGone = kinds.contains(.refused) || kinds.contains(.unreachable)
            _ = house.breakers.probed(
                provider, isGone ? .unreachable(.transport) : .reachable,
                targets: house.targets(at: provider),
                at: now)
        }
    }

    private func takeRows() {
        do {
            let fresh = try house.journal.pending(limit: .max)
            for row in fresh where !rows.insert(row.call).inserted { complain("two rows of one call") }
            tally.rows += fresh.count
            try house.journal.confirm(fresh.map(\.call))
        } catch {
            complain("\(error)")
        }
    }

    private func expectBalance() {
        let parts = house.parts
        let trying = running.values.reduce(0) { $0 + $1.trying }
        if parts.inFlight.current != running.count {
            complain("\(parts.inFlight.current) in flight at \(sinceStart), \(running.count) running")
        }
        if parts.gates.load.running != trying || parts.gauges.running != trying {
            complain(
                "gates \(parts.gates.load.running), gauges \(parts.gauges.running) at \(sinceStart), \(trying) attempts"
            )
        }
        if house.journal.load.used != running.count {
            complain("\(house.journal.load.used) rows promised at \(sinceStart), \(running.count) running")
        }
        for (number, tenant) in house.tenants.enumerated() {
            let held = parts.counters.use(of: .tenant(tenant.id), at: now)?.inFlight ?? 0
            let own = running.values.count { $0.tenant == number }
            if held != own { complain("tenant \(number) holds \(held) places at \(sinceStart), \(own) run") }
        }
    }

    private func expectRecovery() {
        for status in house.breakers.states(at: now) where status.position != .closed {
            complain("not recovered: \(status.target) is \(status.position): \(status.why)")
        }
    }

    private func expectNothingHeld() {
        takeRows()
        expectBalance()
        let parts = house.parts
        if !running.isEmpty { complain("\(running.count) calls never ended") }
        if parts.gates.load != (0, 0) { complain("gates hold \(parts.gates.load)") }
        for tenant in house.tenants {
            let scopes: [LimitScope] =
                [.tenant(tenant.id), .virtualKey(tenant.token.id)]
                + tenant.keys.joined().map { .providerKey($0) }
            for scope in scopes {
                let held = parts.counters.use(of: scope, at: now)?.inFlight ?? 0
                if held != 0 { complain("\(scope) holds \(held) places at the end") }
            }
        }
    }
}

import Console
import Domain
import Events
import Operations

@testable import Console

/// The pictures the tests draw: a calm day, an incident, an empty gateway, and names as long as they may be.
enum Scene: String, CaseIterable {
    case calm, incident, empty, long

    /// Monday 2026-11-23, 12:04:31 UTC.
    static let now = WallTime(milliseconds: 1_795_435_471_000)

    func snapshot() -> EngineSnapshot {
        switch self {
        case .calm: Fixture(incident: false, long: false).snapshot
        case .incident: Fixture(incident: true, long: false).snapshot
        case .empty:
            EngineSnapshot(
                instance: "gw prod-eu1", version: "1.0", at: Self.now, started: Self.now + .seconds(-42),
                listening: "127.0.0.1:8080",
                vault: VaultView(unlocked: true, slots: ["passphrase"], rootVersion: 1))
        case .long: Fixture(incident: true, long: true).snapshot
        }
    }

    func events() -> [NumberedEvent] {
        switch self {
        case .calm: Fixture(incident: false, long: false).events
        case .incident: Fixture(incident: true, long: false).events
        case .empty: []
        case .long: Fixture(incident: true, long: true).events
        }
    }

    func model(_ width: Int = 80, _ height: Int = 24, readOnly: Bool = false) -> ConsoleModel {
        var model = ConsoleModel(
            operatorName: "mira", width: width, height: height, theme: "ops-dark",
            themes: ["ops-dark", "paper-light", "mono"], readOnly: readOnly, wall: Self.now,
            now: Instant(nanoseconds: 1_000_000_000_000))
        _ = model.update(.snapshot(snapshot()))
        _ = model.update(.events(events(), lost: 0))
        return model
    }
}

extension ConsoleModel {
    /// Presses keys written as text: one key for each character.
    @discardableResult
    mutating func type(_ text: String) -> [ConsoleEffect] {
        text.flatMap { update(.input(.key(.character($0)))) }
    }

    @discardableResult
    mutating func press(_ keys: Key...) -> [ConsoleEffect] {
        keys.flatMap { update(.input(.key($0))) }
    }

    mutating func paste(_ text: String) -> [ConsoleEffect] {
        update(.input(.paste(Paste(bytes: Array(text.utf8), dropped: 0))))
    }

    func frame(ascii: Bool = false) -> Frame { ConsoleView.draw(self, Glyphs(ascii: ascii)) }
    var screen: String { frame().text }
}

/// Small numbers in a fixed order (xorshift64, Marsaglia 2003), so that pictures never change.
struct Dice: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed | 1 }
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

/// Builds one gateway's picture with its calls.
struct Fixture {
    let snapshot: EngineSnapshot
    let events: [NumberedEvent]

    private static func name<Rule>(_ text: String, _ kind: Rule.Type) -> Name<Rule> {
        guard let name = try? Name<Rule>(text) else { preconditionFailure("bad fixture name \(text)") }
        return name
    }
    static func tenant(_ text: String) -> TenantName { name(text, TenantNameRule.self) }
    static func provider(_ text: String) -> ProviderName { name(text, ProviderNameRule.self) }
    static func model(_ text: String) -> ModelName { name(text, ModelNameRule.self) }
    static func label(_ text: String) -> Label { name(text, LabelRule.self) }
    static func target(_ provider: String, _ model: String) -> Target {
        Target(provider: Self.provider(provider), model: Self.model(model))
    }
    static func id<Kind>(_ number: Int) -> Identifier<Kind> {
        Identifier(
            high: 0x9f3c_a17e_0000_4000 + UInt64(number) << 32, low: 0x8000_0000_0000_0000 + UInt64(number))
    }

    private let incident: Bool
    private let long: Bool
    private var now: WallTime { Scene.now }

    init(incident: Bool, long: Bool) {
        self.incident = incident
        self.long = long
        let maker = Maker(incident: incident, long: long)
        snapshot = maker.snapshot()
        events = maker.events()
    }

    private struct Maker {
        let incident: Bool
        let long: Bool
        var now: WallTime { Scene.now }

        func stretched(_ text: String, to count: Int) -> String {
            long ? String((text + "-" + String(repeating: "extremely-long-", count: 16)).prefix(count)) : text
        }

        var tenants: [TenantName] {
            ["acme", "globex", "initech", "umbrella"].map { Fixture.tenant(stretched($0, to: 48)) }
        }
        var targets: [Target] {
            [
                ("anthropic", "claude-large"), ("openai", "gpt-large"), ("openai", "gpt-small"),
                ("mistral", "medium"),
                ("vllm-a", "small-embed"),
            ].map { Fixture.target(stretched($0.0, to: 48), stretched($0.1, to: 120)) }
        }

        func series(_ base: Double, _ swing: Double, seed: UInt64, last: Double? = nil) -> [Double] {
            var dice = Dice(seed)
            var out = (0..<TrafficSeries.points).map { index in
                let wave = Double((index * 7) % 40) / 40
                return max(0, base + swing * (wave + Double(dice.next() % 100) / 100 - 1))
            }
            if let last { for index in 78..<90 { out[index] = last } }
            return out
        }

        func figures(_ rate: Double, _ error: Double, _ p95: Double?) -> TrafficFigures {
            TrafficFigures(
                requestsPerSecond: rate, errorPercent: error, p50Milliseconds: p95.map { $0 * 0.45 },
                p95Milliseconds: p95, inFlight: Int(rate * 0.8),
                costPerHour: Money(nanoUSD: Int64(rate * 7.6e7)),
                hitPercent: 31, calls: Int64(rate * 60))
        }

        func snapshot() -> EngineSnapshot {
            EngineSnapshot(
                instance: stretched("gw prod-eu1", to: 40), version: "1.0", at: now,
                started: now + .seconds(-700_000), sequence: 4_211, listening: "127.0.0.1:8080",
                health: HealthView(
                    state: incident ? .degraded : .ready,
                    reasons: incident ? ["no key of globex at anthropic can be used"] : []),
                vault: VaultView(
                    unlocked: true, slots: ["passphrase"], rootVersion: 3, sealedKeys: 6,
                    damagedKeys: incident ? 1 : 0),
                totals: figures(41.2, incident ? 7.4 : 0.3, 1_420),
                series: TrafficSeries(
                    requestsPerSecond: series(40, 9, seed: 3),
                    errorPercent: series(0.4, 0.6, seed: 5, last: incident ? 7.4 : nil),
                    p95Milliseconds: series(1_100, 300, seed: 7, last: incident ? 1_900 : nil),
                    costPerHour: series(3, 0.4, seed: 9), hitPercent: series(34, 10, seed: 11)),
                targets: targetViews(),
                providers: ["anthropic", "openai", "mistral", "vllm-a"].map {
                    ProviderView(
                        name: Fixture.provider($0), kind: .openaiCompatible,
                        origin: "https://\($0).example:443",
                        targets: 1, keys: 2, probe: $0 == "anthropic" ? probe() : nil)
                },
                tenants: tenantViews(), providerKeys: providerKeys(), virtualKeys: virtualKeys(),
                cache: cache(), costs: costs(), audit: audit(),
                auditVerified: "ok to #48 211, verified 12:04:00Z",
                alerts: alerts())
        }

        func targetViews() -> [TargetView] {
            let rates = [incident ? 0.0 : 9.8, 22.4, 12.9, 0.4, 5.5]
            let slow: [Double?] = [incident ? nil : 900, 1_100, 640, 920, 380]
            return targets.enumerated().map { index, target in
                var view = TargetView(
                    target: target, since: now + .seconds(-788_000 + index * 31_000),
                    figures: figures(rates[index], 0.3, slow[index]),
                    requestSeries: series(rates[index] + 1, 2, seed: UInt64(index) + 21),
                    errorSeries: series(0.3, 0.6, seed: UInt64(index) + 31), keysUsable: 3 - index % 2,
                    keysTotal: 3)
                view.credentials = CredentialTally(
                    ok: view.keysUsable, cooling: view.keysTotal - view.keysUsable)
                view.dependents = tenants.prefix(index == 4 ? 1 : 3).map(\.text)
                if incident, index == 0 { trip(&view) }
                if incident, index == 3 {
                    view.position = .halfOpen
                    view.since = now + .seconds(-190)
                    view.why = "probing after 5 failures of 20; 2 of 5 probes went well"
                    view.hold = BreakerHold(
                        mode: .asIs, owner: "mira", reason: "maintenance CHG-1171",
                        since: now + .seconds(-180),
                        ends: now + .seconds(720))
                }
                return view
            }
        }

        func trip(_ view: inout TargetView) {
            view.position = .open
            view.since = now + .seconds(-42)
            view.figures.errorPercent = 61
            view.errorSeries = series(0.4, 0.5, seed: 77, last: 61)
            view.why =
                "61% of 33 calls failed within 20 s (limit 50%, at least 20 calls); probes begin in 18 s and 5 must go well"
            view.history = [
                BreakerMoment(at: now + .seconds(-42), position: .open, held: false, why: "61% failed"),
                BreakerMoment(at: now + .seconds(-70), position: .halfOpen, held: false, why: "probing"),
                BreakerMoment(at: now + .seconds(-130), position: .open, held: false, why: "55% failed"),
                BreakerMoment(
                    at: now + .seconds(-180_000), position: .closed, held: false, why: "5 probes went well"),
                BreakerMoment(
                    at: now + .seconds(-183_000), position: .open, held: true, why: "mira: maintenance"),
            ]
            view.lastErrors = (0..<9).map { errorMoment($0, view.target) }
            view.credentials = CredentialTally(ok: 2, rejected: 1)
            view.keysUsable = 2
            view.wentTo = [
                TrafficShare(target: targets[1].description, calls: 409),
                TrafficShare(target: targets[3].description, calls: 167), TrafficShare(target: "", calls: 12),
            ]
        }

        func errorMoment(_ index: Int, _ target: Target) -> ErrorMoment {
            let late = index % 4 == 3
            return ErrorMoment(
                at: now + .milliseconds(-4_000 - index * 430), tenant: tenants[index % 3].text,
                model: target.model.text, status: late ? nil : 529, failure: late ? "timeout" : "overloaded",
                then: index % 3 == 2 ? "no other target" : "then openai ok")
        }

        func tenantViews() -> [TenantView] {
            let rates = [18.1, 11.6, 6.2, 3.9]
            return tenants.indices.map { view($0, tenants[$0], rates[$0]) }
        }

        func view(_ index: Int, _ name: TenantName, _ rate: Double) -> TenantView {
            let limited = LimitSet(
                requestsPerMinute: 1_200 * (index + 1), tokensPerMinute: 400_000, parallel: 40)
            var view = TenantView(id: Fixture.id(index + 1), name: name, status: .active)
            if incident, index == 3 { view.status = .suspended }
            view.limits = index == 2 ? LimitSet() : limited
            view.created = now + .seconds(-20_000_000)
            view.usesPlatformKeys = index == 0
            view.figures = figures(rate, incident && index == 1 ? 12.1 : 0.2, 1_210)
            view.requestSeries = series(rate, 4, seed: UInt64(index) + 41)
            view.errorSeries = series(0.3, 0.5, seed: UInt64(index) + 51)
            view.costSeries = series(0.8, 0.3, seed: UInt64(index) + 61)
            view.tokensPerMinute = Int64(92_000 / (index + 1))
            view.costToday = Money(nanoUSD: 14_100_000_000 / Int64(index + 1))
            view.unpricedToday = index == 2 ? 412 : 0
            view.models = modelFigures(incident ? 640 : 48)
            return view
        }

        func modelFigures(_ errors: Int64) -> [ModelFigures] {
            [
                ModelFigures(
                    model: "smart", target: targets[1].description, calls: 8_120, errors: 16,
                    tokens: 4_120_000, hits: 2_510, cost: Money(nanoUSD: 820_000_000)),
                ModelFigures(
                    model: targets[0].model.text, target: targets[0].description, calls: 5_310,
                    errors: errors, tokens: 2_980_000, hits: 1_600, cost: Money(nanoUSD: 610_000_000)),
                ModelFigures(
                    model: "embed", target: targets[4].description, calls: 2_700, errors: 0,
                    tokens: 9_400_000, hits: 1_917, cost: Money(nanoUSD: 20_000_000)),
            ]
        }

        func providerKeys() -> [ProviderKeyView] {
            let rows: [(Int, String, String, ProviderKeyState, CredentialMark)] = [
                (0, "openai", "main", .active, .ok), (0, "openai", "old", .draining, .ok),
                (0, "anthropic", "main", .active, .ok),
                (1, "anthropic", "main", .active, incident ? .rejected : .ok),
                (1, "openai", "main", .active, .cooling),
                (2, "mistral", "trial", incident ? .damaged : .active, .ok),
                (3, "openai", "2025", .revoked, .ok),
            ]
            return rows.enumerated().map { index, row in
                ProviderKeyView(
                    id: Fixture.id(100 + index), tenant: tenants[row.0],
                    provider: Fixture.provider(stretched(row.1, to: 48)),
                    label: Fixture.label(stretched(row.2, to: 64)), fingerprint: "9f3ca17e02\(index)b",
                    state: row.3, health: row.4,
                    healthUntil: row.4 == .ok || row.4 == .rejected ? nil : now + .seconds(26),
                    created: now + .seconds(-86_400 * (12 + index * 13)),
                    drainEnds: row.3 == .draining ? now + .seconds(412) : nil,
                    predecessor: index == 0 ? Fixture.id(101) : nil,
                    successor: index == 1 ? Fixture.id(100) : nil,
                    verdict: index == 5 ? .unknown : .verified, verdictAt: now + .seconds(-3_600),
                    lastUsed: row.3 == .revoked ? nil : now + .seconds(-2 - index * 40),
                    requestsPerSecond: row.3 == .active ? 9.1 / Double(index + 1) : 0,
                    rateLimitedPercent: row.4 == .cooling ? 12.5 : 0.1,
                    lastSuccess: row.3 == .revoked ? nil : now + .seconds(-2 - index * 40),
                    lastRejected: row.4 == .rejected ? now + .seconds(-71) : nil,
                    lastRateLimited: index == 2
                        ? now + .seconds(-9_000) : row.4 == .cooling ? now + .seconds(-14) : nil,
                    headroom: index < 3 ? "req 480/500 · tok 28k/30k" : "",
                    modelMarks: index == 2
                        ? [ModelMark(model: targets[0].model.text, mark: .cooling, until: now + .seconds(40))]
                        : [], weight: index == 0 ? 3 : nil, models: index == 0 ? [targets[0].model] : [])
            }
        }

        func probe() -> ProbeView {
            incident
                ? ProbeView(
                    reachable: false, words: "the connect timeout for the provider ran out",
                    at: now + .seconds(-4), failures: 7, everySeconds: 30)
                : ProbeView(
                    reachable: true, milliseconds: 34.4, words: "status 401", at: now + .seconds(-12),
                    everySeconds: 30)
        }

        func virtualKeys() -> [VirtualKeyView] {
            let rows: [(Int, String)] = [
                (0, "web-prod"), (0, "batch"), (1, "app"), (2, "intern-test"), (3, "legacy"),
            ]
            return rows.enumerated().map { index, row in
                VirtualKeyView(
                    id: Fixture.id(200 + index), tenant: tenants[row.0],
                    name: Fixture.label(stretched(row.1, to: 64)),
                    fingerprint: "vk 2a91c0\(index)e", user: index == 3 ? Fixture.label("sam") : nil,
                    team: index == 0 ? Fixture.label("search") : nil,
                    models: index == 1 ? [Fixture.model("embed")] : [],
                    limits: index == 1 ? LimitSet(requestsPerMinute: 60, parallel: 2) : LimitSet(),
                    created: now + .seconds(-8_640_000),
                    expires: index == 1 ? now + .seconds(172_800) : (index == 3 ? now + .seconds(-60) : nil),
                    revoked: index == 4 ? now + .seconds(-90_000) : nil,
                    lastUsed: index == 4 ? nil : now + .seconds(-1 - index * 300),
                    requestsPerSecond: index < 3 ? 14.9 / Double(index + 1) : 0)
            }
        }

        func cache() -> CacheView {
            CacheView(
                entries: 18_411, bytes: 141_000_000, bytesMax: 268_435_456, hits: 812_000, misses: 1_420_000,
                evicted: 9_120, timeToLiveSeconds: 3_600, saved: Money(nanoUSD: 9_820_000_000),
                tenants: tenants.enumerated().map { part($0, $1) })
        }

        func part(_ index: Int, _ name: TenantName) -> CacheTenantView {
            let on = index != 2
            let share = index + 1
            let saved: Int64 = on ? 4_120_000_000 / Int64(share) : 0
            return CacheTenantView(
                tenant: name, enabled: on, entries: on ? 6_000 / share : 0,
                bytes: on ? 47_000_000 / share : 0,
                hits: on ? Int64(400_000 / share) : 0, misses: Int64(600_000 / share),
                saved: Money(nanoUSD: saved))
        }

        func costs() -> CostView {
            let lines = (0..<10).map { line($0) }
            let hours: [Double] = (0..<24).map { hour in
                let step = (hour + 9) * 13 % 24
                return 0.6 + Double(step) / 12
            }
            return CostView(
                byHour: hours, lastHour: 12,
                total: lines.reduce(Money.zero) { $0 + $1.cost }, saved: Money(nanoUSD: 2_630_000_000),
                unpriced: 8_000,
                priceVersion: "2026-11-01", lines: lines)
        }

        func line(_ index: Int) -> CostLine {
            let calls = Int64(40_000 / (index + 1))
            let unknown = index % 5 == 4
            let cost: Int64 = unknown ? 0 : 8_900_000_000 / Int64(index + 1)
            let place = targets[index % 5]
            let usage = Usage(input: Int64(9_100_000 / (index + 1)), output: Int64(1_400_000 / (index + 1)))
            return CostLine(
                tenant: tenants[index % 4], provider: place.provider.text, model: place.model.text,
                calls: calls,
                unpriced: unknown ? calls : 0, usage: usage, cost: Money(nanoUSD: cost),
                saved: Money(nanoUSD: 900_000_000 / Int64(index + 1)))
        }

        func audit() -> [AuditRecord] {
            let rows: [(String, String, String, String, String, String, String, String)] = [
                (
                    "gateway", "engine", "breaker.open", targets[0].description, "closed, 1.9% of 212 failed",
                    "OPEN, 61% of 33 failed", "", "ok"
                ),
                ("mira", "console", "key.verify", "openai/main", "", "verified", "", "ok"),
                ("jo", "command", "tenant.limits", tenants[0].text, "rpm 600", "rpm 1200", "CHG-1182", "ok"),
                (
                    "ci-bot", "command", "key.revoke", "openai/2025", "", "", "needs role admin, has viewer",
                    "DENIED"
                ),
                (
                    "mira", "console", "breaker.hold", targets[3].description, "HALF", "HALF held 15m",
                    "maintenance CHG-1171", "ok"
                ),
                (
                    "sam", "console", "token.issue", "\(tenants[2].text)/intern-test", "", "rpm 10, 1 model",
                    "try-out", "ok"
                ),
                ("mira", "console", "tenant.add", tenants[3].text, "", "active", "", "ok"),
            ]
            return rows.enumerated().map { index, row in
                AuditRecord(
                    sequence: Int64(48_211 - index),
                    draft: AuditDraft(
                        id: Fixture.id(300 + index), at: now + .seconds(-42 - index * 2_900), actor: row.0,
                        via: row.1,
                        action: row.2, target: row.3, before: row.4, after: row.5, reason: row.6,
                        result: row.7),
                    previous: Array(repeating: UInt8(index + 1), count: 32),
                    hash: Array(repeating: UInt8(index), count: 32))
            }
        }

        func alerts() -> [AlertView] {
            guard incident else { return [] }
            return [
                AlertView(
                    level: .critical, subject: .target(targets[0]), title: targets[0].description,
                    text: "OPEN 42s ago, 61% of 33 calls failed; 3 tenants call it",
                    since: now + .seconds(-42)),
                AlertView(
                    level: .warning, subject: .providerKey(Fixture.id(103)), title: "key anthropic/main",
                    text: "refused by the provider; globex has no other key", since: now + .seconds(-400)),
                AlertView(
                    level: .info, subject: .tenant(Fixture.id(4)), title: "tenant \(tenants[3])",
                    text: "suspended by mira", since: now + .seconds(-20_000)),
            ]
        }

        func events() -> [NumberedEvent] {
            var dice = Dice(99)
            return (0..<60).map { index in
                NumberedEvent(
                    sequence: UInt64(index + 1),
                    event: .callFinished(call(index, at: now + .milliseconds((index - 60) * 340), &dice)))
            }
        }

        func call(_ index: Int, at: WallTime, _ dice: inout Dice) -> GatewayEvent.CallFinish {
            let tenant = Int(dice.next() % 4)
            let latency = Int64(300_000 + dice.next() % 1_600_000)
            let place = targets[1 + Int(dice.next() % 2)]
            let refused = index % 11 == 8
            let moved = incident && index % 5 == 4 && !refused
            let hit = index % 7 == 3 && !refused && !moved
            let failed = AttemptOutcome(
                target: targets[0], providerKey: Fixture.id(102), status: 529, failure: .overloaded,
                microseconds: 212_000)
            let good = AttemptOutcome(
                target: place, providerKey: Fixture.id(100), status: 200, failure: nil,
                microseconds: latency - 230_000, startMicroseconds: moved ? 212_000 : 0)
            let unpriced = place == targets[2] && index % 3 == 0
            return GatewayEvent.CallFinish(
                row: LedgerRow(
                    call: Fixture.id(1_000 + index), tenant: Fixture.id(tenant + 1),
                    virtualKey: Fixture.id(200 + tenant),
                    at: at, dialect: .openAIChat,
                    model: moved ? targets[0].model.text : (index % 2 == 0 ? "smart" : "fast"),
                    target: refused || hit ? nil : place, providerKey: refused || hit ? nil : Fixture.id(100),
                    user: index % 4 == 0 ? "sam" : "", team: index % 4 == 0 ? "search" : "",
                    tags: index % 6 == 0 ? "feature=summary" : "",
                    status: refused ? 429 : 200, end: refused ? .refused : .answered,
                    failure: refused ? .requestsPerMinute : nil, cache: hit ? .hit : .miss,
                    attempts: refused || hit ? 0 : (moved ? 2 : 1),
                    usage: refused || hit ? Usage() : Usage(input: 1_904, output: Int64(100 + index * 3)),
                    usageSource: refused || hit ? .none : .reported,
                    cost: refused || hit || unpriced
                        ? nil : Money(nanoUSD: 12_100_000 + Int64(index) * 40_000),
                    saved: hit ? Money(nanoUSD: 9_000_000) : nil, priceVersion: "2026-11-01",
                    latencyMicroseconds: refused ? 1_000 : (hit ? 2_000 : latency),
                    firstByteMicroseconds: refused ? 0 : (hit ? 2_000 : latency / 3)),
                attempts: refused || hit ? [] : (moved ? [failed, good] : [good]))
        }
    }
}

import Access
import Cache
import Cipher
import Domain
import Engine
import Events
import Limits
import Locking
import Metering
import Operations
import Routing
import Storage
import Testing
import Vault

/// The figures of the operator's picture, from calls that are known to the last one.
@Suite struct SnapshotPainterTests {
    private static let key = "sk-test-first-0123456789"

    /// The picture after everything that happened so far.
    private func picture(_ house: EngineFixture) -> EngineSnapshot {
        house.clock.advance(.milliseconds(1_000))
        house.engine.pump()
        return house.engine.snapshot()
    }

    private func fail(_ house: EngineFixture, _ token: Token, _ failure: FailureClass, status: Int) throws {
        let session = try house.forward(token)
        _ = try session.attempt(at: house.clock.now)
        session.fail(failure, status: status, at: house.clock.now)
        session.settle(
            .failed(CallFailure(.upstreamFailed, source: .provider, "x", status: status == 401 ? 424 : 502)),
            at: house.clock.now)
    }

    @Test func `calls, errors, rates, latencies, tokens and costs are those of the calls`() async throws {
        let house = try await EngineFixture()
        _ = try await house.addKey(Self.key)
        let token = try await house.issue()
        let usage = Usage(input: 1_000, cacheRead: 200, output: 300)
        for _ in 0..<8 { try house.answer(try house.forward(token), usage: usage, after: .milliseconds(200)) }
        for _ in 0..<2 { try fail(house, token, .providerFault, status: 500) }
        let picky = try await house.issue("picky", models: ["gpt-6-luna"])
        #expect(try house.refusal(picky.text, "nobody/x")?.code == .modelNotAllowed)
        let open = try house.forward(token)
        let picture = picture(house)
        // Eight calls of 200 ms one after the other, and one second since.
        let seconds = 8 * 0.2 + 1 - 0.2
        let totals = picture.totals
        #expect(totals.calls == 11 && totals.inFlight == 1)
        #expect(abs(totals.requestsPerSecond - 11 / seconds) < 0.01)
        #expect(abs(totals.errorPercent - 100 * 2 / 11) < 0.01)
        let median = try #require(totals.p50Milliseconds)
        #expect(median >= 200 && median <= 230)
        let prices = PriceBook.builtIn
        let price = try #require(
            prices.price(provider: house.provider.name, model: try ModelName("gpt-6-sol"), kind: .openai))
        let each = prices.cost(of: usage, at: price)
        let total = Money(nanoUSD: each.nanoUSD * 8)
        #expect(picture.costs.total == total)
        #expect(picture.costs.lines.first?.calls == 10 && picture.costs.lines.first?.cost == total)
        #expect(picture.costs.lines.first?.usage.total == 8 * usage.total)
        let perHour = Double(total.nanoUSD) * 3_600 / seconds
        #expect(abs(Double(totals.costPerHour.nanoUSD) - perHour) < perHour / 1_000)
        let tenant = try #require(picture.tenants.first)
        #expect(tenant.figures.calls == 11 && tenant.costToday == total && tenant.unpricedToday == 0)
        let perMinute = Double(8 * usage.total) * 60 / seconds
        #expect(abs(Double(tenant.tokensPerMinute) - perMinute) < perMinute / 1_000)
        let models = tenant.models
        #expect(models.map(\.model) == ["gpt-6-sol", "nobody/x"] && models.map(\.calls) == [10, 1])
        #expect(models.first?.errors == 2 && models.first?.cost == total)
        let target = try #require(picture.targets.first)
        #expect(target.figures.calls == 10 && abs(target.figures.errorPercent - 20) < 0.01)
        #expect(target.keysUsable == 1 && target.keysTotal == 1 && target.lastErrors.count == 2)
        #expect(target.lastErrors.first?.status == 500 && target.lastErrors.first?.tenant == "acme")
        #expect(picture.virtualKeys.first?.lastUsed != nil && picture.providerKeys.first?.lastUsed != nil)
        open.settle(.answered(), at: house.clock.now)
    }

    @Test func `figures of the last minute are forgotten after it, the day's costs are not`() async throws {
        let house = try await EngineFixture()
        _ = try await house.addKey(Self.key)
        let token = try await house.issue()
        try house.answer(try house.forward(token))
        let before = picture(house)
        #expect(before.totals.calls == 1)
        house.clock.advance(.seconds(70))
        let after = picture(house)
        #expect(after.totals.calls == 0 && after.totals.requestsPerSecond == 0)
        #expect(after.totals.p50Milliseconds == nil && after.totals.costPerHour == .zero)
        #expect(after.series.requestsPerSecond.count == TrafficSeries.points)
        #expect(after.series.requestsPerSecond.filter { $0 > 0 }.count == 1)
        #expect(after.costs.total == before.costs.total && after.costs.total > .zero)
        house.clock.advance(.seconds(25 * 3_600))
        #expect(picture(house).costs.total == .zero)
    }

    @Test func `a caller's own faults are calls and not errors`() async throws {
        let house = try await EngineFixture()
        _ = try await house.addKey(Self.key)
        let token = try await house.issue(models: ["gpt-6-sol"])
        _ = try house.refusal(token.text, "gpt-6-luna")
        let session = try house.forward(token)
        _ = try session.attempt(at: house.clock.now)
        session.fail(.callerFault, status: 400, at: house.clock.now)
        session.settle(
            .failed(CallFailure(.upstreamRefused, source: .caller, "x", status: 400)), at: house.clock.now)
        let left = try house.forward(token)
        _ = try left.attempt(at: house.clock.now)
        left.settle(
            .init(end: .cancelled, status: 499, failure: .cancelled, usage: nil, estimate: nil),
            at: house.clock.now)
        let picture = picture(house)
        #expect(picture.totals.calls == 3 && picture.totals.errorPercent == 0)
        #expect(picture.targets.first?.figures.errorPercent == 0)
        #expect(picture.alerts.isEmpty)
    }

    @Test func `what needs a look is an alert: keys, breakers, tenants, vault`() async throws {
        let house = try await EngineFixture()
        let key = try await house.addKey(Self.key)
        let token = try await house.issue()
        #expect(picture(house).alerts.isEmpty)
        try fail(house, token, .badKey, status: 401)
        var shown = picture(house)
        #expect(shown.providerKeys.first?.health == .suspect)
        #expect(shown.alerts.map(\.subject) == [.providerKey(key)] && shown.alerts.first?.level == .warning)
        // Its probe is refused too.
        house.clock.advance(.seconds(30))
        try fail(house, token, .badKey, status: 401)
        shown = picture(house)
        #expect(shown.providerKeys.first?.health == .rejected)
        #expect(shown.providerKeys.first?.healthUntil.map { $0 > shown.at } == true)
        #expect(shown.targets.first?.keysUsable == 0 && shown.targets.first?.keysTotal == 1)
        #expect(shown.alerts.map(\.subject) == [.providerKey(key)] && shown.alerts.first?.level == .critical)
        house.clock.advance(.seconds(601))
        shown = picture(house)
        // Its rest is over, so the next call may try it; that it is well again is not known before.
        #expect(shown.providerKeys.first?.health == .rejected && shown.targets.first?.keysUsable == 1)
        #expect(shown.providerKeys.first?.healthUntil == nil && shown.alerts.count == 1)
        try house.answer(try house.forward(token))
        shown = picture(house)
        #expect(shown.providerKeys.first?.health == .ok && shown.alerts.isEmpty)
        for _ in 0..<5 { try fail(house, token, .transport, status: 0) }
        let target = try Target("openai/gpt-6-sol")
        shown = picture(house)
        #expect(shown.targets.first?.position == .open && !(shown.targets.first?.why ?? "").isEmpty)
        #expect(shown.targets.first?.history.map(\.position) == [.open])
        #expect(shown.alerts.map(\.subject) == [.target(target)])
        try await house.give(.breakerClose(target: target, seconds: 600, reason: "it works"))
        shown = picture(house)
        #expect(shown.alerts.first?.text.hasPrefix("HELD") == true && shown.alerts.first?.level == .warning)
        try await house.give(.tenantSuspend(name: try TenantName("acme"), reason: "unpaid"))
        shown = picture(house)
        #expect(shown.alerts.count == 2 && shown.tenants.first?.status == .suspended)
        house.parts.vault.lock()
        shown = picture(house)
        #expect(shown.alerts.first?.title == "vault" && shown.alerts.first?.level == .critical)
        #expect(!shown.vault.unlocked && shown.vault.sealedKeys == 1)
        #expect(shown.health.state == .notReady)
    }

    @Test func `a journal that fills is degraded health, and a stop is no health`() async throws {
        let house = try await EngineFixture(journalCapacity: 10)
        _ = try await house.addKey(Self.key)
        let token = try await house.issue()
        for _ in 0..<7 { try house.answer(try house.forward(token)) }
        #expect(picture(house).health.state == .ready)
        try house.answer(try house.forward(token))
        let full = picture(house).health
        #expect(full.state == .degraded && full.reasons == ["the usage journal is 80% full"])
        #expect(full.journalUsed == 8 && full.journalCapacity == 10)
        house.engine.stopAdmitting()
        #expect(picture(house).health.state == .notReady)
    }

    @Test func `the cache's figures are told apart by tenant`() async throws {
        let house = try await EngineFixture()
        _ = try await house.addKey(Self.key)
        let token = try await house.issue()
        try await house.give(.tenantAdd(name: try TenantName("beta"), limits: LimitSet()))
        let digest = SHA256.digest([1])
        guard case .forward(let session) = house.decide(token.text, try house.inbound(digest: digest)) else {
            Issue.record("not forwarded")
            return
        }
        _ = try session.attempt(at: house.clock.now)
        session.attemptAnswered(status: 200, at: house.clock.now)
        let cost = session.settle(.answered(), at: house.clock.now)
        session.store(
            CachedAnswer(
                status: 200, contentType: "", body: [1, 2], usage: Usage(input: 3, output: 2), cost: cost,
                stored: house.clock.now, model: "gpt-6-sol", streamed: false))
        guard case .answer(let hit, let cached) = house.decide(token.text, try house.inbound(digest: digest))
        else {
            Issue.record("not answered from the cache")
            return
        }
        hit.settle(.answered(), cached: cached, at: house.clock.now)
        let picture = picture(house)
        #expect(picture.cache.entries == 1 && picture.cache.hits == 1 && picture.cache.misses == 1)
        #expect(
            picture.cache.tenants.map(\.hits) == [1, 0] && picture.cache.tenants.map(\.entries) == [1, 0])
        #expect(picture.totals.hitPercent == 50)
        #expect(picture.costs.saved == cost && picture.cache.saved == cost)
    }

    @Test func `a restart shows the day's costs as the ledger has them`() async throws {
        let house = try await EngineFixture()
        _ = try await house.addKey(Self.key)
        let token = try await house.issue()
        try house.answer(try house.forward(token))
        let cost = picture(house).costs
        let tenant = try await house.tenant()
        try await house.tenants.store(for: tenant.id).appendUsage(try house.rows())
        let again = try await house.restarted()
        #expect(again.snapshot().costs.total == .zero)
        await again.restoreFigures()
        #expect(again.snapshot().costs.total == cost.total && cost.total > .zero)
        #expect(again.snapshot().costs.lines == cost.lines)
    }
}

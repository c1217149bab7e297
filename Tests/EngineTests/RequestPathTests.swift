import Access
import Cache
import Cipher
import Domain
import Engine
import Events
import Limits
import Locking
import Operations
import Storage
import Testing
import Vault

/// The steps of the path, in their order: none is taken when one before it refuses.
@Suite struct RequestPathTests {
    private static let key = "sk-test-first-0123456789"

    @Test func `who calls is asked first: unknown, revoked, expired, each in its own words`() async throws {
        let house = try await EngineFixture()
        let brief = try await house.issue("brief", expires: 60)
        let gone = try await house.issue("gone")
        try await house.give(.tokenRevoke(key: gone.id, reason: "leaked"))
        house.clock.advance(.seconds(60))
        // What comes later in the path would refuse these as well, and is not asked.
        try await house.give(.tenantSuspend(name: try TenantName("acme"), reason: "unpaid"))
        let expired = try #require(try house.refusal(brief.text))
        #expect(expired.code == .expiredKey && expired.status == 401)
        #expect(expired.message.contains(house.clock.wall.civil.date))
        let revoked = try #require(try house.refusal(gone.text))
        let stranger = try #require(
            try house.refusal(String(decoding: try VirtualKeyText.make(), as: UTF8.self)))
        #expect(revoked == stranger && revoked.code == .invalidKey && revoked.status == 401)
        #expect(try house.refusal("gth_x")?.code == .invalidKey)
        house.engine.pump()
        #expect(house.engine.snapshot().totals.calls == 0, "calls of nobody are in nobody's figures")
        try house.expectNothingHeld()
    }

    @Test func `a suspended tenant is refused whatever the model, and served again once resumed`()
        async throws
    {
        let house = try await EngineFixture()
        _ = try await house.addKey(Self.key)
        let token = try await house.issue(models: ["gpt-6-luna"])
        try await house.give(.tenantSuspend(name: try TenantName("acme"), reason: "unpaid"))
        for model in ["gpt-6-sol", "gpt-6-luna"] {
            let failure = try #require(try house.refusal(token.text, model))
            #expect(failure.code == .tenantSuspended && failure.status == 403)
        }
        try await house.give(.tenantResume(name: try TenantName("acme")))
        #expect(try house.refusal(token.text, "gpt-6-sol")?.code == .modelNotAllowed)
        #expect(try house.refusal(token.text, "gpt-6-luna") == nil)
        try house.expectNothingHeld()
    }

    @Test func `a call that may not be made uses up no limit`() async throws {
        let house = try await EngineFixture(limits: LimitSet(requestsPerMinute: 2, tokensPerMinute: 100))
        _ = try await house.addKey(Self.key)
        let token = try await house.issue(models: ["gpt-6-luna"], limits: LimitSet(requestsPerMinute: 1))
        let tenant = try await house.tenant()
        for _ in 0..<20 { #expect(try house.refusal(token.text, "gpt-6-sol")?.code == .modelNotAllowed) }
        #expect(house.use(of: .tenant(tenant.id)) == nil, "the tenant's counters were touched")
        #expect(try house.refusal(token.text, "gpt-6-luna") == nil)
        #expect(try house.refusal(token.text, "gpt-6-luna")?.code == .requestsPerMinute)
    }

    @Test func `a call that one limit refuses uses up none of the others`() async throws {
        let house = try await EngineFixture(limits: LimitSet(requestsPerMinute: 3, tokensPerMinute: 1_000))
        _ = try await house.addKey(Self.key)
        let narrow = try await house.issue("narrow", limits: LimitSet(parallel: 1))
        let tenant = LimitScope.tenant(try await house.tenant().id)
        let running = try house.forward(narrow)
        let before = house.use(of: tenant)
        #expect(before?.requestsLeft == 2 && before?.tokensLeft == 990)
        for _ in 0..<20 { #expect(try house.refusal(narrow.text)?.code == .parallelCalls) }
        #expect(house.use(of: tenant) == before)
        #expect(house.use(of: .virtualKey(narrow.id))?.inFlight == 1)
        #expect(house.parts.inFlight.current == 1 && house.journal.load.used == 1)
        // The other way about: the tenant's tokens refuse, and the virtual key's place stays free.
        running.settle(.answered(Usage(input: 10)), at: house.clock.now)
        #expect(try house.refusal(narrow.text, tokens: 5_000)?.code == .tokensPerMinute)
        #expect(house.use(of: .virtualKey(narrow.id))?.inFlight == 0)
        #expect(house.use(of: tenant)?.requestsLeft == 2)
        try house.expectNothingHeld()
    }

    @Test func `a gateway that stops, is sealed, is full or cannot record refuses before any limit`()
        async throws
    {
        var options = PathOptions()
        options.callsInFlight = 1
        let house = try await EngineFixture(
            options: options, limits: LimitSet(requestsPerMinute: 2), journalCapacity: 2)
        _ = try await house.addKey(Self.key)
        let token = try await house.issue()
        let tenant = LimitScope.tenant(try await house.tenant().id)
        let running = try house.forward(token)
        let full = try #require(try house.refusal(token.text))
        #expect(full.code == .overloaded && full.message.contains("in flight"))
        running.settle(.answered(), at: house.clock.now)
        house.parts.options.store(PathOptions())
        let last = try house.forward(token)
        #expect(try house.refusal(token.text)?.message.contains("ledger") == true)
        last.settle(.answered(), at: house.clock.now)
        let used = house.use(of: tenant)
        #expect(used?.requestsLeft == 0)
        #expect(try house.refusal(token.text)?.message.contains("ledger") == true)
        house.engine.stopAdmitting()
        #expect(try house.refusal(token.text)?.code == .shuttingDown)
        house.parts.vault.lock()
        #expect(try house.refusal(token.text)?.code == .vaultSealed)
        #expect(house.use(of: tenant) == used)
        try house.expectNothingHeld()
    }

    @Test func `a tenant whose ledger cannot be written is refused, until it can`() async throws {
        let house = try await EngineFixture()
        _ = try await house.addKey(Self.key)
        let token = try await house.issue()
        house.parts.unmetered.store([try await house.tenant().id])
        let failure = try #require(try house.refusal(token.text))
        #expect(failure.status == 503 && failure.message.contains("ledger"))
        house.parts.unmetered.store([.random()])
        #expect(try house.refusal(token.text) == nil)
        house.parts.unmetered.store([])
        try house.expectNothingHeld()
    }

    @Test func `a refused call is shown to operators and not metered`() async throws {
        let house = try await EngineFixture()
        let token = try await house.issue(models: ["gpt-6-luna"])
        let feed = house.engine.feed(depth: 100)
        _ = try house.refusal(token.text, "gpt-6-sol")
        house.engine.pump()
        let rows = feed.take().events.compactMap {
            if case .callFinished(let finish) = $0.event { finish.row } else { nil }
        }
        #expect(rows.map(\.end) == [.refused] && rows.map(\.failure) == [.modelNotAllowed])
        #expect(rows.first?.usage == Usage() && rows.first?.cost == .zero)
        #expect(try house.rows().isEmpty)
    }

    @Test func `a call with nowhere to go is settled by the path itself, once`() async throws {
        let house = try await EngineFixture(limits: LimitSet(parallel: 1))
        let token = try await house.issue()
        let keyless = try #require(try house.refusal(token.text, "openai/gpt-6-sol"))
        #expect(keyless.code == .noProviderKey && keyless.status == 424)
        let unknown = try #require(try house.refusal(token.text, "nobody/x"))
        #expect(unknown.code == .modelNotFound && unknown.status == 404)
        try await house.give(
            .breakerTrip(target: try Target("second/x"), seconds: 60, reason: "maintenance"))
        let held = try #require(try house.refusal(token.text, "second/x"))
        #expect(held.code == .noTarget && held.status == 503 && (held.retryAfter ?? .zero) > .zero)
        #expect(try house.rows().map(\.status) == [424, 404, 503])
        #expect(house.use(of: .tenant(try await house.tenant().id))?.inFlight == 0)
        try house.expectNothingHeld()
    }

    @Test func `the cache is asked after the limits and before the providers`() async throws {
        let house = try await EngineFixture(limits: LimitSet(requestsPerMinute: 2))
        _ = try await house.addKey(Self.key)
        let token = try await house.issue()
        let digest = SHA256.digest(Array("body".utf8))
        let answered = house.decide(token.text, try house.inbound(digest: digest))
        guard case .forward(let session) = answered else {
            Issue.record("not forwarded: \(answered)")
            return
        }
        session.store(
            CachedAnswer(
                status: 200, contentType: "application/json", body: [1, 2, 3], usage: Usage(input: 3),
                cost: nil, stored: house.clock.now, model: "gpt-6-sol", streamed: false))
        try house.answer(session)
        // The provider's keys are gone, and the answer is there all the same.
        house.parts.secrets.dropAll()
        guard
            case .answer(let second, let cached) = house.decide(token.text, try house.inbound(digest: digest))
        else {
            Issue.record("not answered from the cache")
            return
        }
        #expect(cached.body == [1, 2, 3])
        second.settle(.answered(), cached: cached, at: house.clock.now)
        #expect(try house.rows().last?.cache == .hit && house.rows().last?.usage == Usage())
        let third = house.decide(token.text, try house.inbound(digest: digest))
        guard case .refuse(let failure) = third else {
            Issue.record("the cache was asked before the limits")
            return
        }
        #expect(failure.code == .requestsPerMinute)
    }

    @Test
    func
        `a user and a team are limited over all their virtual keys, and each refusal says whose limit it is`()
        async throws
    {
        let house = try await EngineFixture()
        _ = try await house.addKey(Self.key)
        let acme = try TenantName("acme")
        let (mira, search) = (try Label("mira"), try Label("search"))
        try await house.give(.limitSet(tenant: acme, owner: .user(mira), limits: .init(requestsPerMinute: 2)))
        try await house.give(
            .limitSet(tenant: acme, owner: .team(search), limits: .init(requestsPerMinute: 3)))
        let both = try await house.issue("a", user: "mira", team: "search")
        let team = try await house.issue("b", user: "joe", team: "search")
        let alone = try await house.issue("c", user: "mira")
        let other = try await house.issue("d")
        #expect(try house.refusal(both.text) == nil)
        #expect(try house.refusal(alone.text) == nil)
        let ofUser = try #require(try house.refusal(both.text))
        #expect(
            ofUser.code == .requestsPerMinute && ofUser.message.hasPrefix("user mira may make 2 requests"))
        #expect(try house.refusal(team.text) == nil && house.refusal(team.text) == nil)
        #expect(try house.refusal(team.text)?.message.hasPrefix("team search may make 3 requests") == true)
        #expect(try house.refusal(other.text) == nil)
        // Taken away, they hold nobody back, and the undo puts them there again.
        let cleared = try await house.give(.limitSet(tenant: acme, owner: .team(search), limits: LimitSet()))
        #expect(try house.refusal(team.text) == nil)
        try await house.give(try #require(cleared.receipt.undo))
        #expect(try await house.control.load().limits.count == 2)
        #expect(try await house.audited().filter { $0.hasPrefix("limit.set") }.count == 4)
        try house.expectNothingHeld()
    }

    @Test
    func
        `a provider key at its own limit is passed over, and without another the caller is told when to come back`()
        async throws
    {
        let house = try await EngineFixture()
        let key = try await house.addKey(Self.key)
        let token = try await house.issue()
        let acme = try TenantName("acme")
        try await house.give(
            .limitSet(
                tenant: acme, owner: .providerKey(key), limits: .init(requestsPerMinute: 1, parallel: 1)))
        let first = try house.forward(token)
        #expect(try first.attempt(at: house.clock.now).key?.id == key)
        #expect(house.use(of: .providerKey(key))?.inFlight == 1)
        let second = try house.forward(token)
        let failure = #expect(throws: CallFailure.self) { try second.attempt(at: house.clock.now) }
        #expect(failure?.status == 429 && failure?.retryAfter == .seconds(60))
        #expect(failure?.message.contains("provider key at its own limit") == true)
        second.settle(.failed(try #require(failure)), at: house.clock.now)
        first.attemptAnswered(status: 200, at: house.clock.now)
        first.settle(.answered(), at: house.clock.now)
        #expect(house.use(of: .providerKey(key))?.inFlight == 0)
        // Another key of the tenant takes the next call.
        let reserve = try await house.addKey("sk-test-second-0123456789", label: "reserve")
        let third = try house.forward(token)
        #expect(try third.attempt(at: house.clock.now).key?.id == reserve)
        third.settle(.failed(.init(.cancelled, source: .caller, "left")), at: house.clock.now)
        try house.expectNothingHeld()
    }
}

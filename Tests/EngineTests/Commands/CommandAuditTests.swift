import Cache
import Cipher
import Domain
import Engine
import Foundation
import Locking
import Operations
import Routing
import Storage
import Testing
import Vault

/// What is changed is audited, with what it was and what it is; what cannot be audited is not changed.
@Suite struct CommandAuditTests {
    private static let keys = [
        "sk-test-first-0123456789", "sk-test-second-0123456789", "sk-test-third-0123456789",
    ]
    private static let keyFile = "0123456789abcdef0123456789abcdef"
    private static let acme = "acme"

    /// The newest record, in the words of a reader.
    private func last(_ house: EngineFixture) async throws -> String {
        let record = try #require(try await house.control.auditRecords(before: nil, limit: 1).first)
        let draft = record.draft
        #expect(draft.at == house.clock.wall)
        return
            "\(draft.actor) \(draft.action) [\(draft.target)] \(draft.before) -> \(draft.after) (\(draft.reason)) \(draft.result)"
    }

    private func fingerprint(_ house: EngineFixture, _ id: ProviderKeyID) async throws -> String {
        try #require(try await house.stored().first { $0.id == id }).fingerprint
    }

    @Test func `commands on tenants are audited with what was before and what is now`() async throws {
        let house = try await EngineFixture()
        let beta = try TenantName("beta")
        try await house.give(.tenantAdd(name: beta, limits: LimitSet(requestsPerMinute: 5, parallel: 2)))
        #expect(try await last(house) == "ops tenant.add [beta]  -> rpm 5, parallel 2 () ok")
        // The screens have it as soon as the command is through.
        #expect(house.engine.snapshot().audit.first?.draft.action == "tenant.add")
        try await house.give(.tenantSuspend(name: beta, reason: "unpaid"))
        #expect(try await last(house) == "ops tenant.suspend [beta] active -> suspended (unpaid) ok")
        try await house.give(.tenantResume(name: beta))
        #expect(try await last(house) == "ops tenant.resume [beta] suspended -> active () ok")
        #expect(try await house.refusal(of: .tenantResume(name: beta)) == .conflict)
        #expect(try await last(house) == "ops tenant.resume [beta]  ->  () refused: conflict")
    }

    @Test func `commands on provider keys are audited with what was before and what is now`() async throws {
        let house = try await EngineFixture()
        let one = try await house.addKey(Self.keys[0])
        let first = try await fingerprint(house, one)
        #expect(try await last(house) == "ops key.add [acme openai/main]  -> \(first), verified () ok")
        house.prober.answer(.unknown)
        try await house.give(.keyVerify(key: one))
        #expect(try await last(house) == "ops key.verify [acme openai/main]  ->  () unknown")
        try await house.give(.keyRotate(key: one, drainSeconds: 60, acceptUnverified: true), Self.keys[1])
        let two = try #require(try await house.stored().first { $0.predecessor == one })
        let second = two.fingerprint
        #expect(
            try await last(house)
                == "ops key.rotate [acme openai/main] \(first) -> \(second), unknown (drain 60 s) ok")
        try await house.give(.keyUndo(key: one))
        #expect(
            try await last(house)
                == "ops key.undo [acme openai/main] draining, active \(second) -> active \(first), draining \(second) () ok"
        )
        try await house.give(.keyDrain(key: one, seconds: 30, reason: "moving"))
        #expect(
            try await last(house) == "ops key.drain [acme openai/main] active -> draining 30 s (moving) ok")
        try await house.give(.keyRevoke(key: two.id, reason: "leaked"))
        #expect(
            try await last(house)
                == "ops key.revoke [acme openai/main] draining \(second) -> revoked (leaked) ok")
        house.clock.advance(.seconds(31))
        await house.engine.tick()
        #expect(
            try await last(house)
                == "gateway key.revoke [acme openai/main] draining \(first) -> revoked (drained) ok")
    }

    @Test func `commands on virtual keys are audited by fingerprint`() async throws {
        let house = try await EngineFixture()
        let token = try await house.issue("app", limits: LimitSet(tokensPerMinute: 9))
        func shown() async throws -> [String] {
            try await house.control.load().virtualKeys.map(\.fingerprint)
        }
        let first = try await shown()[0]
        #expect(try await last(house) == "ops token.issue [acme app]  -> \(first), tpm 9 () ok")
        try await house.give(.tokenRotate(key: token.id, overlapSeconds: 60))
        let second = try #require(try await shown().first { $0 != first })
        #expect(
            try await last(house) == "ops token.rotate [acme app] \(first) -> \(second) (overlap 60 s) ok")
        try await house.give(.tokenRevoke(key: token.id, reason: "leaked"))
        #expect(try await last(house) == "ops token.revoke [acme app] active \(first) -> revoked (leaked) ok")
    }

    @Test func `commands on breakers, cache, vault and configuration are audited`() async throws {
        let house = try await EngineFixture()
        let target = try Target("openai/gpt-6-sol")
        let ends = house.clock.wall + .seconds(60)
        try await house.give(.breakerTrip(target: target, seconds: 60, reason: "outage"))
        #expect(
            try await last(house)
                == "ops breaker.trip [openai/gpt-6-sol] closed -> open until \(ends) (outage) ok")
        try await house.give(.breakerClose(target: target, seconds: 60, reason: "it works"))
        #expect(
            try await last(house)
                == "ops breaker.close [openai/gpt-6-sol] OPEN -> closed until \(ends) (it works) ok")
        try await house.give(.breakerHold(target: target, seconds: 60, reason: "watching"))
        #expect(
            try await last(house)
                == "ops breaker.hold [openai/gpt-6-sol] closed -> as_is until \(ends) (watching) ok")
        try await house.give(.breakerRelease(target: target, reason: "done"))
        #expect(
            try await last(house)
                == "ops breaker.release [openai/gpt-6-sol] as_is by ops -> automatic (done) ok")
        try await house.give(.breakerTrip(target: target, seconds: 60, reason: "outage"))
        house.clock.advance(.seconds(61))
        await house.engine.tick()
        #expect(
            try await last(house)
                == "gateway breaker.release [openai/gpt-6-sol]  -> automatic (the hold ended) ok")
        try await house.give(.cachePurge(tenant: try TenantName(Self.acme)))
        #expect(try await last(house) == "ops cache.purge [acme]  ->  () ok")
        house.parts.vault.lock()
        #expect(
            try await house.refusal(of: .vaultUnlock, "another key file, long enough to be one") == .invalid)
        #expect(try await last(house) == "ops vault.unlock [vault]  ->  () refused")
        try await house.give(.vaultUnlock, Self.keyFile)
        #expect(try await last(house) == "ops vault.unlock [vault] sealed -> unlocked () ok")
        let engine = house.engine
        await engine.onReload { [weak engine] who async throws(CommandRefusal) in
            try await engine?.configure(
                providers: [:], routes: [:], options: PathOptions(), note: "in force", by: who)
            return "in force"
        }
        try await house.give(.configReload)
        #expect(try await last(house) == "ops config.change [gatehouse.toml]  -> in force () ok")
    }

    @Test func `what the gateway does by itself is audited too: a breaker that opens`() async throws {
        let house = try await EngineFixture()
        _ = try await house.addKey(Self.keys[0])
        let token = try await house.issue()
        for _ in 0..<5 {
            let session = try house.forward(token)
            _ = try session.attempt(at: house.clock.now)
            session.fail(.transport, at: house.clock.now)
            session.settle(.answered(), at: house.clock.now)
        }
        house.engine.pump()
        await house.engine.tick()
        let record = try #require(try await house.control.auditRecords(before: nil, limit: 1).first).draft
        #expect(record.action == "breaker.open" && record.actor == "gateway")
        #expect(record.before == "automatic" && record.after == "OPEN" && !record.reason.isEmpty)
    }

    @Test func `no secret stands in the audit, a receipt or the picture, and the chain holds`() async throws {
        let house = try await EngineFixture()
        var texts: [String] = []
        let one = try await house.addKey(Self.keys[0])
        let add = EngineCommand.keyAdd(
            tenant: try TenantName(Self.acme), provider: house.provider.name, label: try Label("main"),
            acceptUnverified: false)
        for (command, secret) in [
            (add, Self.keys[1]),
            (.keyRotate(key: one, drainSeconds: 60, acceptUnverified: false), Self.keys[2]),
            (.keyVerify(key: one), ""), (.vaultUnlock, Self.keyFile), (add, "short"),
            (add, "has a blank in it"),
        ] as [(EngineCommand, String)] {
            do {
                texts.append("\(try await house.give(command, secret).receipt)")
            } catch let refusal as CommandRefusal {
                texts.append(refusal.message)
            }
        }
        let token = try await house.issue()
        let rotated = try await house.give(.tokenRotate(key: token.id, overlapSeconds: 60))
        let second = try #require(rotated.issued).withBytes { String(decoding: $0, as: UTF8.self) }
        texts.append("\(rotated.receipt)")
        let encoder = JSONEncoder()
        texts.append(String(decoding: try encoder.encode(house.engine.snapshot()), as: UTF8.self))
        let records = try await house.control.auditRecords(before: nil, limit: 1_000)
        texts.append(String(decoding: try encoder.encode(records), as: UTF8.self))
        for secret in Self.keys + [Self.keyFile, token.text, second, "has a blank in it"] {
            for text in texts { #expect(!text.contains(secret), "\(text)") }
        }
        guard case .auditIntact(let count, _) = try await house.engine.ask(.verifyAudit) else {
            Issue.record("the chain is broken")
            return
        }
        #expect(count == Int64(records.count))
    }

    /// What a command could have changed.
    private struct Picture: Equatable {
        let contents: ControlContents
        let keys: [ProviderKeyRecord]
        let audit: [AuditRecord]
        let tenants: [TenantView]
        let providerKeys: [ProviderKeyView]
        let virtualKeys: [VirtualKeyView]
        let breaker: BreakerPosition
        let hold: BreakerHold?
        let cached: Int
        let isUnlocked: Bool
        let providers: Set<ProviderName>
    }

    private func picture(_ house: EngineFixture, _ target: Target) async throws -> Picture {
        // A refused command paints no new picture: the pump does, once the old one is a second old.
        house.clock.advance(.seconds(2))
        house.engine.pump()
        let snapshot = house.engine.snapshot()
        let status = house.parts.breakers.status(of: target, at: house.clock.now)
        return Picture(
            contents: try await house.control.load(), keys: try await house.stored(),
            audit: try await house.control.auditRecords(before: nil, limit: 1_000),
            tenants: snapshot.tenants, providerKeys: snapshot.providerKeys, virtualKeys: snapshot.virtualKeys,
            breaker: status.position, hold: status.hold, cached: house.parts.cache.stats().entries,
            isUnlocked: house.parts.vault.isUnlocked,
            providers: Set(house.parts.directory.load().providers.keys))
    }

    @Test func `a command whose record cannot be written changes nothing, in storage or in force`()
        async throws
    {
        let house = try await EngineFixture()
        let target = try Target("openai/gpt-6-sol")
        let held = try Target("openai/gpt-6-luna")
        let key = try await house.addKey(Self.keys[0])
        let draining = try await house.addKey(Self.keys[1], label: "other")
        try await house.give(.keyDrain(key: draining, seconds: 600, reason: "test"))
        let token = try await house.issue()
        try await house.give(.breakerTrip(target: held, seconds: 60, reason: "test"))
        house.parts.cache.store(
            CachedAnswer(
                status: 200, contentType: "", body: [1], usage: Usage(), cost: nil, stored: house.clock.now,
                model: "x", streamed: false),
            for: CacheKey(tenant: try await house.tenant().id, digest: SHA256.digest([1])))
        let acme = try TenantName(Self.acme)
        let engine = house.engine
        await engine.onReload { [weak engine] who async throws(CommandRefusal) in
            try await engine?.configure(
                providers: [:], routes: [:], options: PathOptions(), note: "", by: who)
            return ""
        }
        let before = try await picture(house, target)
        house.control.fail(true)
        house.tenants.fail(true)
        for (command, secret) in [
            (.tenantAdd(name: try TenantName("beta"), limits: LimitSet()), nil),
            (.tenantSuspend(name: acme, reason: "x"), nil),
            (.tokenIssue(TokenOrder(tenant: acme, name: try Label("more"))), nil),
            (.tokenRotate(key: token.id, overlapSeconds: 0), nil),
            (.breakerClose(target: target, seconds: 60, reason: "x"), nil),
            (.breakerHold(target: target, seconds: 60, reason: "x"), nil),
            (.breakerRelease(target: held, reason: "x"), nil), (.cachePurge(tenant: acme), nil),
            (.cachePurge(tenant: nil), nil), (.configReload, nil),
            (
                .keyAdd(
                    tenant: acme, provider: house.provider.name, label: try Label("new"),
                    acceptUnverified: false),
                Self.keys[2]
            ),
            (.keyRotate(key: key, drainSeconds: 0, acceptUnverified: false), Self.keys[2]),
            (.keyVerify(key: key), nil), (.keyUndo(key: draining), nil),
            (.keyDrain(key: key, seconds: 60, reason: "x"), nil),
        ] as [(EngineCommand, String?)] {
            #expect(try await house.refusal(of: command, secret) == .storage, "\(command)")
            #expect(try await picture(house, target) == before, "\(command)")
        }
        #expect(house.parts.breakers.status(of: held, at: house.clock.now).hold != nil)
        house.parts.vault.lock()
        #expect(try await house.refusal(of: .vaultUnlock, Self.keyFile) == .storage)
        #expect(!house.parts.vault.isUnlocked)
    }

    @Test func `a key's record that cannot be chained yet is kept beside the key and chained later, once`()
        async throws
    {
        let house = try await EngineFixture()
        let key = try await house.addKey(Self.keys[0])
        let before = try await house.audited()
        house.control.fail(true)
        try await house.give(.keyRevoke(key: key, reason: "leaked"))
        #expect(try await house.state(of: key) == .revoked)
        #expect(try await house.audited() == before)
        await house.engine.tick()
        #expect(try await house.audited() == before)
        house.control.fail(false)
        await house.engine.tick()
        await house.engine.tick()
        #expect(try await house.audited() == before + ["key.revoke ok"])
    }

    @Test func `what names nothing real is refused and not audited`() async throws {
        let house = try await EngineFixture()
        let before = try await house.audited()
        for command in [
            .tenantSuspend(name: try TenantName("nobody"), reason: "x"),
            .keyRevoke(key: .random(), reason: "x"),
            .tokenRevoke(key: .random(), reason: "x"),
            .breakerTrip(target: try Target("nobody/x"), seconds: 60, reason: "x"),
            .breakerTrip(target: try Target("openai/x"), seconds: 1, reason: "x"),
            .breakerTrip(target: try Target("openai/x"), seconds: 60, reason: ""),
        ] as [EngineCommand] {
            let code = try await house.refusal(of: command)
            #expect(code == .notFound || code == .invalid, "\(command)")
        }
        #expect(try await house.audited() == before)
    }
}

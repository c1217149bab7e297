import Cipher
import Domain
import Engine
import Operations
import Storage
import Testing
import Vault

@Suite struct VaultCommandTests {
    private static let first = "sk-test-first-0123456789"
    private static let keyFile = "0123456789abcdef0123456789abcdef"

    @Test func `a locked vault refuses calls with a 503, gives up its keys, and serves again after unlock`()
        async throws
    {
        let house = try await EngineFixture()
        _ = try await house.addKey(Self.first)
        let token = try await house.issue()
        try house.answer(try house.forward(token))
        try await house.give(.vaultLock(reason: "stolen"))
        #expect(!house.parts.vault.isUnlocked && house.parts.secrets.count == 0)
        let refused = try #require(try house.refusal(token.text))
        #expect(refused.code == .vaultSealed && refused.status == 503)
        #expect(refused.message.contains("sealed"))
        let picture = house.engine.snapshot()
        #expect(!picture.vault.unlocked && picture.health.state == .notReady)
        #expect(picture.alerts.contains { $0.title == "vault" && $0.text.hasPrefix("SEALED") })
        #expect(try await house.refusal(of: .vaultLock(reason: "")) == .conflict)
        #expect(try await house.refusal(of: .vaultVerify) == .sealed)
        try await house.give(.vaultUnlock, Self.keyFile)
        #expect(try house.refusal(token.text) == nil)
        #expect(try await house.audited().contains("vault.lock ok"))
    }

    @Test func `locking works also while nothing can be audited, and its record follows, once`() async throws
    {
        let house = try await EngineFixture()
        house.control.fail(true)
        let outcome = try await house.give(.vaultLock(reason: "now"))
        #expect(outcome.receipt.isBad && !house.parts.vault.isUnlocked)
        await house.engine.tick()
        #expect(try await house.audited().last == "tenant.add ok")
        house.control.fail(false)
        await house.engine.tick()
        await house.engine.tick()
        #expect(try await house.audited().suffix(2) == ["tenant.add ok", "vault.lock ok"])
    }

    @Test func `verify opens all that is sealed and names what does not open, which is used no more`()
        async throws
    {
        let house = try await EngineFixture()
        let key = try await house.addKey(Self.first)
        _ = try await house.addKey("sk-test-second-0123456789", label: "other")
        let good = try await house.give(.vaultVerify).receipt
        #expect(!good.isBad && good.message == "6 sealed records: all open")
        #expect(try await house.audited().last == "vault.verify ok")

        var row = try #require(try await house.stored().first { $0.id == key })
        row.sealed[130] ^= 1
        let store = try await house.tenants.store(for: row.tenant)
        try await store.replaceProviderKeys(
            [ProviderKeyChange(row: row, ifCounter: row.counter)], audit: nil)
        let bad = try await house.give(.vaultVerify).receipt
        #expect(bad.isBad && bad.message == "6 sealed records: 1 do not open")
        #expect(bad.details == ["acme provider_keys.secret \(key): sealed record invalid"])
        let chained = try #require(try await house.control.auditRecords(before: nil, limit: 1).first).draft
        #expect(chained.result == "damage found" && chained.reason.hasSuffix("(tag)"))
        #expect(house.engine.snapshot().providerKeys.first { $0.id == key }?.state == .damaged)
        #expect(house.engine.snapshot().vault.damagedKeys == 1)
    }

    private static let phrase = "correct horse battery"
    private static let otherPhrase = "staple stapled again"

    private func bundle(_ texts: String...) -> SecretDraft? {
        SecretBundle.pack(texts.map { text in Array(text.utf8).withUnsafeBytes { SecretDraft(copying: $0) } })
    }

    private func opens(_ house: EngineFixture, _ secret: String) async throws -> Bool {
        house.parts.vault.lock()
        let refusal = try await house.refusal(of: .vaultUnlock, secret)
        if refusal != nil { try await house.give(.vaultUnlock, Self.keyFile) }
        return refusal == nil
    }

    @Test func `slots stand beside each other, a passphrase is changed, and the last slot stays`()
        async throws
    {
        let house = try await EngineFixture()
        let first = try #require(house.engine.snapshot().vault.slotList.first)
        #expect(first.kind == .keyFile)
        #expect(try await house.refusal(of: .vaultSlotRemove(slot: first.id)) == .conflict)
        #expect(try await house.refusal(of: .vaultSlotAdd(kind: .passphrase), "short") == .invalid)
        try await house.give(.vaultSlotAdd(kind: .passphrase), Self.phrase)
        #expect(house.engine.snapshot().vault.slots == ["keyfile", "passphrase"])
        #expect(try await opens(house, Self.phrase))

        let who = EngineFixture.who
        await #expect(throws: CommandRefusal.self) {
            try await house.engine.perform(
                .vaultPassphraseChange, secret: bundle("not the passphrase", Self.otherPhrase), by: who)
        }
        let receipt = try await house.engine.perform(
            .vaultPassphraseChange, secret: bundle(Self.phrase, Self.otherPhrase), by: who
        ).receipt
        #expect(receipt.details.first?.contains("not done") == true)
        #expect(try await !opens(house, Self.phrase))
        #expect(try await opens(house, Self.otherPhrase))
        try await house.give(.vaultSlotRemove(slot: first.id))
        #expect(house.engine.snapshot().vault.slots == ["passphrase"])
        let left = try #require(house.engine.snapshot().vault.slotList.first)
        #expect(try await house.refusal(of: .vaultSlotRemove(slot: left.id)) == .conflict)
        #expect(try await house.refusal(of: .vaultSlotRemove(slot: first.id)) == .notFound)
        #expect(try await !house.give(.vaultVerify).receipt.isBad)
        let chained = try await house.audited()
        for action in ["vault.slot_add ok", "vault.passphrase ok", "vault.slot_remove ok"] {
            #expect(chained.contains(action))
        }
    }

    @Test func `a change of slots that cannot be written changes nothing`() async throws {
        let house = try await EngineFixture()
        let before = try await house.control.load()
        house.control.fail(true)
        #expect(
            try await house.refusal(of: .vaultSlotAdd(kind: .keyFile), "another key file of 32 bytes, 012")
                == .storage)
        house.control.fail(false)
        #expect(try await house.control.load() == before)
        #expect(house.engine.snapshot().vault.slots == ["keyfile"])
        try await house.give(.vaultSlotAdd(kind: .keyFile), "another key file of 32 bytes, 012")
        #expect(try await opens(house, "another key file of 32 bytes, 012"))
    }

    private func rotateRoot(
        _ house: EngineFixture, _ kinds: [SlotKind], _ secrets: [String], drop: Bool = false
    ) async throws -> CommandReceipt {
        let drafts = secrets.map { text in
            Array(text.utf8).withUnsafeBytes { SecretDraft(copying: $0) }
        }
        return try await house.engine.perform(
            .vaultRotateRoot(kinds: kinds, dropOthers: drop), secret: SecretBundle.pack(drafts),
            by: EngineFixture.who
        ).receipt
    }

    @Test func `the root is rotated while calls go on, and the old one is gone at the end`() async throws {
        let house = try await EngineFixture()
        let key = try await house.addKey(Self.first)
        for name in ["beta", "gamma"] {
            try await house.give(.tenantAdd(name: try TenantName(name), limits: LimitSet()))
        }
        let token = try await house.issue()
        let print = try #require(try await house.stored().first { $0.id == key }).fingerprint
        try await house.give(.vaultSlotAdd(kind: .keyFile), "another key file of 32 bytes, 012")
        let before = try #require(try await house.control.load().vault)
        await #expect(throws: CommandRefusal.self) {
            try await rotateRoot(house, [.keyFile], [Self.keyFile])
        }
        await #expect(throws: CommandRefusal.self) {
            try await rotateRoot(house, [.keyFile], ["wrong key file, long enough to be"], drop: true)
        }
        #expect(try await house.control.load().vault == before)

        _ = try await rotateRoot(house, [.keyFile], [Self.keyFile], drop: true)
        let during = house.engine.snapshot().vault
        #expect(during.rootVersion == 2 && during.slots == ["keyfile"])
        #expect(during.work == VaultWorkView(what: .root, done: 0, total: 3))
        #expect(try house.refusal(token.text) == nil)
        await #expect(throws: CommandRefusal.self) {
            try await rotateRoot(house, [.keyFile], [Self.keyFile])
        }
        // As after a restart in the middle.
        #expect(try await opens(house, Self.keyFile))
        await house.engine.workVault(for: .seconds(1))
        #expect(house.engine.snapshot().vault.work == nil)
        let stored = try await house.control.load()
        #expect(stored.vault?.previousRoot == [] && stored.tenantKeys.allSatisfy { $0.rootVersion == 2 })
        #expect(try await house.audited().suffix(1) == ["vault.root_done ok"])
        #expect(try await !house.give(.vaultVerify).receipt.isBad)
        #expect(try await opens(house, Self.keyFile))
        #expect(try await !opens(house, "another key file of 32 bytes, 012"))
        try house.answer(try house.forward(token))
        // What a key looks like does not depend on the root.
        let second = try await house.addKey(Self.first, label: "same")
        #expect(try await house.stored().first { $0.id == second }?.fingerprint == print)
    }

    @Test func `a tenant's key is rotated while calls go on, and its old version destroyed`() async throws {
        let house = try await EngineFixture()
        _ = try await house.addKey(Self.first)
        let gone = try await house.addKey("sk-test-second-0123456789", label: "gone")
        try await house.give(.keyRevoke(key: gone, reason: "test"))
        let token = try await house.issue()
        let early = try house.forward(token)
        try await house.give(.vaultRotateKeys(tenant: try TenantName("acme")))
        #expect(house.engine.snapshot().vault.work == VaultWorkView(what: .keys, done: 0, total: 1))
        await house.engine.workVault(for: .seconds(1))
        #expect(house.engine.snapshot().vault.work == nil)
        let row = try #require(try await house.stored().first { $0.id != gone })
        #expect(row.counter == 2 && KeyVault.sealingVersion(of: row) == 2)
        let keys = try await house.control.load().tenantKeys
        #expect(keys.map(\.state) == [.destroyed, .active] && keys[0].wrapped.isEmpty)
        // A call from before still has the row as it was, and its key.
        house.parts.secrets.dropAll()
        let attempt = try early.attempt(at: house.clock.now)
        #expect(try early.withSecret(of: attempt, at: house.clock.now) { $0.count } == Self.first.utf8.count)
        early.attemptAnswered(status: 200, at: house.clock.now)
        early.settle(.answered(), at: house.clock.now)
        try house.answer(try house.forward(token))
        #expect(try await opens(house, Self.keyFile))
        #expect(try await !house.give(.vaultVerify).receipt.isBad)
        #expect(try await house.audited().contains("vault.keys_done ok"))
    }

    @Test func `a row that does not open holds its tenant's old key, and nothing else, back`() async throws {
        let house = try await EngineFixture()
        let bad = try await house.addKey(Self.first)
        let good = try await house.addKey("sk-test-second-0123456789", label: "good")
        var row = try #require(try await house.stored().first { $0.id == bad })
        let whole = row.sealed
        row.sealed[130] ^= 1
        let store = try await house.tenants.store(for: row.tenant)
        try await store.replaceProviderKeys(
            [ProviderKeyChange(row: row, ifCounter: row.counter)], audit: nil)
        try await house.give(.vaultRotateKeys(tenant: nil))
        for _ in 0..<3 { await house.engine.tick() }
        #expect(try await house.stored().first { $0.id == good }?.counter == 2)
        #expect(try await house.control.load().tenantKeys.map(\.state) == [.retiring, .active])
        #expect(house.engine.snapshot().vault.work != nil)
        // Restored, it is sealed anew with the next rotation's start.
        row.sealed = whole
        try await store.replaceProviderKeys(
            [ProviderKeyChange(row: row, ifCounter: row.counter)], audit: nil)
        try await house.give(.vaultRotateKeys(tenant: nil))
        for _ in 0..<3 { await house.engine.tick() }
        #expect(
            try await house.control.load().tenantKeys.map(\.state) == [.destroyed, .destroyed, .active])
        #expect(try await !house.give(.vaultVerify).receipt.isBad)
    }

    @Test func `a key that sealed for 365 days is replaced without anyone asking`() async throws {
        let house = try await EngineFixture()
        _ = try await house.addKey(Self.first)
        house.clock.advance(.seconds(364 * 86_400))
        await house.engine.tick()
        #expect(try await house.control.load().tenantKeys.count == 1)
        house.clock.advance(.seconds(86_400))
        await house.engine.tick()
        await house.engine.tick()
        #expect(try await house.control.load().tenantKeys.map(\.state) == [.destroyed, .active])
        #expect(try await house.audited().contains("vault.rotate_keys ok"))
    }

    @Test func `a key sealed before a rotation and added after it is sealed with the new version`()
        async throws
    {
        let house = try await EngineFixture()
        house.prober.hold()
        let add = EngineCommand.keyAdd(
            tenant: try TenantName("acme"), provider: house.provider.name, label: try Label("main"),
            acceptUnverified: false)
        async let added = house.refusal(of: add, Self.first)
        await house.prober.waits(for: 1)
        try await house.give(.vaultRotateKeys(tenant: nil))
        await house.engine.tick()
        house.prober.release()
        #expect(try await added == nil)
        let row = try #require(try await house.stored().first)
        #expect(KeyVault.sealingVersion(of: row) == 2)
        #expect(try await !house.give(.vaultVerify).receipt.isBad)
    }
}

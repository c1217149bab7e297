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
        #expect(!good.isBad && good.message == "5 sealed records: all open")
        #expect(try await house.audited().last == "vault.verify ok")

        var row = try #require(try await house.stored().first { $0.id == key })
        row.sealed[130] ^= 1
        let store = try await house.tenants.store(for: row.tenant)
        try await store.replaceProviderKeys(
            [ProviderKeyChange(row: row, ifCounter: row.counter)], audit: nil)
        let bad = try await house.give(.vaultVerify).receipt
        #expect(bad.isBad && bad.message == "5 sealed records: 1 do not open")
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
}

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
}

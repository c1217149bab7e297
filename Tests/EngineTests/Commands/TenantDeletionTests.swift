import Cipher
import Domain
import Engine
import Locking
import Operations
import Storage
import Testing
import Vault

/// Crypto-shredding of a tenant.
@Suite struct TenantDeletionTests {
    private func delete(_ confirm: String = "acme") throws -> EngineCommand {
        .tenantDelete(name: try TenantName("acme"), confirm: confirm, reason: "contract ended")
    }

    @Test func `a deleted tenant's sealed bytes open nowhere, and nothing of it is left`() async throws {
        let house = try await EngineFixture()
        try await house.give(.tenantAdd(name: try TenantName("beta"), limits: LimitSet()))
        _ = try await house.addKey("sk-test-first-0123456789")
        _ = try await house.addKey("sk-test-second-0123456789", label: "second")
        let token = try await house.issue()
        try await house.give(
            .limitSet(
                tenant: try TenantName("acme"), owner: .team(try Label("red")), limits: LimitSet(parallel: 1))
        )
        let before = try await house.control.load()
        let tenant = try #require(before.tenants.first { $0.name.text == "acme" })
        let other = try #require(before.tenants.first { $0.name.text == "beta" })
        let sealed = try await house.tenants.store(for: tenant.id).providerKeys()
        #expect(sealed.count == 2)
        for key in sealed { try house.parts.vault.verifyProviderKey(key) }
        let receipt = try await house.give(try delete()).receipt
        #expect(!receipt.isBad && receipt.details.contains("2 sealed provider keys tried: none opens"))
        #expect(receipt.details.contains { $0.contains("older backups") })
        // Saved before, wherever it is put back.
        for key in sealed {
            #expect(throws: SealFailure.self) { try house.parts.vault.verifyProviderKey(key) }
            let moved = ProviderKeyRecord(
                id: key.id, tenant: other.id, provider: key.provider, label: key.label, state: .active,
                fingerprint: key.fingerprint, sealed: key.sealed, counter: key.counter, created: key.created)
            #expect(throws: SealFailure.self) { try house.parts.vault.verifyProviderKey(moved) }
        }
        let after = try await house.control.load()
        #expect(after.tenants.map(\.name.text) == ["beta"] && after.tenantKeys.map(\.tenant) == [other.id])
        #expect(after.virtualKeys.isEmpty && after.limits.isEmpty && after.shredded == [tenant.id])
        #expect(try house.refusal(token.text)?.code == .invalidKey)
        await #expect(throws: StorageFailure.shredded(tenant.id)) {
            _ = try await house.tenants.store(for: tenant.id)
        }
        // A vault opened anew finds everything in order, and still nothing of it.
        house.parts.vault.lock()
        try await house.give(.vaultUnlock, "0123456789abcdef0123456789abcdef")
        #expect(throws: SealFailure.self) { try house.parts.vault.verifyProviderKey(sealed[0]) }
        #expect(try await !house.give(.vaultVerify).receipt.isBad)
        #expect(house.engine.snapshot().tenants.map(\.name.text) == ["beta"])
        // The name is free again, for somebody else.
        try await house.give(.tenantAdd(name: try TenantName("acme"), limits: LimitSet()))
        #expect(try await house.control.load().tenants.first?.id != tenant.id)
        // What was destroyed can be told from what was not.
        let record = try #require(
            try await house.control.auditRecords(before: nil, limit: 50).first {
                $0.draft.action == "tenant.delete"
            })
        let wrap = try #require(before.tenantKeys.first { $0.tenant == tenant.id }).wrapped
        let commitment = hexadecimalText(of: SHA256.digest(SHA256.digest(wrap).bytes).bytes)
        #expect(record.draft.after.contains(commitment) && record.draft.reason == "contract ended")
    }

    @Test func `it has to be confirmed, needs the open vault, and happens whole or not at all`() async throws
    {
        let house = try await EngineFixture()
        let key = try await house.addKey("sk-test-first-0123456789")
        #expect(try await house.refusal(of: try delete("yes")) == .invalid)
        #expect(try await house.refusal(of: try delete("")) == .invalid)
        house.control.fail(true)
        #expect(try await house.refusal(of: try delete()) == .storage)
        house.control.fail(false)
        let stored = try #require(try await house.stored().first { $0.id == key })
        try house.parts.vault.verifyProviderKey(stored)
        #expect(try await house.control.load().tenants.count == 1)
        // A file that cannot be removed is said, and is no key any more.
        house.tenants.fail(true)
        let receipt = try await house.give(try delete()).receipt
        #expect(receipt.isBad && receipt.details.contains { $0.contains("could not be removed") })
        #expect(throws: SealFailure.self) { try house.parts.vault.verifyProviderKey(stored) }
        house.parts.vault.lock()
        #expect(try await house.refusal(of: try delete()) == .sealed)
    }
}

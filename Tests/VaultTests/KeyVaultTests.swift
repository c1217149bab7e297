import Cipher
import Domain
import Testing

@testable import Vault

@Suite struct KeyVaultTests {
    let fixture: VaultFixture

    init() throws { fixture = try VaultFixture() }

    private func unlock(_ record: VaultRecord, _ source: consuming UnlockSource) -> SealFailure? {
        do throws(SealFailure) {
            #expect(try KeyVault.open(record, with: source).isUnlocked)
            return nil
        } catch {
            return error
        }
    }

    private func edited(_ record: VaultRecord, _ change: (VaultSlot) -> VaultSlot) -> VaultRecord {
        var record = record
        record.slots = record.slots.map(change)
        return record
    }

    @Test func `the right key file opens the vault, another does not and says what was tried`() throws {
        #expect(unlock(fixture.record, .keyFile(try secret(VaultFixture.keyFile))) == nil)
        let wrong = unlock(fixture.record, .keyFile(try secret([UInt8](repeating: 1, count: 32))))
        #expect(wrong == .wrongUnlock(.keyFile, tried: 1))
        #expect(wrong?.description == "the key file does not open the vault (1 slot tried)")
        #expect(unlock(fixture.record, .passphrase(try secret(VaultFixture.phrase))) == .noSlot(.passphrase))
    }

    @Test func `a passphrase slot opens with its passphrase, also after a key file slot was added`() throws {
        let source = UnlockSource.passphrase(try secret(VaultFixture.phrase))
        let (vault, record) = try KeyVault.create(
            with: source, at: VaultFixture.now, scryptN: VaultFixture.quickN)
        let file = UnlockSource.keyFile(try secret(VaultFixture.keyFile))
        let extended = try vault.sealRing(
            vault.addSlot(for: file, to: record, at: VaultFixture.now), keys: [])
        #expect(extended.slots.map(\.kind) == [.passphrase, .keyFile])
        #expect(unlock(extended, .passphrase(try secret(VaultFixture.phrase))) == nil)
        #expect(unlock(extended, .keyFile(try secret(VaultFixture.keyFile))) == nil)
        #expect(
            unlock(extended, .passphrase(try secret(VaultFixture.phrase + " ")))
                == .wrongUnlock(.passphrase, tried: 1))
        #expect(unlock(extended, .passphrase(try secret(""))) == .wrongUnlock(.passphrase, tried: 1))
    }

    @Test func `new slots cost 2^17 and no parameter of a stored slot can be edited`() throws {
        #expect(SlotCost.newN == 1 << 17)
        let source = UnlockSource.passphrase(try secret(VaultFixture.phrase))
        let (_, record) = try KeyVault.create(
            with: source, at: VaultFixture.now, scryptN: VaultFixture.quickN)
        func changed(n: UInt64? = nil, salt: [UInt8]? = nil, id: Identifier<SlotIDKind>? = nil) -> VaultRecord
        {
            edited(record) {
                VaultSlot(
                    id: id ?? $0.id, kind: $0.kind, scryptN: n ?? $0.scryptN, salt: salt ?? $0.salt,
                    rootVersion: $0.rootVersion, sealedRoot: $0.sealedRoot, created: $0.created)
            }
        }
        func attempt(_ record: VaultRecord) throws -> SealFailure? {
            unlock(record, .passphrase(try secret(VaultFixture.phrase)))
        }
        for n in [0, 1, 1 << 14, (1 << 15) + 1, 3 << 15, 1 << 19, 1 << 63] as [UInt64] {
            #expect(try attempt(changed(n: n)) == .slotParameters(.passphrase), "N = \(n)")
        }
        #expect(try attempt(changed(salt: [1])) == .slotParameters(.passphrase))
        #expect(try attempt(changed(n: 1 << 16)) == .wrongUnlock(.passphrase, tried: 1))
        #expect(
            try attempt(changed(salt: [UInt8](repeating: 0, count: 32)))
                == .wrongUnlock(.passphrase, tried: 1))
        #expect(try attempt(changed(id: .random())) == .wrongUnlock(.passphrase, tried: 1))
        #expect(try attempt(record) == nil)
    }

    @Test func `a vault cannot be made below the floor`() throws {
        let source = UnlockSource.passphrase(try secret(VaultFixture.phrase))
        #expect(
            refusal { () throws(SealFailure) in
                _ = try KeyVault.create(with: source, at: VaultFixture.now, scryptN: 1 << 14)
            } == .slotParameters(.passphrase))
    }

    @Test(arguments: ["", "elevenchars", "twelve chars\n", "passphrase with é in it"])
    func `an unsuitable passphrase makes no slot`(phrase: String) throws {
        let source = UnlockSource.passphrase(try secret(phrase))
        let failure = refusal { () throws(SealFailure) in
            _ = try KeyVault.create(with: source, at: VaultFixture.now, scryptN: VaultFixture.quickN)
        }
        guard case .unsuitable = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
    }

    @Test func `a short key file makes no slot`() throws {
        let source = UnlockSource.keyFile(try secret([UInt8](repeating: 1, count: 31)))
        #expect(
            refusal { () throws(SealFailure) in _ = try KeyVault.create(with: source, at: VaultFixture.now) }
                != nil)
    }

    @Test func `a slot of another vault, or a damaged check record, does not open`() throws {
        let other = try VaultFixture()
        var mixed = fixture.record
        mixed.slots = other.record.slots
        #expect(unlock(mixed, .keyFile(try secret(VaultFixture.keyFile))) == .wrongUnlock(.keyFile, tried: 1))
        var damaged = fixture.record
        damaged.keyCheck[120] ^= 1
        #expect(unlock(damaged, .keyFile(try secret(VaultFixture.keyFile))) == .keyCheck)
        damaged.keyCheck = other.record.keyCheck
        #expect(unlock(damaged, .keyFile(try secret(VaultFixture.keyFile))) == .keyCheck)
    }

    @Test func `a refused unlock leaves an open vault open`() throws {
        let wrong = UnlockSource.keyFile(try secret([UInt8](repeating: 1, count: 32)))
        #expect(
            refusal { () throws(SealFailure) in try fixture.vault.unlock(fixture.record, with: wrong) } != nil
        )
        #expect(fixture.vault.isUnlocked)
    }

    @Test func `the number of slots has an end`() throws {
        var record = fixture.record
        let source = UnlockSource.keyFile(try secret(VaultFixture.keyFile))
        while record.slots.count < VaultSlot.countMax {
            record = try fixture.vault.addSlot(for: source, to: record, at: VaultFixture.now)
        }
        let full = record
        #expect(
            refusal { () throws(SealFailure) in
                _ = try fixture.vault.addSlot(for: source, to: full, at: VaultFixture.now)
            } == .tooManySlots)
    }

    @Test func `a locked vault does nothing, and comes back with the tenants' keys`() throws {
        let key = try fixture.key()
        let vault = fixture.vault
        vault.lock()
        #expect(!vault.isUnlocked)
        let plain = ProviderSecret(
            provider: fixture.provider, origin: fixture.origin, secret: try secret("x"))
        let refusals: [SealFailure?] = [
            refusal { () throws(SealFailure) in _ = try vault.openProviderKey(key, for: fixture.origin) },
            refusal { () throws(SealFailure) in try vault.verifyProviderKey(key) },
            refusal { () throws(SealFailure) in
                _ = try vault.sealProviderKey(plain, tenant: fixture.tenant, record: key.id, counter: 2)
            },
            refusal { () throws(SealFailure) in
                _ = try vault.newTenantKey(fixture.tenant, version: 2, at: VaultFixture.now)
            },
            refusal { () throws(SealFailure) in
                _ = try vault.fingerprint(of: plain.secret, tenant: fixture.tenant)
            },
            vault.load([fixture.tenantKey])[fixture.tenant],
        ]
        #expect(refusals.allSatisfy { $0 == .locked })
        try vault.unlock(fixture.record, with: .keyFile(secret(VaultFixture.keyFile)))
        #expect(
            refusal { () throws(SealFailure) in try vault.verifyProviderKey(key) } == .invalid(.sealingKey))
        #expect(vault.load([fixture.tenantKey]).isEmpty)
        #expect(try vault.openProviderKey(key, for: fixture.origin).copied() == Array("sk-test-secret".utf8))
    }

    @Test func `damaged tenant keys are reported, the others work`() throws {
        let vault = fixture.vault
        let other = TenantID.random(), third = TenantID.random()
        let good = try vault.newTenantKey(other, version: 1, at: VaultFixture.now)
        var damaged = try vault.newTenantKey(third, version: 1, at: VaultFixture.now)
        damaged.wrapped[130] ^= 1
        // A wrap moved to another tenant, and one moved to another version.
        let moved = WrappedTenantKey(
            tenant: .random(), version: 1, state: .active, rootVersion: 1, wrapped: good.wrapped,
            created: VaultFixture.now)
        let bumped = WrappedTenantKey(
            tenant: .random(), version: 2, state: .active, rootVersion: 1, wrapped: good.wrapped,
            created: VaultFixture.now)
        let failures = vault.load([damaged, moved, good, bumped])
        #expect(failures[third] == .invalid(.tag))
        #expect(failures[moved.tenant] == .invalid(.tenant))
        #expect(failures[bumped.tenant] == .invalid(.tenant))
        #expect(failures[other] == nil)
        let sameTenant = WrappedTenantKey(
            tenant: other, version: 2, state: .active, rootVersion: 1, wrapped: good.wrapped,
            created: VaultFixture.now)
        #expect(vault.load([sameTenant])[other] == .invalid(.counter))
    }

    @Test func `a new version seals, the retiring one still opens, a destroyed one does not`() throws {
        let vault = fixture.vault
        let old = try fixture.key()
        let second = try vault.newTenantKey(fixture.tenant, version: 2, at: VaultFixture.now)
        var first = fixture.tenantKey
        first.state = .retiring
        #expect(vault.load([second, first]).isEmpty)
        let new = try fixture.key()
        #expect(SealedRecord.claimedVersion(of: old.sealed) == 1)
        #expect(SealedRecord.claimedVersion(of: new.sealed) == 2)
        try vault.verifyProviderKey(old)
        try vault.verifyProviderKey(new)
        first.state = .destroyed
        #expect(vault.load([first]).isEmpty)
        #expect(
            refusal { () throws(SealFailure) in try vault.verifyProviderKey(old) } == .invalid(.sealingKey))
        vault.forgetTenant(fixture.tenant)
        #expect(
            refusal { () throws(SealFailure) in try vault.verifyProviderKey(new) } == .invalid(.sealingKey))
    }
}

import Cipher
import Domain
import Testing

@testable import Vault

@Suite struct KeyRingTests {
    let fixture: VaultFixture
    /// The vault with two versions of one tenant's key, as it is stored.
    let record: VaultRecord
    let keys: [WrappedTenantKey]

    init() throws {
        fixture = try VaultFixture()
        var first = fixture.tenantKey
        first.state = .retiring
        keys = [first, try fixture.vault.newTenantKey(fixture.tenant, version: 2, at: VaultFixture.now)]
        record = try fixture.vault.sealRing(fixture.record, keys: keys)
    }

    private func unlock(_ record: VaultRecord, _ keys: [WrappedTenantKey]) throws -> SealFailure? {
        let file = UnlockSource.keyFile(try secret(VaultFixture.keyFile))
        return refusal { () throws(SealFailure) in
            _ = try KeyVault.open(record, keys: keys, with: file)
        }
    }

    private func isRing(_ failure: SealFailure?) -> Bool {
        if case .keyRing = failure { true } else { false }
    }

    @Test func `a vault opens with the ring that was sealed over its slots and keys, in any order of rows`()
        throws
    {
        #expect(record.epoch == fixture.record.epoch + 1)
        #expect(try unlock(record, keys) == nil)
        #expect(try unlock(record, keys.reversed()) == nil)
        try fixture.vault.verify(record, keys: keys)
        #expect(try unlock(fixture.record, []) == nil)
    }

    @Test func `no row of a tenant's key can be changed, added or taken away`() throws {
        var edits: [[WrappedTenantKey]] = [[], [keys[0]], [keys[1]], keys + [keys[0]]]
        func edit(_ change: (inout WrappedTenantKey) -> Void) {
            for index in keys.indices {
                var copy = keys
                change(&copy[index])
                if copy != keys { edits.append(copy) }
            }
        }
        edit { $0.state = .active }
        edit { $0.state = .destroyed }
        edit { $0.rootVersion = 2 }
        edit { $0.sealings -= 10_000 }
        edit {
            $0 = WrappedTenantKey(
                tenant: $0.tenant, version: $0.version, state: $0.state, rootVersion: $0.rootVersion,
                wrapped: $0.wrapped, created: $0.created + .seconds(1), sealings: $0.sealings)
        }
        edit {
            $0 = WrappedTenantKey(
                tenant: .random(), version: $0.version, state: $0.state, rootVersion: $0.rootVersion,
                wrapped: $0.wrapped, created: $0.created, sealings: $0.sealings)
        }
        for edited in edits { #expect(isRing(try unlock(record, edited)), "\(edited)") }
    }

    @Test func `a damaged wrap costs its tenant alone`() throws {
        var damaged = keys
        damaged[1].wrapped[130] ^= 1
        let file = UnlockSource.keyFile(try secret(VaultFixture.keyFile))
        let vault = KeyVault()
        #expect(try vault.unlock(record, keys: damaged, with: file) == [fixture.tenant: .invalid(.tag)])
        #expect(vault.isUnlocked)
    }

    @Test func `no slot can be taken away, put back or edited`() throws {
        let second = UnlockSource.keyFile(try secret([UInt8](repeating: 7, count: 32)))
        let added = try fixture.vault.addSlot(for: second, to: record, at: VaultFixture.now)
        let two = try fixture.vault.sealRing(added, keys: keys)
        #expect(try unlock(two, keys) == nil)
        var edited = two
        edited.slots.removeLast()
        #expect(isRing(try unlock(edited, keys)))
        edited = two
        edited.slots.swapAt(0, 1)
        #expect(isRing(try unlock(edited, keys)))
        // The slot was removed; someone puts its row back.
        var removed = two
        removed.slots.removeLast()
        removed = try fixture.vault.sealRing(removed, keys: keys)
        #expect(try unlock(removed, keys) == nil)
        removed.slots.append(two.slots[1])
        #expect(isRing(try unlock(removed, keys)))
        let slot = two.slots[1]
        edited = two
        edited.slots[1] = VaultSlot(
            id: slot.id, kind: slot.kind, scryptN: slot.scryptN, salt: slot.salt,
            rootVersion: slot.rootVersion, sealedRoot: slot.sealedRoot, created: slot.created + .seconds(1))
        #expect(isRing(try unlock(edited, keys)))
    }

    @Test func `an older ring, another epoch, a forged rotation and no ring at all are refused`() throws {
        var edited = record
        edited.ring = fixture.record.ring
        #expect(isRing(try unlock(edited, keys)))
        edited = record
        edited.epoch += 1
        #expect(isRing(try unlock(edited, keys)))
        edited = record
        edited.previousRoot = record.slots[0].sealedRoot
        #expect(isRing(try unlock(edited, keys)))
        for ring in [record.ring, []] {
            edited = record
            edited.epoch = 0
            edited.ring = ring
            #expect(try unlock(edited, keys) == .keyCheck)
        }
        for byte in record.ring.indices {
            edited = record
            edited.ring[byte] ^= 0x10
            #expect(isRing(try unlock(edited, keys)), "byte \(byte)")
        }
    }

    @Test func `a vault from before there were rings opens, and has one from its next change on`() throws {
        let ring = try fixture.vault.openRing()
        let old = VaultRecord(
            id: record.id, created: record.created, slots: record.slots, rootVersion: 1,
            keyCheck: try KeyCheck.seal(ring, hasRing: false))
        #expect(try unlock(old, keys) == nil)
        var next = try fixture.vault.sealRing(old, keys: keys)
        #expect(next.epoch == 1 && !next.ring.isEmpty && next.keyCheck != old.keyCheck)
        #expect(try unlock(next, keys) == nil)
        next.epoch = 0
        next.ring = []
        #expect(try unlock(next, keys) == .keyCheck)
        var odd = old
        odd.ring = record.ring
        #expect(isRing(try unlock(odd, keys)))
    }

    @Test func `sealings are counted, and more are reserved before any is used`() throws {
        let vault = fixture.vault
        #expect(fixture.tenantKey.sealings == SealingLimits.batch)
        let before = vault.sealingsLeft(of: fixture.tenant)
        _ = try fixture.key()
        #expect(vault.sealingsLeft(of: fixture.tenant) == before - 1)
        // After a restart the reserved batch counts as used up.
        let file = UnlockSource.keyFile(try secret(VaultFixture.keyFile))
        let stored = try vault.sealRing(fixture.record, keys: [fixture.tenantKey])
        let again = try KeyVault.open(stored, keys: [fixture.tenantKey], with: file)
        #expect(again.sealingsLeft(of: fixture.tenant) == 0)
        let plain = ProviderSecret(
            provider: fixture.provider, origin: fixture.origin, secret: try secret("x"))
        #expect(
            refusal { () throws(SealFailure) in
                _ = try again.sealProviderKey(plain, tenant: fixture.tenant, record: .random(), counter: 1)
            } == .sealingsUsedUp)
        let more = try again.reserveSealings(fixture.tenantKey)
        #expect(more.sealings == 2 * SealingLimits.batch)
        try again.grantSealings(to: more)
        _ = try again.sealProviderKey(plain, tenant: fixture.tenant, record: .random(), counter: 1)
        #expect(again.sealingsLeft(of: fixture.tenant) == SealingLimits.batch - 1)
    }

    @Test func `a key is due after 365 days or with its last batch, and never sealed beyond 2^32`() throws {
        var key = fixture.tenantKey
        #expect(!SealingLimits.isDue(key, at: key.created + .seconds(365 * 86_400 - 1)))
        #expect(SealingLimits.isDue(key, at: key.created + .seconds(365 * 86_400)))
        key.sealings = (1 << 32) - SealingLimits.batch
        #expect(!SealingLimits.isDue(key, at: key.created))
        key = try fixture.vault.reserveSealings(key)
        #expect(key.sealings == 1 << 32 && SealingLimits.isDue(key, at: key.created))
        let last = key
        #expect(
            refusal { () throws(SealFailure) in _ = try fixture.vault.reserveSealings(last) }
                == .counterExhausted)
    }
}

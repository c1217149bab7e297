import Cipher
import Domain
import Foundation
import TestTraits
import Testing

@testable import Keepers
@testable import Vault

/// A vault that opens with a key at a key service: moto as the counterpart, which checks signatures and contexts.
@Suite(.serialized, .ownThread) struct KeyServiceKeeperTests {
    private static let now = WallTime(milliseconds: 1_800_000_000_000)
    private let service: PlayedKeyService

    init() throws {
        try SecureHeap.start()
        service = try PlayedKeyService()
    }

    private func vault(_ keeper: any KeyKeeper) async throws -> (vault: KeyVault, record: VaultRecord) {
        let file = UnlockSource.keyFile(try secret("0123456789abcdef0123456789abcdef"))
        let (vault, first) = try KeyVault.create(with: file, at: Self.now)
        let held = try await KeyVault.newSlotKey(for: first, from: keeper, pin: nil)
        let added = try vault.addSlot(for: SlotSecret(held), to: first, at: Self.now)
        return (vault, try vault.sealRing(added, keys: []))
    }

    private func refusal(_ record: VaultRecord, _ keeper: any KeyKeeper) async -> SealFailure? {
        let vault = KeyVault()
        do throws(SealFailure) {
            try await vault.unlock(record, keys: [], with: keeper, pin: nil)
            return nil
        } catch {
            #expect(!vault.isUnlocked)
            return error
        }
    }

    @Test func `a key at a service opens the vault, and only in its own slot, with its own bytes`()
        async throws
    {
        let keeper = try service.keeper()
        let (_, record) = try await vault(keeper)
        let slot = record.slots[1]
        #expect(slot.kind == .keyService)
        let outside = try #require(slot.outside)
        #expect(outside.name == service.first)
        #expect(await refusal(record, keeper) == nil)
        // The configuration may name another key by now: the slot knows its own.
        #expect(await refusal(record, try service.keeper(key: service.second)) == nil)
        let places = [
            SlotPlace(vault: record.id, slot: .random()), SlotPlace(vault: .random(), slot: slot.id),
        ]
        for place in places {
            await #expect(throws: KeeperFailure.otherKey) {
                _ = try await keeper.open(outside, for: place, pin: nil)
            }
        }
        func edited(_ outside: OutsideKey) -> VaultRecord {
            var edited = record
            edited.slots[1] = VaultSlot(
                id: slot.id, kind: slot.kind, scryptN: 0, salt: slot.salt, rootVersion: 1,
                sealedRoot: slot.sealedRoot, created: slot.created, outside: outside)
            return edited
        }
        for place in stride(from: 40, to: outside.sealed.count, by: 17) {
            var sealed = outside.sealed
            sealed[place] ^= 4
            let changed = edited(OutsideKey(name: outside.name, sealed: sealed))
            #expect(await refusal(changed, keeper) == .wrongUnlock(.keyService, tried: 1), "\(place)")
        }
        // The same key under its alias: the service would open it, the root's wrap does not.
        let renamed = edited(OutsideKey(name: "alias/gatehouse", sealed: outside.sealed))
        #expect(await refusal(renamed, keeper) == .wrongUnlock(.keyService, tried: 1))
        let moved = edited(OutsideKey(name: service.second, sealed: outside.sealed))
        #expect(await refusal(moved, keeper)?.description.contains("does not let") == true)
    }

    @Test func `a slot whose key cannot be used leaves the turn to the next one`() async throws {
        let (vault, first) = try await vault(try service.keeper())
        let held = try await KeyVault.newSlotKey(
            for: first, from: try service.keeper(key: service.second), pin: nil)
        let both = try vault.sealRing(
            vault.addSlot(for: SlotSecret(held), to: first, at: Self.now), keys: [])
        let broken = FailingKeeper(inner: try service.keeper(), slot: first.slots[1].id)
        #expect(await refusal(both, broken) == nil)
        #expect(await refusal(first, broken) == .keeper(.unusable("disabled")))
    }

    @Test func `credentials that are wrong, or nobody's, and keys that are not there are named`() async throws
    {
        let (_, record) = try await vault(try service.keeper())
        let id = service.credential.prefix { $0 != ":" }
        for credential in ["\(id):\(String(repeating: "x", count: 40))", "AKIA0000000000000000:secret"] {
            let refused = await refusal(record, try service.keeper(credential: credential))
            #expect(
                refused == .keeper(.refused("the key service does not accept these credentials (403)")))
        }
        let bearer = await refusal(record, try service.keeper(credential: "no-access-key"))
        #expect(bearer?.description.contains("access key only") == true)
        let place = SlotPlace(vault: record.id, slot: .random())
        await #expect(throws: KeeperFailure.unusable("the key service has no key alias/none")) {
            _ = try await service.keeper(key: "alias/none").make(for: place, pin: nil)
        }
    }

    @Test func `a service that is down is tried three times and then named`() async throws {
        let keeper = try service.keeper()
        let (_, record) = try await vault(keeper)
        service.stop()
        let clock = ContinuousClock()
        let start = clock.now
        let refused = await refusal(record, keeper)
        #expect(
            refused?.description
                == "the key service at http://127.0.0.1:\(service.port) did not answer: "
                + "the provider refused the connection")
        // The two pauses between three tries, and no more than the bound.
        #expect(start.duration(to: clock.now) >= .milliseconds(1_300))
        #expect(start.duration(to: clock.now) < .seconds(40))
    }
}

/// Says of one slot's key that it cannot be used.
private struct FailingKeeper: KeyKeeper {
    let inner: KeyServiceKeeper
    let slot: SlotID
    var kind: SlotKind { inner.kind }

    func make(for place: SlotPlace, pin: KeeperPIN?) async throws(KeeperFailure) -> HeldSlotKey {
        try await inner.make(for: place, pin: pin)
    }

    func open(
        _ outside: OutsideKey, for place: SlotPlace, pin: KeeperPIN?
    ) async throws(KeeperFailure) -> HeldSlotKey {
        guard place.slot != slot else { throw .unusable("disabled") }
        return try await inner.open(outside, for: place, pin: pin)
    }
}

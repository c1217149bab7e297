import Cipher
import Domain
import Testing

@testable import Vault

@Suite struct PlaintextCacheTests {
    let fixture: VaultFixture
    let cache: PlaintextCache
    let key: ProviderKeyRecord

    init() throws {
        fixture = try VaultFixture()
        cache = PlaintextCache(vault: fixture.vault)
        key = try fixture.key()
    }

    private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    private func read(
        _ key: ProviderKeyRecord, at seconds: Int64 = 0, origin: Origin? = nil
    ) throws(SealFailure) -> [UInt8] {
        try cache.withSecret(of: key, for: origin ?? fixture.origin, at: at(seconds)) { $0.copied() }
    }

    /// Whether the key is held: a record that no longer opens can only come from the cache.
    private func isHeld(at seconds: Int64) -> Bool {
        var broken = key
        broken.sealed[130] ^= 1
        return refusal { () throws(SealFailure) in _ = try read(broken, at: seconds) } == nil
    }

    @Test func `a key is opened once and lent again`() throws {
        #expect(!isHeld(at: 0))
        #expect(try read(key) == Array("sk-test-secret".utf8))
        #expect(cache.count == 1)
        #expect(isHeld(at: 1))
    }

    @Test func `a key is forgotten after 300 idle seconds`() throws {
        _ = try read(key, at: 0)
        #expect(isHeld(at: 299))
        #expect(isHeld(at: 598))
        #expect(!isHeld(at: 898))
        #expect(cache.count == 0)
    }

    @Test func `a key in steady use is forgotten after an hour`() throws {
        _ = try read(key, at: 0)
        for second in stride(from: Int64(200), to: 3_600, by: 200) { #expect(isHeld(at: second)) }
        #expect(isHeld(at: 3_599))
        #expect(!isHeld(at: 3_600))
    }

    @Test func `expired keys go without being asked for`() throws {
        _ = try read(key, at: 0)
        cache.expire(at: at(299))
        #expect(cache.count == 1)
        cache.expire(at: at(300))
        #expect(cache.count == 0)
    }

    @Test func `a dropped key is opened anew`() throws {
        _ = try read(key)
        cache.drop(key.id)
        #expect(!isHeld(at: 0))
    }

    @Test func `a key dropped while it was being opened is not put back`() throws {
        var shelf = PlaintextShelf()
        let place = PlaintextShelf.Place(key: key, origin: fixture.origin, generation: 1)
        let before = shelf.drops
        shelf.drop(key.id)
        shelf.put(HeldSecret(try secret("old")), at: place, now: at(0), unlessDroppedSince: before)
        #expect(shelf.count == 0)
        shelf.put(HeldSecret(try secret("new")), at: place, now: at(0), unlessDroppedSince: shelf.drops)
        #expect(shelf.count == 1)
    }

    @Test func `a held key is not lent for another origin, counter, provider or tenant`() throws {
        _ = try read(key)
        let other = Origin(secure: true, host: "evil.example", port: 443)
        #expect(refusal { () throws(SealFailure) in _ = try read(key, origin: other) } == .wrongOrigin)
        _ = try read(key)
        var rewritten = key
        rewritten.counter = 2
        #expect(refusal { () throws(SealFailure) in _ = try read(rewritten) } == .invalid(.counter))
        _ = try read(key)
        let moved = try fixture.stored(id: key.id, tenant: .random(), sealed: key.sealed, counter: 1)
        #expect(refusal { () throws(SealFailure) in _ = try read(moved) } == .invalid(.sealingKey))
        _ = try read(key)
        let renamed = try fixture.stored(id: key.id, provider: "other", sealed: key.sealed, counter: 1)
        #expect(refusal { () throws(SealFailure) in _ = try read(renamed) } == .wrongOrigin)
    }

    @Test func `locking the vault voids the cache, also after another unlock`() throws {
        _ = try read(key)
        fixture.vault.lock()
        #expect(refusal { () throws(SealFailure) in _ = try read(key) } == .locked)
        #expect(cache.count == 0)
        try fixture.vault.unlock(fixture.record, with: .keyFile(secret(VaultFixture.keyFile)))
        #expect(!isHeld(at: 1))

        #expect(fixture.vault.load([fixture.tenantKey]).isEmpty)
        _ = try read(key)
        fixture.vault.lock()
        try fixture.vault.unlock(fixture.record, with: .keyFile(secret(VaultFixture.keyFile)))
        #expect(!isHeld(at: 1))
    }

    @Test func `at most 512 keys are held; the one idle longest goes first`() throws {
        var shelf = PlaintextShelf()
        let origin = fixture.origin
        func place() throws -> PlaintextShelf.Place {
            .init(
                key: try fixture.stored(id: .random(), sealed: [], counter: 1), origin: origin, generation: 1)
        }
        let places = try (0..<513).map { _ in try place() }
        for (index, place) in places.enumerated() {
            let now = Instant(nanoseconds: Int64(index))
            shelf.put(HeldSecret(try secret("x")), at: place, now: now, unlessDroppedSince: 0)
            if index == 511 { #expect(shelf.find(places[0], at: now) != nil) }
        }
        #expect(shelf.count == 512)
        let now = Instant(nanoseconds: 600)
        #expect(shelf.find(places[0], at: now) != nil)
        #expect(shelf.find(places[1], at: now) == nil)
        #expect(shelf.find(places[512], at: now) != nil)
    }

    @Test func `uses are counted for the audit log and handed over once`() throws {
        for second in 0..<5 { _ = try read(key, at: Int64(second)) }
        #expect(cache.takeUses() == [key.id: 5])
        #expect(cache.takeUses().isEmpty)
    }

    @Test func `where a key stood nothing of it is left after the cache was emptied`() throws {
        let text = Array("sk-test-secret".utf8)
        let address = try cache.withSecret(of: key, for: fixture.origin, at: at(0)) { secret in
            secret.withBytes { UInt(bitPattern: $0.baseAddress) }
        }
        // The arena of the secure heap stays mapped for the life of the process.
        let place = try #require(UnsafeRawPointer(bitPattern: address))
        #expect(UnsafeRawBufferPointer(start: place, count: text.count).elementsEqual(text))
        cache.dropAll()
        #expect(!UnsafeRawBufferPointer(start: place, count: text.count).elementsEqual(text))
    }

    @Test func `calls at the same time, with droppings between them, get the whole secret`() async throws {
        let cache = cache, key = key, origin = fixture.origin
        let wrong = await withTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var wrong = 0
                    for round in 0..<200 {
                        let now = Instant(nanoseconds: Int64(round))
                        if task == 0 && round.isMultiple(of: 20) { cache.drop(key.id) }
                        let right = try? cache.withSecret(of: key, for: origin, at: now) { secret in
                            secret.withBytes { $0.elementsEqual("sk-test-secret".utf8) }
                        }
                        if right != true { wrong += 1 }
                    }
                    return wrong
                }
            }
            return await group.reduce(0, +)
        }
        #expect(wrong == 0)
        #expect(cache.takeUses() == [key.id: 1_600])
    }
}

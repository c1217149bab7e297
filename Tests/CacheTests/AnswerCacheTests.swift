import Cache
import Domain
import Testing

let alpha = TenantID(high: 1, low: 1)
let beta = TenantID(high: 1, low: 2)

func key(_ tenant: TenantID, _ number: UInt64) -> CacheKey {
    CacheKey(tenant: tenant, digest: Digest256(0, 0, 0, number))
}

func answer(_ size: Int = 100, at second: Double = 0, cost: Int64? = 5, filler: UInt8 = 1) -> CachedAnswer {
    CachedAnswer(
        status: 200, contentType: "application/json", body: [UInt8](repeating: filler, count: size),
        usage: Usage(input: 3, output: 4), cost: cost.map { Money(nanoUSD: $0) },
        stored: Instant(nanoseconds: Int64(second * 1e9)), model: "m", streamed: false)
}

func at(_ second: Double) -> Instant { Instant(nanoseconds: Int64(second * 1e9)) }

@Suite struct AnswerCacheTests {
    @Test func `what was stored is found as it was, by reference`() {
        let cache = AnswerCache()
        let stored = answer()
        #expect(cache.find(key(alpha, 1), at: at(0)) == nil)
        #expect(cache.store(stored, for: key(alpha, 1)))
        #expect(cache.find(key(alpha, 1), at: at(1)) === stored)
    }

    @Test func `an equal digest of another tenant finds nothing`() {
        let cache = AnswerCache()
        cache.store(answer(filler: 1), for: key(alpha, 7))
        #expect(cache.find(key(beta, 7), at: at(0)) == nil)
        cache.store(answer(filler: 2), for: key(beta, 7))
        #expect(cache.find(key(alpha, 7), at: at(0))?.body.first == 1)
        #expect(cache.find(key(beta, 7), at: at(0))?.body.first == 2)
        #expect(cache.purge(tenant: alpha) == 1)
        #expect(cache.find(key(alpha, 7), at: at(0)) == nil)
        #expect(cache.find(key(beta, 7), at: at(0)) != nil)
    }

    @Test func `an answer lives five minutes to the nanosecond unless told otherwise`() {
        let cache = AnswerCache()
        cache.store(answer(at: 10), for: key(alpha, 1))
        #expect(cache.find(key(alpha, 1), at: Instant(nanoseconds: 309_999_999_999)) != nil)
        #expect(cache.find(key(alpha, 1), at: at(310)) == nil)
        #expect(cache.stats().entries == 0)
        cache.store(answer(at: 400), for: key(alpha, 1), timeToLive: .seconds(1))
        #expect(cache.find(key(alpha, 1), at: at(401)) == nil)
    }

    @Test func `no life is longer than a day, and none that is not positive is kept`() {
        let cache = AnswerCache()
        #expect(!cache.store(answer(), for: key(alpha, 1), timeToLive: .zero))
        #expect(!cache.store(answer(), for: key(alpha, 1), timeToLive: .seconds(-5)))
        cache.store(answer(), for: key(alpha, 1), timeToLive: .seconds(1_000_000))
        #expect(cache.find(key(alpha, 1), at: at(86_399)) != nil)
        #expect(cache.find(key(alpha, 1), at: at(86_400)) == nil)
    }

    @Test func `a body above the bound is not kept, one at the bound is`() {
        let cache = AnswerCache()
        #expect(!cache.store(answer((256 << 10) + 1), for: key(alpha, 1)))
        #expect(cache.store(answer(256 << 10), for: key(alpha, 1)))
    }

    @Test func `the least recently used goes first`() {
        var options = CacheOptions()
        options.entriesMax = 3
        options.tenantSharePercent = 100
        let cache = AnswerCache(options: options)
        for number in 1...3 as ClosedRange<UInt64> { cache.store(answer(), for: key(alpha, number)) }
        _ = cache.find(key(alpha, 1), at: at(1))
        cache.store(answer(), for: key(beta, 4))
        #expect(cache.find(key(alpha, 2), at: at(1)) == nil)
        cache.store(answer(), for: key(beta, 5))
        #expect(cache.find(key(alpha, 3), at: at(1)) == nil)
        #expect(cache.find(key(alpha, 1), at: at(1)) != nil)
        #expect(cache.stats().evicted == 2)
    }

    @Test func `a tenant at its share gives up its own, not another's`() {
        var options = CacheOptions()
        options.entriesMax = 10
        let cache = AnswerCache(options: options)
        for number in 1...5 as ClosedRange<UInt64> { cache.store(answer(), for: key(beta, number)) }
        for number in 1...100 as ClosedRange<UInt64> { cache.store(answer(), for: key(alpha, number)) }
        #expect(cache.stats(of: beta).entries == 5)
        #expect(cache.stats(of: alpha).entries == 5)
        #expect(cache.stats(of: alpha).evicted == 95)
        #expect(cache.find(key(alpha, 95), at: at(1)) == nil)
        #expect(cache.find(key(alpha, 96), at: at(1)) != nil)
    }

    @Test func `storing again replaces and is no eviction`() {
        let cache = AnswerCache()
        cache.store(answer(1_000, filler: 1), for: key(alpha, 1))
        let before = cache.stats().bytes
        cache.store(answer(10, filler: 2), for: key(alpha, 1))
        #expect(cache.find(key(alpha, 1), at: at(0))?.body.first == 2)
        #expect(cache.stats().entries == 1)
        #expect(cache.stats().bytes == before - 990)
        #expect(cache.stats().evicted == 0)
    }

    @Test func `hits, misses and savings are counted in all and for each tenant`() {
        let cache = AnswerCache()
        cache.store(answer(cost: 5), for: key(alpha, 1))
        cache.store(answer(cost: nil), for: key(alpha, 2))
        for _ in 1...3 { _ = cache.find(key(alpha, 1), at: at(1)) }
        _ = cache.find(key(alpha, 2), at: at(1))
        _ = cache.find(key(beta, 1), at: at(1))
        let total = cache.stats()
        #expect((total.hits, total.misses, total.stored) == (4, 1, 2))
        #expect(total.saved == Money(nanoUSD: 15))
        #expect(cache.stats(of: alpha).hits == 4)
        #expect(cache.stats(of: alpha).misses == 0)
        #expect(cache.stats(of: beta).misses == 1)
        #expect(cache.statsByTenant().keys.sorted() == [alpha, beta])
    }

    @Test func `purging everything keeps the counts of what was done`() {
        let cache = AnswerCache()
        for number in 0..<50 as Range<UInt64> {
            cache.store(answer(), for: key(number % 2 == 0 ? alpha : beta, number))
        }
        _ = cache.find(key(alpha, 0), at: at(0))
        #expect(cache.purgeAll() == 50)
        #expect(cache.purgeAll() == 0)
        #expect(cache.purge(tenant: alpha) == 0)
        #expect(cache.find(key(alpha, 0), at: at(0)) == nil)
        let total = cache.stats()
        #expect((total.entries, total.bytes, total.hits, total.stored) == (0, 0, 1, 50))
        cache.store(answer(), for: key(alpha, 1))
        #expect(cache.stats(of: alpha).entries == 1)
    }

    @Test func `tenants that only miss do not pile up`() {
        var options = CacheOptions()
        options.entriesMax = 16
        let cache = AnswerCache(options: options)
        cache.store(answer(), for: key(alpha, 1))
        for number in 0..<20_000 as Range<UInt64> {
            _ = cache.find(key(TenantID(high: 2, low: number), 1), at: at(1))
        }
        #expect(cache.statsByTenant().count <= 16 + 4_096)
        #expect(cache.find(key(alpha, 1), at: at(1)) != nil)
        #expect(cache.stats().misses == 20_000)
    }

    @Test func `many threads leave the counts right`() async {
        var options = CacheOptions()
        options.entriesMax = 100
        let cache = AnswerCache(options: options)
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<8 as Range<UInt64> {
                group.addTask {
                    var generator = SplitMix(seed: worker)
                    for _ in 0..<2_000 {
                        let key = key(generator.next() % 2 == 0 ? alpha : beta, generator.next() % 200)
                        if cache.find(key, at: at(1)) == nil { cache.store(answer(), for: key) }
                        if generator.next() % 500 == 0 { cache.purge(tenant: key.tenant) }
                    }
                }
            }
        }
        let total = cache.stats()
        #expect(total.hits + total.misses == 16_000)
        #expect(total.entries <= 100)
        #expect(cache.purge(tenant: alpha) + cache.purge(tenant: beta) == total.entries)
        #expect(cache.stats().bytes == 0)
    }
}

import Cache
import Domain
import Testing

/// The cache as one plain list, oldest use first: slow and plainly right.
private struct ListModel {
    struct Item {
        let key: CacheKey
        let answer: CachedAnswer
        let size: Int
        let expires: Instant
    }

    let options: CacheOptions
    var items: [Item] = []
    var evicted = 0

    mutating func find(_ key: CacheKey, at now: Instant) -> CachedAnswer? {
        guard let place = items.firstIndex(where: { $0.key == key }) else { return nil }
        let item = items.remove(at: place)
        guard now < item.expires else { return nil }
        items.append(item)
        return item.answer
    }

    mutating func store(_ answer: CachedAnswer, size: Int, for key: CacheKey, life: Duration) {
        items.removeAll { $0.key == key }
        while bytes(of: key.tenant) + size > options.bytesMax / 2
            || count(of: key.tenant) >= options.entriesMax / 2
        {
            guard let oldest = items.firstIndex(where: { $0.key.tenant == key.tenant }) else { return }
            items.remove(at: oldest)
            evicted += 1
        }
        while bytes + size > options.bytesMax || items.count >= options.entriesMax {
            items.removeFirst()
            evicted += 1
        }
        items.append(Item(key: key, answer: answer, size: size, expires: answer.stored + life))
    }

    var bytes: Int { items.reduce(0) { $0 + $1.size } }
    func bytes(of tenant: TenantID) -> Int {
        items.reduce(0) { $0 + ($1.key.tenant == tenant ? $1.size : 0) }
    }
    func count(of tenant: TenantID) -> Int { items.count { $0.key.tenant == tenant } }
}

@Suite struct CacheModelTests {
    /// What one answer counts beside its body, as the cache itself counts it.
    private var overhead: Int {
        let cache = AnswerCache()
        cache.store(answer(0), for: key(alpha, 1))
        return cache.stats().bytes
    }

    @Test(arguments: [42, 8_080] as [UInt64])
    func `it holds and drops what a plain list holds and drops, within its bounds`(seed: UInt64) {
        var generator = SplitMix(seed: seed)
        var options = CacheOptions()
        options.bytesMax = 40_000
        options.entriesMax = 60
        options.bodyBytesMax = 6_000
        let cache = AnswerCache(options: options)
        var model = ListModel(options: options)
        let overhead = overhead
        let tenants = (1...4).map { TenantID(high: 1, low: UInt64($0)) }
        var now = 0.0
        for step in 0..<20_000 {
            now += Double(generator.next() % 100) / 100
            // The first tenant is the noisy one.
            let tenant = tenants[generator.next() % 2 == 0 ? 0 : Int(generator.next() % 4)]
            let key = key(tenant, generator.next() % 40)
            var fault: String?
            switch generator.next() % 100 {
            case 0:
                let count = cache.purge(tenant: tenant)
                if count != model.count(of: tenant) { fault = "purged \(count)" }
                model.items.removeAll { $0.key.tenant == tenant }
            case ..<50:
                let found = cache.find(key, at: at(now))
                if found !== model.find(key, at: at(now)) { fault = "found another answer" }
            default:
                let size = Int(generator.next() % (step % 20 == 0 ? 7_000 : 900))
                let life = Duration.seconds(Int64(1 + generator.next() % 60))
                let answer = answer(size, at: now)
                let kept = cache.store(answer, for: key, timeToLive: life)
                if kept != (size <= 6_000) { fault = "kept \(kept) of size \(size)" }
                if kept { model.store(answer, size: size + overhead, for: key, life: life) }
            }
            let figures = cache.stats()
            let own = cache.stats(of: tenant)
            if figures.bytes != model.bytes || figures.entries != model.items.count {
                fault = "holds other sums"
            }
            if figures.bytes > 40_000 || figures.entries > 60 { fault = "above its bounds" }
            if own.bytes > 20_000 || own.entries > 30 { fault = "a tenant above its share" }
            if own.bytes != model.bytes(of: tenant) || own.entries != model.count(of: tenant) {
                fault = "a tenant's sums differ"
            }
            if Int(figures.evicted) != model.evicted {
                fault = "evicted \(figures.evicted), not \(model.evicted)"
            }
            if let fault {
                Issue.record("seed \(seed), step \(step): \(fault)")
                return
            }
        }
        #expect(model.evicted > 500, "seed \(seed)")
    }
}

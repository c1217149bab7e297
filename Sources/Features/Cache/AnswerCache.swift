package import Domain
import Locking

/// What an answer is found by: whose, and a digest over format, team and the whole body. There is no key without a
/// tenant.
package struct CacheKey: Sendable, Hashable {
    package let tenant: TenantID
    package let digest: Digest256
    package init(tenant: TenantID, digest: Digest256) {
        self.tenant = tenant
        self.digest = digest
    }
}

/// A whole, good answer that was kept.
package final class CachedAnswer: Sendable {
    package let contentType: String
    package let body: [UInt8]
    package let usage: Usage
    /// What it cost when it was made: what each hit saves. nil = unknown.
    package let cost: Money?
    package let streamed: Bool

    package init(contentType: String, body: [UInt8], usage: Usage, cost: Money?, streamed: Bool) {
        self.contentType = contentType
        self.body = body
        self.usage = usage
        self.cost = cost
        self.streamed = streamed
    }
}

/// Bounds of the cache.
package struct CacheOptions: Sendable, Hashable {
    package var bytesMax: Int
    package var entryBytesMax: Int
    package var entriesMax: Int
    /// One tenant holds at most this share of the bytes, 1 to 100.
    package var tenantPercent: Int

    package init(bytesMax: Int = 64 << 20, entryBytesMax: Int = 256 << 10, entriesMax: Int = 65_536, tenantPercent: Int = 50) {
        self.bytesMax = bytesMax
        self.entryBytesMax = entryBytesMax
        self.entriesMax = entriesMax
        self.tenantPercent = tenantPercent
    }
}

/// Counts of the cache, in all or of one tenant.
package struct CacheCounts: Sendable, Hashable {
    package var entries = 0
    package var bytes = 0
    package var hits: Int64 = 0
    package var misses: Int64 = 0
    package var stored: Int64 = 0
    package var evicted: Int64 = 0
    package var saved = Money.zero
    package init() {}
}

/// The exact cache: the same question of the same tenant, asked again before its time is up.
///
/// Least recently used answers go first; one lock, held for a dictionary look-up and a few links.
package final class AnswerCache: Sendable {
    private let table: Locked<CacheTable>

    package init(options: CacheOptions = CacheOptions()) { table = Locked(CacheTable(options: options)) }

    package func find(_ key: CacheKey, at now: Instant) -> CachedAnswer? { table.withLock { $0.find(key, at: now) } }

    package func store(_ answer: CachedAnswer, for key: CacheKey, timeToLive: Duration, at now: Instant) {
        table.withLock { $0.store(answer, for: key, until: now + timeToLive) }
    }

    /// Forgets one tenant's answers; returns how many.
    package func purge(tenant: TenantID) -> Int { table.withLock { $0.purge { $0.tenant == tenant } } }

    package func purgeAll() -> Int { table.withLock { $0.purge { _ in true } } }

    package func configure(_ options: CacheOptions) { table.withLock { $0.configure(options) } }

    package func stats() -> (total: CacheCounts, tenants: [TenantID: CacheCounts], bytesMax: Int) {
        table.withLock { ($0.total, $0.tenants, $0.options.bytesMax) }
    }
}

/// The cache as a plain value: a dictionary into slots that are linked by use.
struct CacheTable: Sendable {
    private struct Slot: Sendable {
        var key: CacheKey
        var answer: CachedAnswer
        var until: Instant
        var bytes: Int
        var newer: Int?
        var older: Int?
    }

    /// What an entry takes besides its body: key, links, the object.
    private static let overhead = 256

    private(set) var options: CacheOptions
    private(set) var total = CacheCounts()
    private(set) var tenants: [TenantID: CacheCounts] = [:]
    private var places: [CacheKey: Int] = [:]
    private var slots: [Slot?] = []
    private var free: [Int] = []
    private var newest: Int?
    private var oldest: Int?

    init(options: CacheOptions) { self.options = options }

    mutating func configure(_ next: CacheOptions) {
        options = next
        makeRoom(bytes: 0, entries: 0)
    }

    mutating func find(_ key: CacheKey, at now: Instant) -> CachedAnswer? {
        guard let place = places[key], let slot = slots[place] else {
            miss(key.tenant)
            return nil
        }
        guard slot.until > now else {
            remove(place)
            miss(key.tenant)
            return nil
        }
        unlink(place)
        link(place)
        total.hits += 1
        total.saved += slot.answer.cost ?? .zero
        tenants[key.tenant, default: .init()].hits += 1
        tenants[key.tenant, default: .init()].saved += slot.answer.cost ?? .zero
        return slot.answer
    }

    private mutating func miss(_ tenant: TenantID) {
        total.misses += 1
        tenants[tenant, default: .init()].misses += 1
    }

    mutating func store(_ answer: CachedAnswer, for key: CacheKey, until: Instant) {
        let bytes = answer.body.count + Self.overhead
        guard answer.body.count <= options.entryBytesMax, bytes <= share else { return }
        if let place = places[key] { remove(place) }
        while (tenants[key.tenant]?.bytes ?? 0) + bytes > share, evictOldest(of: key.tenant) {}
        makeRoom(bytes: bytes, entries: 1)
        let slot = Slot(key: key, answer: answer, until: until, bytes: bytes)
        let place: Int
        if let reused = free.popLast() {
            place = reused
            slots[place] = slot
        } else {
            place = slots.count
            slots.append(slot)
        }
        places[key] = place
        link(place)
        total.entries += 1
        total.bytes += bytes
        total.stored += 1
        tenants[key.tenant, default: .init()].entries += 1
        tenants[key.tenant, default: .init()].bytes += bytes
        tenants[key.tenant, default: .init()].stored += 1
    }

    private var share: Int { options.bytesMax / 100 * options.tenantPercent }

    private mutating func makeRoom(bytes: Int, entries: Int) {
        while total.bytes + bytes > options.bytesMax || total.entries + entries > options.entriesMax {
            guard let place = oldest else { return }
            evict(place)
        }
    }

    /// From the old end; a tenant at its share has many of its own there.
    private mutating func evictOldest(of tenant: TenantID) -> Bool {
        var place = oldest
        while let current = place {
            if slots[current]?.key.tenant == tenant {
                evict(current)
                return true
            }
            place = slots[current]?.newer
        }
        return false
    }

    private mutating func evict(_ place: Int) {
        if let tenant = slots[place]?.key.tenant { tenants[tenant, default: .init()].evicted += 1 }
        total.evicted += 1
        remove(place)
    }

    mutating func purge(_ matches: (CacheKey) -> Bool) -> Int {
        let doomed = places.filter { matches($0.key) }
        for place in doomed.values { remove(place) }
        return doomed.count
    }

    private mutating func remove(_ place: Int) {
        guard let slot = slots[place] else { return }
        unlink(place)
        slots[place] = nil
        free.append(place)
        places[slot.key] = nil
        total.entries -= 1
        total.bytes -= slot.bytes
        tenants[slot.key.tenant]?.entries -= 1
        tenants[slot.key.tenant]?.bytes -= slot.bytes
    }

    private mutating func link(_ place: Int) {
        slots[place]?.older = newest
        slots[place]?.newer = nil
        if let newest { slots[newest]?.newer = place }
        newest = place
        if oldest == nil { oldest = place }
    }

    private mutating func unlink(_ place: Int) {
        let newer = slots[place]?.newer
        let older = slots[place]?.older
        if let newer { slots[newer]?.older = older } else if newest == place { newest = older }
        if let older { slots[older]?.newer = newer } else if oldest == place { oldest = newer }
        slots[place]?.newer = nil
        slots[place]?.older = nil
    }
}

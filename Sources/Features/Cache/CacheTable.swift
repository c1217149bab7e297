import Domain

/// The cache's content as a plain value: keys, answers and time in, answers out.
///
/// Two orders of use run through the entries, one over all and one for each tenant, so both the whole and a tenant's
/// share give up their own oldest entry in constant time.
struct CacheTable {
    private struct Entry {
        let key: CacheKey
        let answer: CachedAnswer
        let size: Int
        let expires: Instant
        /// Place of its tenant's row.
        let row: Int
    }

    private struct Row {
        let tenant: TenantID
        var order = RecencyList()
        var figures = CacheFigures()
    }

    /// Rows kept beyond one for each entry: tenants that only missed.
    private static var spareRows: Int { 4_096 }

    private let options: CacheOptions
    private var places: [CacheKey: Int32] = [:]
    private var entries: [Entry?] = []
    private var freePlaces: [Int32] = []
    private var order = RecencyList()
    private var links: [RecencyList.Links] = []
    private var tenantLinks: [RecencyList.Links] = []
    private var rowOf: [TenantID: Int] = [:]
    private var rows: [Row] = []
    private var freeRows: [Int] = []
    private(set) var total = CacheFigures()

    init(options: CacheOptions) { self.options = options }

    // MARK: Verbs

    mutating func find(_ key: CacheKey, at now: Instant) -> CachedAnswer? {
        guard let place = places[key], let entry = entries[Int(place)] else {
            miss(row(of: key.tenant))
            return nil
        }
        guard now < entry.expires else {
            remove(place, entry)
            miss(entry.row)
            return nil
        }
        order.touch(place, in: &links)
        rows[entry.row].order.touch(place, in: &tenantLinks)
        let saved = entry.answer.cost ?? .zero
        total.hits += 1
        total.saved += saved
        rows[entry.row].figures.hits += 1
        rows[entry.row].figures.saved += saved
        return entry.answer
    }

    /// Whether the answer was kept.
    mutating func store(_ answer: CachedAnswer, for key: CacheKey, timeToLive: Duration?) -> Bool {
        let life = min(timeToLive ?? options.timeToLive, options.timeToLiveMax)
        let size = Self.size(of: answer)
        let share = Share(options)
        guard life > .zero, answer.body.count <= options.bodyBytesMax, size <= share.bytes, share.entries > 0
        else {
            return false
        }
        if let place = places[key], let old = entries[Int(place)] { remove(place, old) }
        let row = row(of: key.tenant)
        while rows[row].figures.bytes + size > share.bytes || rows[row].figures.entries >= share.entries {
            evict(rows[row].order.oldest)
        }
        while total.bytes + size > options.bytesMax || total.entries >= options.entriesMax {
            evict(order.oldest)
        }
        add(Entry(key: key, answer: answer, size: size, expires: answer.stored + life, row: row))
        return true
    }

    mutating func purge(_ tenant: TenantID) -> Int {
        guard let row = rowOf[tenant] else { return 0 }
        var count = 0
        while case let place = rows[row].order.oldest, place >= 0, let entry = entries[Int(place)] {
            remove(place, entry)
            count += 1
        }
        return count
    }

    /// The same counts of what was done, and nothing in it.
    func emptied() -> Self {
        var empty = Self(options: options)
        empty.total = total
        empty.total.entries = 0
        empty.total.bytes = 0
        for (tenant, row) in rowOf {
            let place = empty.row(of: tenant)
            empty.rows[place].figures = rows[row].figures
            empty.rows[place].figures.entries = 0
            empty.rows[place].figures.bytes = 0
        }
        return empty
    }

    func figures(of tenant: TenantID) -> CacheFigures { rowOf[tenant].map { rows[$0].figures } ?? .init() }

    var figuresByTenant: [TenantID: CacheFigures] { rowOf.mapValues { rows[$0].figures } }

    // MARK: Steps

    /// What one tenant may hold.
    private struct Share {
        let bytes: Int
        let entries: Int

        init(_ options: CacheOptions) {
            bytes = options.bytesMax / 100 * options.tenantSharePercent
            entries = options.entriesMax * options.tenantSharePercent / 100
        }
    }

    /// Body and texts, and what keeping them takes here: the entry, its dictionary slot (at a load of three quarters),
    /// its links, and the headers of the object and the array (16 and 32 bytes on 64-bit Linux).
    private static func size(of answer: CachedAnswer) -> Int {
        let slot = (MemoryLayout<CacheKey>.stride + MemoryLayout<Int32>.stride) * 4 / 3
        let fixed =
            MemoryLayout<Entry?>.stride + slot + 2 * MemoryLayout<RecencyList.Links>.stride
            + MemoryLayout<Usage>.size + 128
        return answer.body.count + answer.contentType.utf8.count + answer.model.utf8.count + fixed
    }

    private mutating func add(_ entry: Entry) {
        let place: Int32
        if let free = freePlaces.popLast() {
            place = free
        } else {
            place = Int32(entries.count)
            entries.append(nil)
            links.append(.init())
            tenantLinks.append(.init())
        }
        entries[Int(place)] = entry
        places[entry.key] = place
        order.push(place, in: &links)
        rows[entry.row].order.push(place, in: &tenantLinks)
        count(entry, by: 1)
        total.stored += 1
        rows[entry.row].figures.stored += 1
    }

    private mutating func remove(_ place: Int32, _ entry: Entry) {
        entries[Int(place)] = nil
        places[entry.key] = nil
        freePlaces.append(place)
        order.remove(place, in: &links)
        rows[entry.row].order.remove(place, in: &tenantLinks)
        count(entry, by: -1)
    }

    private mutating func evict(_ place: Int32) {
        guard place >= 0, let entry = entries[Int(place)] else {
            preconditionFailure("the cache counts bytes of entries it does not hold")
        }
        remove(place, entry)
        total.evicted += 1
        rows[entry.row].figures.evicted += 1
    }

    private mutating func count(_ entry: Entry, by sign: Int) {
        total.entries += sign
        total.bytes += sign * entry.size
        rows[entry.row].figures.entries += sign
        rows[entry.row].figures.bytes += sign * entry.size
    }

    private mutating func miss(_ row: Int) {
        total.misses += 1
        rows[row].figures.misses += 1
    }

    private mutating func row(of tenant: TenantID) -> Int {
        if let row = rowOf[tenant] { return row }
        if rowOf.count >= options.entriesMax + Self.spareRows { dropEmptyRows() }
        let row: Int
        if let free = freeRows.popLast() {
            row = free
            rows[row] = Row(tenant: tenant)
        } else {
            row = rows.count
            rows.append(Row(tenant: tenant))
        }
        rowOf[tenant] = row
        return row
    }

    /// Rows with entries are never more than entries, so this frees at least the spare ones.
    private mutating func dropEmptyRows() {
        for row in Array(rowOf.values) where rows[row].figures.entries == 0 {
            rowOf[rows[row].tenant] = nil
            freeRows.append(row)
        }
    }
}

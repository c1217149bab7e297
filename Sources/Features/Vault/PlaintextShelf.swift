import Domain

/// What the plaintext cache holds and for how long: a value, decided with the time passed in.
struct PlaintextShelf {
    /// With records of a few hundred bytes this is a fraction of the secure heap.
    static let countMax = 512
    static let idleMax = Duration.seconds(300)
    static let ageMax = Duration.seconds(3_600)

    /// What must be the same for an opened key to be lent again.
    struct Place: Equatable {
        let id: ProviderKeyID
        let tenant: TenantID
        let provider: ProviderName
        let counter: UInt32
        let origin: Origin
        /// The vault's unlocked period in which it was opened.
        let generation: UInt64

        @inline(__always)
        init(key: ProviderKeyRecord, origin: Origin, generation: UInt64) {
            id = key.id
            tenant = key.tenant
            provider = key.provider
            counter = key.counter
            self.origin = origin
            self.generation = generation
        }
    }

    /// A class: each call finds one and changes it where it stands.
    private final class Entry {
        let place: Place
        let secret: HeldSecret
        let opened: Instant
        var used: Instant
        /// How often it was lent since that was last asked for.
        var lent = 0

        init(place: Place, secret: HeldSecret, opened: Instant) {
            self.place = place
            self.secret = secret
            self.opened = opened
            used = opened
        }

        func isOver(at now: Instant) -> Bool { now - used >= idleMax || now - opened >= ageMax }
    }

    private var entries: [ProviderKeyID: Entry] = [:]
    /// Of keys that are held no more, or were never. Bounded by the number of stored provider keys: only a key that opened
    /// is counted.
    private var uses: [ProviderKeyID: Int] = [:]
    /// Counts droppings, so that a key opened while it was being dropped is not put back.
    private(set) var drops = 0
    /// Revoked keys, never held again; their number is bounded by that of revocations since the start.
    private var retired: Set<ProviderKeyID> = []

    var count: Int { entries.count }

    mutating func find(_ place: Place, at now: Instant) -> HeldSecret? {
        guard let entry = entries[place.id] else { return nil }
        guard entry.place == place, !entry.isOver(at: now) else {
            remove(place.id)
            return nil
        }
        entry.used = now
        entry.lent += 1
        return entry.secret
    }

    mutating func put(_ secret: HeldSecret, at place: Place, now: Instant, unlessDroppedSince seen: Int) {
        uses[place.id, default: 0] += 1
        guard drops == seen, !retired.contains(place.id) else { return }
        if entries.count >= Self.countMax, entries[place.id] == nil { makeRoom(at: now) }
        remove(place.id)
        entries[place.id] = Entry(place: place, secret: secret, opened: now)
    }

    mutating func drop(_ key: ProviderKeyID) {
        drops += 1
        remove(key)
    }

    /// What it was lent for stays counted.
    private mutating func remove(_ key: ProviderKeyID) {
        guard let entry = entries.removeValue(forKey: key), entry.lent > 0 else { return }
        uses[key, default: 0] += entry.lent
    }

    mutating func retire(_ key: ProviderKeyID) {
        drop(key)
        retired.insert(key)
    }

    mutating func dropAll() {
        drops += 1
        for key in Array(entries.keys) { remove(key) }
    }

    mutating func expire(at now: Instant) {
        for (key, entry) in entries where entry.isOver(at: now) { remove(key) }
    }

    mutating func takeUses() -> [ProviderKeyID: Int] {
        var taken = uses
        uses = [:]
        for (key, entry) in entries where entry.lent > 0 {
            taken[key, default: 0] += entry.lent
            entry.lent = 0
        }
        return taken
    }

    /// Forgets what is over, or else the key that was idle longest.
    private mutating func makeRoom(at now: Instant) {
        expire(at: now)
        guard entries.count >= Self.countMax else { return }
        guard let idlest = entries.min(by: { $0.value.used < $1.value.used }) else { return }
        remove(idlest.key)
    }
}

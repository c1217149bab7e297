import Domain

/// What was last seen of provider keys: times and headroom, for screens; no decision goes by it.
struct CredentialHistory: Sendable {
    /// What was last seen of one key.
    struct Record: Sendable {
        var lastAnswered: Instant?
        var lastRefused: Instant?
        var lastLimited: Instant?
        /// The model heard of last stands at the end.
        var headrooms: [CredentialFacts.Headroom] = []
        var lastUsed: Instant
    }

    /// Models whose headroom is remembered for one key.
    static var modelsMax: Int { 8 }

    private let capacity: Int
    private(set) var records: [ProviderKeyID: Record] = [:]

    /// - Parameter capacity: keys remembered; past it those not seen for longest are forgotten.
    init(capacity: Int) { self.capacity = max(1, capacity) }

    mutating func note(_ mark: CredentialMark, on key: ProviderKeyID, at now: Instant) {
        update(key, at: now) { record in
            switch mark {
            case .ok: record.lastAnswered = now
            case .cooling, .exhausted: record.lastLimited = now
            case .suspect, .rejected: record.lastRefused = now
            case .deniedForModel: break
            }
        }
    }

    mutating func hear(_ headroom: KeyHeadroom, of key: ProviderKeyID, for model: ModelName, at now: Instant)
    {
        update(key, at: now) { record in
            if let place = record.headrooms.firstIndex(where: { $0.model == model }) {
                // Answers race; what was heard later holds.
                guard record.headrooms[place].heardAt <= now else { return }
                record.headrooms.remove(at: place)
            } else if record.headrooms.count >= Self.modelsMax {
                record.headrooms.removeFirst()
            }
            record.headrooms.append(.init(model: model, headroom: headroom, heardAt: now))
        }
    }

    mutating func forget(_ key: ProviderKeyID) { records[key] = nil }

    /// What was heard of one model's limits, while it still says something.
    func headroom(of key: ProviderKeyID, for model: ModelName, at now: Instant) -> KeyHeadroom? {
        records[key]?.headrooms(at: now).first { $0.model == model }?.headroom
    }

    private mutating func update(_ key: ProviderKeyID, at now: Instant, _ change: (inout Record) -> Void) {
        if records.count >= capacity, records[key] == nil { makeRoom() }
        records[key, default: Record(lastUsed: now)].change(at: now, change)
    }

    /// Drops an eighth, so that the search is paid once in many insertions.
    private mutating func makeRoom() {
        let byUse = records.map { (key: $0.key, used: $0.value.lastUsed) }.sorted { $0.used < $1.used }
        for entry in byUse.prefix(max(1, capacity / 8)) { records[entry.key] = nil }
    }
}

extension CredentialHistory.Record {
    fileprivate mutating func change(at now: Instant, _ change: (inout Self) -> Void) {
        lastUsed = max(lastUsed, now)
        change(&self)
    }

    /// Those whose limits are not whole again yet.
    func headrooms(at now: Instant) -> [CredentialFacts.Headroom] {
        headrooms.filter { heard in heard.headroom.resetsAt.map { now < $0 } ?? true }
    }
}

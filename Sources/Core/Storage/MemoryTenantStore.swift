public import Domain
import Locking

/// Tenants' stores that live as long as the process: for tests and for the demonstration.
public final class MemoryTenantStores: TenantStores {
    private let stores = Locked<[TenantID: (vault: VaultID, store: MemoryTenantStore)]>([:])
    private let removed = Locked<Set<TenantID>>([])

    public init() {}

    public func create(_ tenant: TenantID, vault: VaultID) async throws {
        try stores.withLock { stores in
            if let existing = stores[tenant] {
                guard existing.vault == vault else { throw StorageFailure.otherVault(tenant) }
                return
            }
            stores[tenant] = (vault, MemoryTenantStore(tenant: tenant))
        }
    }

    public func store(for tenant: TenantID) async throws -> any TenantStore {
        guard !removed.withLock({ $0.contains(tenant) }) else { throw StorageFailure.shredded(tenant) }
        guard let entry = stores.withLock({ $0[tenant] }) else {
            throw StorageFailure.notFound("the storage of tenant \(tenant)")
        }
        return entry.store
    }

    public func remove(_ tenant: TenantID) async throws {
        _ = removed.withLock { $0.insert(tenant) }
        stores.withLock { $0[tenant] = nil }
    }
}

/// One tenant's provider keys and ledger, in memory.
public final class MemoryTenantStore: TenantStore {
    public let tenant: TenantID
    private let state = Locked(State())

    public init(tenant: TenantID) { self.tenant = tenant }

    public func providerKeys() async throws -> [ProviderKeyRecord] {
        state.withLock { $0.keys.values.sorted { ($0.created, $0.id) < ($1.created, $1.id) } }
    }

    public func providerKeys(
        after last: ProviderKeyID?, limit: Int
    ) async throws -> [ProviderKeyRecord] {
        let keys = state.withLock { $0.keys.values.sorted { $0.id < $1.id } }
        return Array(keys.drop { key in last.map { key.id <= $0 } ?? false }.prefix(max(0, limit)))
    }

    public func insertProviderKey(_ key: ProviderKeyRecord, audit: AuditDraft) async throws {
        try change { state in
            guard key.tenant == tenant else {
                throw StorageFailure.otherTenant("provider key \(key.label)", tenant)
            }
            guard state.keys[key.id] == nil else {
                throw StorageFailure.alreadyThere("provider key \(key.label)")
            }
            state.keys[key.id] = key
            try state.post(audit)
        }
    }

    public func rotateProviderKey(
        _ ending: ProviderKeyChange, with successor: ProviderKeyRecord, audit: AuditDraft
    ) async throws {
        try change { state in
            try replace(ending, in: &state)
            guard successor.tenant == tenant else {
                throw StorageFailure.otherTenant("provider key \(successor.label)", tenant)
            }
            guard state.keys[successor.id] == nil else {
                throw StorageFailure.alreadyThere("provider key \(successor.label)")
            }
            state.keys[successor.id] = successor
            try state.post(audit)
        }
    }

    public func replaceProviderKeys(_ changes: [ProviderKeyChange], audit: AuditDraft?) async throws {
        try change { state in
            for change in changes { try replace(change, in: &state) }
            if let audit { try state.post(audit) }
        }
    }

    private func replace(_ change: ProviderKeyChange, in state: inout State) throws {
        let row = change.row
        guard row.tenant == tenant else {
            throw StorageFailure.otherTenant("provider key \(row.label)", tenant)
        }
        guard let stored = state.keys[row.id] else {
            throw StorageFailure.notFound("provider key \(row.label)")
        }
        guard stored.counter == change.ifCounter, stored.state == change.ifState ?? stored.state else {
            throw StorageFailure.stale("provider key \(row.label)")
        }
        state.keys[row.id] = row
    }

    public func auditOutbox() async throws -> [AuditDraft] { state.withLock(\.outbox) }

    public func clearAuditOutbox(_ ids: [AuditID]) async throws {
        let gone = Set(ids)
        state.withLock { $0.outbox.removeAll { gone.contains($0.id) } }
    }

    public func appendUsage(_ rows: [LedgerRow]) async throws {
        try change { state in
            for row in rows {
                guard row.tenant == tenant else {
                    throw StorageFailure.otherTenant("the ledger row of call \(row.call)", tenant)
                }
                if state.calls.insert(row.call).inserted { state.ledger.append(row) }
            }
        }
    }

    public func usage(since: WallTime, until: WallTime, limit: Int) async throws -> [LedgerRow] {
        Array(rows(since, until).sorted { ($0.at, $0.call) > ($1.at, $1.call) }.prefix(max(0, limit)))
    }

    public func usageReport(
        since: WallTime, until: WallTime, by: [UsageDimension]
    ) async throws -> [UsageSum] {
        UsageSum.sums(of: rows(since, until), by: by)
    }

    private func rows(_ since: WallTime, _ until: WallTime) -> [LedgerRow] {
        state.withLock { $0.ledger.filter { $0.at >= since && $0.at < until } }
    }

    /// One transaction: all of the change or nothing.
    private func change(_ body: (inout State) throws -> Void) throws {
        try state.withLock { state in
            var next = state
            try body(&next)
            state = next
        }
    }

    private struct State {
        var keys: [ProviderKeyID: ProviderKeyRecord] = [:]
        var outbox: [AuditDraft] = []
        var ledger: [LedgerRow] = []
        var calls: Set<CallID> = []

        mutating func post(_ draft: AuditDraft) throws {
            guard !outbox.contains(where: { $0.id == draft.id }) else { throw StorageFailure.chained(draft) }
            outbox.append(AuditChain.storable(draft))
        }
    }
}

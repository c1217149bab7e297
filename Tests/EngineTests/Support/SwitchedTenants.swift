import Domain
import Storage
import Synchronization

/// Tenants' stores in memory whose writes a test can make fail, whole transactions at a time.
final class SwitchedTenants: TenantStores {
    private let inner = MemoryTenantStores()
    private let isBroken = Switch()

    func fail(_ broken: Bool) { isBroken.set(broken) }

    func create(_ tenant: TenantID, vault: VaultID) async throws {
        try isBroken.check()
        try await inner.create(tenant, vault: vault)
    }

    func remove(_ tenant: TenantID) async throws {
        try isBroken.check()
        try await inner.remove(tenant)
    }

    func store(for tenant: TenantID) async throws -> any TenantStore {
        SwitchedTenant(inner: try await inner.store(for: tenant), isBroken: isBroken)
    }
}

private final class Switch: Sendable {
    private let state = Mutex(false)

    func set(_ broken: Bool) { state.withLock { $0 = broken } }

    func check() throws {
        if state.withLock({ $0 }) { throw StorageFailure.unavailable("the disk is full") }
    }
}

private struct SwitchedTenant: TenantStore {
    let inner: any TenantStore
    let isBroken: Switch

    var tenant: TenantID { inner.tenant }

    func providerKeys() async throws -> [ProviderKeyRecord] { try await inner.providerKeys() }

    func providerKeys(after last: ProviderKeyID?, limit: Int) async throws -> [ProviderKeyRecord] {
        try await inner.providerKeys(after: last, limit: limit)
    }

    func insertProviderKey(_ key: ProviderKeyRecord, audit: AuditDraft) async throws {
        try isBroken.check()
        try await inner.insertProviderKey(key, audit: audit)
    }

    func rotateProviderKey(
        _ ending: ProviderKeyChange, with successor: ProviderKeyRecord, audit: AuditDraft
    ) async throws {
        try isBroken.check()
        try await inner.rotateProviderKey(ending, with: successor, audit: audit)
    }

    func replaceProviderKeys(_ changes: [ProviderKeyChange], audit: AuditDraft?) async throws {
        try isBroken.check()
        try await inner.replaceProviderKeys(changes, audit: audit)
    }

    func auditOutbox() async throws -> [AuditDraft] { try await inner.auditOutbox() }

    func clearAuditOutbox(_ ids: [AuditID]) async throws {
        try isBroken.check()
        try await inner.clearAuditOutbox(ids)
    }

    func appendUsage(_ rows: [LedgerRow]) async throws { try await inner.appendUsage(rows) }

    func usage(since: WallTime, until: WallTime, limit: Int) async throws -> [LedgerRow] {
        try await inner.usage(since: since, until: until, limit: limit)
    }

    func usageReport(
        since: WallTime, until: WallTime, by: [UsageDimension]
    ) async throws -> [UsageSum] {
        try await inner.usageReport(since: since, until: until, by: by)
    }
}

public import Domain

/// One tenant's own schema: its provider keys and its usage ledger.
///
/// A store is made for one tenant and takes none in its verbs: it cannot name another's rows.
public protocol TenantStore: Sendable {
    var tenant: TenantID { get }

    func providerKeys() async throws -> [ProviderKeyRecord]
    /// At most `limit` of them in the order of their ids, from the one after `last` on.
    func providerKeys(after last: ProviderKeyID?, limit: Int) async throws -> [ProviderKeyRecord]
    /// Inserts the key and its audit draft in one transaction; the draft waits in the outbox until it is chained.
    func insertProviderKey(_ key: ProviderKeyRecord, audit: AuditDraft) async throws
    /// Inserts a successor and ends its predecessor, together or not at all.
    func rotateProviderKey(
        _ ending: ProviderKeyChange, with successor: ProviderKeyRecord, audit: AuditDraft) async throws
    /// Replaces rows that still have the counter and state they were read with; all or none. Else `.stale`.
    func replaceProviderKeys(_ changes: [ProviderKeyChange], audit: AuditDraft?) async throws

    /// Audit drafts that were written with a change and are not yet chained in the control schema, oldest first.
    func auditOutbox() async throws -> [AuditDraft]
    func clearAuditOutbox(_ ids: [AuditID]) async throws

    /// Appends rows in one transaction. A call id that is already there is skipped: appending twice counts once.
    func appendUsage(_ rows: [LedgerRow]) async throws
    /// Newest first.
    func usage(since: WallTime, until: WallTime, limit: Int) async throws -> [LedgerRow]
    /// Sums by the given keys over [since, until), computed by the database.
    func usageReport(since: WallTime, until: WallTime, by: [UsageDimension]) async throws -> [UsageSum]
}

/// One compare-and-swap on a provider key's row.
public struct ProviderKeyChange: Sendable, Equatable {
    public let row: ProviderKeyRecord
    public let ifCounter: UInt32
    /// nil = in whatever state it is.
    public let ifState: ProviderKeyState?
    public init(row: ProviderKeyRecord, ifCounter: UInt32, ifState: ProviderKeyState? = nil) {
        self.row = row
        self.ifCounter = ifCounter
        self.ifState = ifState
    }
}

/// What a usage report can be grouped by, besides the tenant.
public enum UsageDimension: String, Sendable, Codable, CaseIterable {
    case user, team, model, provider, key, tag
    case virtualKey = "token"
}

/// One line of a usage report.
public struct UsageSum: Sendable, Equatable, Codable {
    /// Values in the order of the dimensions asked for.
    public var keys: [String]
    public var calls: Int64
    public var failed: Int64
    public var usage: Usage
    /// Sum of the known costs.
    public var cost: Money
    /// Calls whose price is not known: their cost is in no sum.
    public var unpriced: Int64
    public var saved: Money

    public init(
        keys: [String], calls: Int64, failed: Int64, usage: Usage, cost: Money, unpriced: Int64, saved: Money
    ) {
        self.keys = keys
        self.calls = calls
        self.failed = failed
        self.usage = usage
        self.cost = cost
        self.unpriced = unpriced
        self.saved = saved
    }
}

/// Opens tenants' stores; keeps a bounded number of them open.
public protocol TenantStores: Sendable {
    /// Makes the schema of a new tenant; making it twice is harmless.
    func create(_ tenant: TenantID, vault: VaultID) async throws
    /// `.notFound` when the tenant has no schema.
    func store(for tenant: TenantID) async throws -> any TenantStore
    /// Appends rows to a tenant's ledger, as the tenant's store does; once this returns they are there for every reader.
    /// Stores that bound what is open need not open the tenant's own for it.
    func appendUsage(_ rows: [LedgerRow], of tenant: TenantID) async throws
    /// Removes a tenant's storage for good; removing it twice is harmless. From then on `store` throws `.shredded`.
    func remove(_ tenant: TenantID) async throws
}

extension TenantStores {
    public func appendUsage(_ rows: [LedgerRow], of tenant: TenantID) async throws {
        try await store(for: tenant).appendUsage(rows)
    }
}

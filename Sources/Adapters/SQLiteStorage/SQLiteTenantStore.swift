public import Domain
import Foundation
import GRDB
public import Storage

/// One tenant's provider keys and ledger in the tenant's own SQLite file.
///
/// Made for one tenant; every verb runs on that tenant's file and can name no other.
public struct SQLiteTenantStore: TenantStore {
    public let tenant: TenantID
    private let stores: SQLiteTenantStores

    init(tenant: TenantID, stores: SQLiteTenantStores) {
        self.tenant = tenant
        self.stores = stores
    }

    public func providerKeys() async throws -> [ProviderKeyRecord] {
        try await stores.file(of: tenant).read { [tenant] database in
            try Row.fetchAll(database, sql: "SELECT * FROM provider_keys ORDER BY created, id")
                .map { try ProviderKeyRecord($0, tenant: tenant) }
        }
    }

    public func providerKeys(
        after last: ProviderKeyID?, limit: Int
    ) async throws -> [ProviderKeyRecord] {
        try await stores.file(of: tenant).read { [tenant] database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM provider_keys WHERE id > ? ORDER BY id LIMIT ?",
                arguments: [last?.blob ?? Data(), max(0, limit)]
            ).map { try ProviderKeyRecord($0, tenant: tenant) }
        }
    }

    public func insertProviderKey(_ key: ProviderKeyRecord, audit: AuditDraft) async throws {
        try check(key)
        try await stores.file(of: tenant).write { database in
            guard try !database.has("SELECT 1 FROM provider_keys WHERE id = ?", [key.id.blob]) else {
                throw StorageFailure.alreadyThere("provider key \(key.label)")
            }
            try key.insert(into: database)
            try audit.post(in: database)
        }
    }

    public func rotateProviderKey(
        _ ending: ProviderKeyChange, with successor: ProviderKeyRecord, audit: AuditDraft
    ) async throws {
        try check(ending.row)
        try check(successor)
        try await stores.file(of: tenant).write { database in
            try ending.apply(to: database)
            guard try !database.has("SELECT 1 FROM provider_keys WHERE id = ?", [successor.id.blob]) else {
                throw StorageFailure.alreadyThere("provider key \(successor.label)")
            }
            try successor.insert(into: database)
            try audit.post(in: database)
        }
    }

    public func replaceProviderKeys(_ changes: [ProviderKeyChange], audit: AuditDraft?) async throws {
        for change in changes { try check(change.row) }
        let file = try await stores.file(of: tenant)
        try await file.write { database in
            for change in changes { try change.apply(to: database) }
            try audit?.post(in: database)
        }
        // A revoked key's sealed record is gone from the file; this takes it out of the log too.
        if changes.contains(where: { $0.row.state == .revoked }) { await file.emptyLog() }
    }

    public func auditOutbox() async throws -> [AuditDraft] {
        try await stores.file(of: tenant).read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM audit_outbox ORDER BY position").map(
                AuditDraft.init)
        }
    }

    public func clearAuditOutbox(_ ids: [AuditID]) async throws {
        try await stores.file(of: tenant).write { database in
            for id in ids {
                try database.execute(sql: "DELETE FROM audit_outbox WHERE id = ?", arguments: [id.blob])
            }
        }
    }

    public func appendUsage(_ rows: [LedgerRow]) async throws {
        for row in rows where row.tenant != tenant {
            throw StorageFailure.otherTenant("the ledger row of call \(row.call)", tenant)
        }
        // Those that were parked go first, while the file is open anyway.
        try await stores.ledger(of: tenant).write { try LedgerRow.append(rows, to: $0) }
    }

    public func usage(since: WallTime, until: WallTime, limit: Int) async throws -> [LedgerRow] {
        try await stores.ledger(of: tenant).read { [tenant] database in
            try Row.fetchAll(
                database,
                sql: "SELECT * FROM usage WHERE at >= ? AND at < ? ORDER BY at DESC, call DESC LIMIT ?",
                arguments: [since.milliseconds, until.milliseconds, max(0, limit)]
            ).map { try LedgerRow($0, tenant: tenant) }
        }
    }

    public func usageReport(
        since: WallTime, until: WallTime, by: [UsageDimension]
    ) async throws -> [UsageSum] {
        try await stores.ledger(of: tenant).read { database in
            try UsageSum.report(since: since, until: until, by: by, in: database)
        }
    }

    private func check(_ key: ProviderKeyRecord) throws {
        guard key.tenant == tenant else {
            throw StorageFailure.otherTenant("provider key \(key.label)", tenant)
        }
    }
}

extension ProviderKeyChange {
    /// Overwrites the row if it still is what it was when it was read.
    fileprivate func apply(to database: Database) throws {
        let stored = try Row.fetchOne(
            database, sql: "SELECT counter, state FROM provider_keys WHERE id = ?", arguments: [row.id.blob])
        guard let stored else { throw StorageFailure.notFound("provider key \(row.label)") }
        let state: String = try stored.value("state")
        guard try stored.value("counter") == ifCounter, ifState.map({ $0.rawValue == state }) ?? true else {
            throw StorageFailure.stale("provider key \(row.label)")
        }
        try row.update(in: database)
    }
}

extension AuditDraft {
    /// Puts the draft into the outbox, in the transaction of the change that it tells of.
    fileprivate func post(in database: Database) throws {
        guard try !database.has("SELECT 1 FROM audit_outbox WHERE id = ?", [id.blob]) else {
            throw StorageFailure.chained(self)
        }
        try database.execute(
            sql: """
                INSERT INTO audit_outbox (\(AuditDraft.columns))
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: StatementArguments(AuditChain.storable(self).columnValues))
    }
}

extension ProviderKeyRecord {
    fileprivate init(_ row: Row, tenant: TenantID) throws {
        self.init(
            id: try row.id("id"), tenant: tenant, provider: try row.name("provider"),
            label: try row.name("label"), state: try row.choice("state"),
            fingerprint: try row.value("fingerprint"), sealed: try row.bytes("sealed"),
            counter: try row.value("counter"), created: try row.time("created"),
            drainEnds: try row.optionalTime("drain_ends"), predecessor: try row.optionalID("predecessor"),
            verdict: try row.choice("verdict"), verdictAt: try row.optionalTime("verdict_at"),
            weight: try row.optional("weight"), models: try row.models(), canary: try KeyCanary(row))
    }

    fileprivate func insert(into database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO provider_keys
                    (provider, label, state, fingerprint, sealed, counter, created, drain_ends, predecessor,
                     verdict, verdict_at, weight, models, canary_percent, canary_ends, canary_drain, id)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: StatementArguments(columnValues))
    }

    fileprivate func update(in database: Database) throws {
        try database.execute(
            sql: """
                UPDATE provider_keys SET provider = ?, label = ?, state = ?, fingerprint = ?, sealed = ?,
                    counter = ?, created = ?, drain_ends = ?, predecessor = ?, verdict = ?, verdict_at = ?,
                    weight = ?, models = ?, canary_percent = ?, canary_ends = ?, canary_drain = ?
                WHERE id = ?
                """,
            arguments: StatementArguments(columnValues))
    }

    private var columnValues: [(any DatabaseValueConvertible)?] {
        [
            provider.text, label.text, state.rawValue, fingerprint, Data(sealed), counter,
            created.milliseconds, drainEnds?.milliseconds, predecessor?.blob, verdict.rawValue,
            verdictAt?.milliseconds, weight, models.map(\.text).joined(separator: " "), canary?.percent,
            canary?.ends.milliseconds, canary?.drainSeconds, id.blob,
        ]
    }
}

extension KeyCanary {
    /// nil where the row tells of no trial.
    fileprivate init?(_ row: Row) throws {
        guard let percent: Int = try row.optional("canary_percent"),
            let ends = try row.optionalTime("canary_ends")
        else { return nil }
        self.init(percent: percent, ends: ends, drainSeconds: try row.optional("canary_drain") ?? 0)
    }
}

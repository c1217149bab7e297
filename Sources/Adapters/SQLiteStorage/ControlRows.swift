import Domain
import Foundation
import GRDB
import Storage

// The records of the control database as rows, both ways.

extension Database {
    func has(_ sql: String, _ arguments: StatementArguments) throws -> Bool {
        try Row.fetchOne(self, sql: sql, arguments: arguments) != nil
    }
}

extension AuditSigner {
    static let columns = "audit_log, audit_public, audit_secret"

    static func values(_ signer: Self?) -> StatementArguments {
        [signer?.log.blob, Data(signer?.publicKey ?? []), Data(signer?.sealed ?? [])]
    }

    static func stored(in row: Row) throws -> Self? {
        guard let log: AuditLogID = try row.optionalID("audit_log") else { return nil }
        return Self(log: log, publicKey: try row.bytes("audit_public"), sealed: try row.bytes("audit_secret"))
    }
}

extension VaultRecord {
    static func stored(in database: Database) throws -> VaultRecord? {
        guard let row = try Row.fetchOne(database, sql: "SELECT * FROM vault") else { return nil }
        return VaultRecord(
            id: try row.id("id"), created: try row.time("created"),
            slots: try Row.fetchAll(database, sql: "SELECT * FROM vault_slots ORDER BY position")
                .map(VaultSlot.init),
            rootVersion: try row.value("root_version"), keyCheck: try row.bytes("key_check"),
            epoch: try row.value("epoch"), ring: try row.bytes("ring"),
            previousRoot: try row.bytes("previous_root"), rowsCoded: try row.value("rows_coded"),
            auditSigner: try AuditSigner.stored(in: row))
    }

    func insert(into database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO vault
                    (one, id, created, root_version, key_check, epoch, ring, previous_root, rows_coded,
                    \(AuditSigner.columns))
                VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                id.blob, created.milliseconds, rootVersion, Data(keyCheck), epoch, Data(ring),
                Data(previousRoot), rowsCoded,
            ] + AuditSigner.values(auditSigner))
        try insertSlots(into: database)
    }

    /// Takes the place of the record with the epoch before.
    func replaceStored(in database: Database) throws {
        guard let stored = try VaultRecord.stored(in: database), stored.id == id, stored.epoch < epoch,
            stored.epoch == epoch - 1
        else { throw StorageFailure.vaultChanged }
        try database.execute(
            sql: """
                UPDATE vault SET root_version = ?, key_check = ?, epoch = ?, ring = ?, previous_root = ?,
                    rows_coded = ?, (\(AuditSigner.columns)) = (?, ?, ?)
                """,
            arguments: [rootVersion, Data(keyCheck), epoch, Data(ring), Data(previousRoot), rowsCoded]
                + AuditSigner.values(auditSigner))
        guard stored.slots != slots else { return }
        try database.execute(sql: "DELETE FROM vault_slots")
        try insertSlots(into: database)
    }

    private func insertSlots(into database: Database) throws {
        for (position, slot) in slots.enumerated() {
            try database.execute(
                sql: """
                    INSERT INTO vault_slots
                        (position, id, kind, scrypt_n, salt, root_version, sealed_root, created,
                         outside_name, outside_sealed)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    position, slot.id.blob, slot.kind.rawValue, Int64(clamping: slot.scryptN),
                    Data(slot.salt), slot.rootVersion, Data(slot.sealedRoot), slot.created.milliseconds,
                    slot.outside?.name, slot.outside.map { Data($0.sealed) },
                ])
        }
    }
}

extension VaultSlot {
    init(_ row: Row) throws {
        self.init(
            id: try row.id("id"), kind: try row.choice("kind"), scryptN: try row.value("scrypt_n"),
            salt: try row.bytes("salt"), rootVersion: try row.value("root_version"),
            sealedRoot: try row.bytes("sealed_root"), created: try row.time("created"),
            outside: try OutsideKey(row))
    }
}

extension OutsideKey {
    /// nil where the slot's key is kept by nobody else; a name alone is a damaged row.
    init?(_ row: Row) throws {
        guard let name: String = try row.optional("outside_name") else { return nil }
        self.init(name: name, sealed: try row.bytes("outside_sealed"))
    }
}

extension TenantRecord {
    init(_ row: Row) throws {
        self.init(
            id: try row.id("id"), name: try row.name("name"), status: try row.choice("status"),
            limits: try row.limits(), cacheEnabled: try row.value("cache_enabled"),
            usesPlatformKeys: try row.value("platform_keys"), created: try row.time("created"))
    }

    static func stored(_ id: TenantID, in database: Database) throws -> TenantRecord? {
        try Row.fetchOne(database, sql: "SELECT * FROM tenants WHERE id = ?", arguments: [id.blob])
            .map(TenantRecord.init)
    }

    func insert(into database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO tenants
                    (id, name, status, requests_per_minute, tokens_per_minute, parallel, cache_enabled, created,
                     platform_keys)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                id.blob, name.text, status.rawValue, limits.requestsPerMinute, limits.tokensPerMinute,
                limits.parallel, cacheEnabled, created.milliseconds, usesPlatformKeys,
            ])
    }

    func update(in database: Database) throws {
        try database.execute(
            sql: """
                UPDATE tenants SET status = ?, requests_per_minute = ?, tokens_per_minute = ?, parallel = ?,
                    cache_enabled = ?, platform_keys = ?
                WHERE id = ?
                """,
            arguments: [
                status.rawValue, limits.requestsPerMinute, limits.tokensPerMinute, limits.parallel,
                cacheEnabled, usesPlatformKeys, id.blob,
            ])
    }
}

extension WrappedTenantKey {
    init(_ row: Row) throws {
        self.init(
            tenant: try row.id("tenant"), version: try row.value("version"), state: try row.choice("state"),
            rootVersion: try row.value("root_version"), wrapped: try row.bytes("wrapped"),
            created: try row.time("created"), sealings: try row.value("sealings"))
    }

    /// Inserts a version, or replaces what may change of one that is there.
    func put(into database: Database) throws {
        guard try TenantRecord.stored(tenant, in: database) != nil else {
            throw StorageFailure.notFound("tenant \(tenant)")
        }
        try database.execute(
            sql: """
                INSERT INTO tenant_keys (tenant, version, state, root_version, wrapped, created, sealings)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (tenant, version) DO UPDATE SET state = excluded.state,
                    root_version = excluded.root_version, wrapped = excluded.wrapped,
                    sealings = excluded.sealings
                """,
            arguments: [
                tenant.blob, version, state.rawValue, rootVersion, Data(wrapped), created.milliseconds,
                sealings,
            ])
    }
}

extension VirtualKeyRecord {
    init(_ row: Row) throws {
        self.init(
            id: try row.id("id"), tenant: try row.id("tenant"), name: try row.name("name"),
            hash: try row.bytes("hash"), user: try row.optionalName("user_name"),
            team: try row.optionalName("team"),
            models: try row.models(),
            limits: try row.limits(), created: try row.time("created"),
            expires: try row.optionalTime("expires"), revoked: try row.optionalTime("revoked"),
            successor: try row.optionalID("successor"), callClass: try row.choice("class"))
    }

    /// Inserts a key that must not be there yet.
    func addNew(to database: Database) throws {
        guard try TenantRecord.stored(tenant, in: database) != nil else {
            throw StorageFailure.notFound("tenant \(tenant)")
        }
        guard
            try !database.has(
                "SELECT 1 FROM virtual_keys WHERE id = ? OR hash = ?", [id.blob, Data(hash)])
        else { throw StorageFailure.alreadyThere("virtual key \(name)") }
        try database.execute(
            sql: """
                INSERT INTO virtual_keys
                    (id, tenant, name, hash, created, user_name, team, models, requests_per_minute,
                     tokens_per_minute, parallel, expires, revoked, successor, class)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: StatementArguments(
                [id.blob, tenant.blob, name.text, Data(hash), created.milliseconds] + changeable))
    }

    /// Replaces what may change of a key that must be there.
    func replaceStored(in database: Database) throws {
        let row = try Row.fetchOne(
            database, sql: "SELECT * FROM virtual_keys WHERE id = ?", arguments: [id.blob])
        guard let stored = try row.map(VirtualKeyRecord.init) else {
            throw StorageFailure.notFound("virtual key \(name)")
        }
        guard stored.tenant == tenant, stored.hash == hash, stored.name == name, stored.created == created
        else {
            throw StorageFailure.fixed("the identity of virtual key \(stored.name)")
        }
        try database.execute(
            sql: """
                UPDATE virtual_keys SET user_name = ?, team = ?, models = ?, requests_per_minute = ?,
                    tokens_per_minute = ?, parallel = ?, expires = ?, revoked = ?, successor = ?, class = ?
                WHERE id = ?
                """,
            arguments: StatementArguments(changeable + [id.blob]))
    }

    private var changeable: [(any DatabaseValueConvertible)?] {
        [
            user?.text, team?.text, models.map(\.text).joined(separator: " "), limits.requestsPerMinute,
            limits.tokensPerMinute, limits.parallel, expires?.milliseconds, revoked?.milliseconds,
            successor?.blob, callClass.rawValue,
        ]
    }
}

extension BreakerHold {
    static func withTarget(_ row: Row) throws -> (Target, BreakerHold) {
        let hold = BreakerHold(
            mode: try row.choice("mode"), owner: try row.value("owner"), reason: try row.value("reason"),
            since: try row.time("since"), ends: try row.time("ends"))
        return (Target(provider: try row.name("provider"), model: try row.name("model")), hold)
    }

    func insert(for target: Target, into database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO holds (provider, model, mode, owner, reason, since, ends)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                target.provider.text, target.model.text, mode.rawValue, owner, reason, since.milliseconds,
                ends.milliseconds,
            ])
    }
}

extension LimitRecord {
    init(_ row: Row) throws {
        let kind: OwnerKind = try row.choice("owner_kind")
        let owner: LimitOwner =
            switch kind {
            case .team: .team(try row.name("owner"))
            case .user: .user(try row.name("owner"))
            case .providerKey: .providerKey(try row.textID("owner"))
            }
        self.init(tenant: try row.id("tenant"), owner: owner, limits: try row.limits())
    }

    func replace(in database: Database) throws {
        guard let (kind, name) = ownerColumns else { return }
        try database.execute(
            sql: "DELETE FROM limits WHERE tenant = ? AND owner_kind = ? AND owner = ?",
            arguments: [tenant.blob, kind.rawValue, name])
        guard !limits.isEmpty else { return }
        try database.execute(
            sql: """
                INSERT INTO limits
                    (tenant, owner_kind, owner, requests_per_minute, tokens_per_minute, parallel)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                tenant.blob, kind.rawValue, name, limits.requestsPerMinute, limits.tokensPerMinute,
                limits.parallel,
            ])
    }

    private enum OwnerKind: String {
        case team, user
        case providerKey = "provider_key"
    }

    /// The row's primary key.
    var place: StatementArguments {
        [tenant.blob, ownerColumns?.0.rawValue ?? "", ownerColumns?.1 ?? ""]
    }

    private var ownerColumns: (OwnerKind, String)? {
        switch owner {
        case .team(let name): (.team, name.text)
        case .user(let name): (.user, name.text)
        case .providerKey(let id): (.providerKey, id.text)
        case .tenant, .virtualKey: nil
        }
    }
}

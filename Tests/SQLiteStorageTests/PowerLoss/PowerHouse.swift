import Domain
import Foundation
import PowerKit
import SQLiteStorage
import Storage
import TestKit

/// Storage at work in a watched folder, and what it had acknowledged after each verb.
struct PowerHouse {
    /// What has to be there.
    struct Promised: Sendable {
        var tenants: Set<TenantID> = []
        var virtualKeys: Set<VirtualKeyID> = []
        /// By key, with the state it has to have at least: revoked is for ever.
        var providerKeys: [ProviderKeyID: ProviderKeyState] = [:]
        var audit: [AuditID] = []
        /// Records that stand beside a tenant's change until they are chained.
        var outbox: Set<AuditID> = []
        var calls: Set<CallID> = []
        var epoch: UInt32 = 0
    }

    let folder = StorageFolder()
    let files: PowerFiles
    private(set) var promised: [Promised] = [Promised()]
    private var tenants: [TenantID] = []

    init() throws { files = PowerFiles(watching: try folder.data().path) }

    /// Tenants, keys, rotations of the vault, ledger rows and audit records, in an order that the numbers choose. With
    /// `limit` 1, most rows are parked, and move when something else opens their tenant's file.
    mutating func work(_ verbs: Int, _ random: inout SplitMix, limit: Int = 256) async throws {
        var control = try folder.controlStore()
        var stores = try folder.tenantStores(limit: limit)
        let first = draft()
        try await control.createVault(Samples.vault(), audit: first)
        acknowledge { $0.audit.append(first.id) }
        try await addTenant(control, stores, verbs)
        for number in 0..<verbs {
            switch Int.random(in: 0..<16, using: &random) {
            case 0, 15: try await addTenant(control, stores, number)
            case 1...3: try await addKey(stores, &random, number)
            case 4: try await revokeKey(stores, &random)
            case 5, 6: try await changeVault(control)
            case 7, 8: try await issue(control, &random, number)
            case 9...13: try await settle(stores, &random)
            case 14 where number % 5 == 0:
                // A start in between, with all that closing and opening write.
                try await stores.close()
                try control.close()
                control = try folder.controlStore()
                stores = try folder.tenantStores(limit: limit)
            default: try await note(control)
            }
        }
        try await stores.close()
        try control.close()
    }

    private func draft() -> AuditDraft { Samples.draft() }

    /// Looks at files as they were left: sentences on what was promised and is not there.
    static func missing(of promised: Promised, in files: [String: [UInt8]]) async throws -> [String] {
        let folder = StorageFolder()
        let data = try folder.data()
        for (name, bytes) in files {
            if name.hasPrefix("tenants/"), let id = TenantID(String(name.split(separator: "/")[1])) {
                try data.makeTenantFolder(id)
            }
            let path = "\(data.path)/\(name)"
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        }
        let control = try folder.controlStore()
        let stores = try folder.tenantStores()
        var missing: [String] = []
        let contents = try await control.load()
        if contents.vault?.epoch ?? 0 < promised.epoch { missing.append("the vault is of an older epoch") }
        let virtualKeys = promised.virtualKeys.subtracting(contents.virtualKeys.map(\.id))
        if !virtualKeys.isEmpty { missing.append("\(virtualKeys.count) virtual keys") }
        let tenants = contents.tenants.map(\.id)
        if !promised.tenants.isSubset(of: tenants) { missing.append("a tenant") }
        guard case .intact = try await control.verifyAudit() else { return missing + ["the audit is broken"] }
        let records = try await control.auditRecords(before: nil, limit: 10_000).map(\.draft.id)
        if !Set(promised.audit).isSubset(of: records) { missing.append("audit records") }
        var keys: [ProviderKeyID: ProviderKeyState] = [:]
        var calls: Set<CallID> = []
        var outbox: Set<AuditID> = []
        for tenant in tenants {
            let store = try await stores.store(for: tenant)
            for key in try await store.providerKeys() { keys[key.id] = key.state }
            calls.formUnion(
                try await store.usage(
                    since: .init(milliseconds: 0), until: .init(milliseconds: 20_000), limit: 100_000
                ).map(\.call))
            outbox.formUnion(try await store.auditOutbox().map(\.id))
        }
        for (key, state) in promised.providerKeys
        where keys[key] == nil || state == .revoked && keys[key] != .revoked {
            missing.append("provider key \(key) is not \(state)")
        }
        let rows = promised.calls.subtracting(calls)
        if !rows.isEmpty { missing.append("\(rows.count) ledger rows") }
        if !promised.outbox.isSubset(of: outbox) { missing.append("records beside a tenant's change") }
        try await stores.close()
        try control.close()
        return missing
    }

    private mutating func acknowledge(_ change: (inout Promised) -> Void) {
        var next = promised[promised.count - 1]
        change(&next)
        promised.append(next)
        files.acknowledge(promised.count - 1)
    }

    // MARK: Verbs

    private mutating func note(_ control: SQLiteControlStore) async throws {
        let draft = draft()
        try await control.appendAudit(draft)
        acknowledge { $0.audit.append(draft.id) }
    }

    private mutating func addTenant(
        _ control: SQLiteControlStore, _ stores: SQLiteTenantStores, _ number: Int
    ) async throws {
        // Each one is opened after every cut.
        guard tenants.count < 2 else { return try await note(control) }
        let (tenant, key) = try Samples.tenant("t\(number)")
        let draft = draft()
        try await stores.create(tenant.id, vault: Samples.vaultID)
        try await control.insertTenant(tenant, key: key, audit: draft)
        tenants.append(tenant.id)
        acknowledge { promised in
            promised.tenants.insert(tenant.id)
            promised.audit.append(draft.id)
        }
    }

    private mutating func addKey(
        _ stores: SQLiteTenantStores, _ random: inout SplitMix, _ number: Int
    ) async throws {
        guard let tenant = tenants.randomElement(using: &random) else { return }
        let key = try Samples.providerKey("k\(number)", of: tenant)
        let draft = draft()
        try await stores.store(for: tenant).insertProviderKey(key, audit: draft)
        acknowledge { promised in
            promised.providerKeys[key.id] = .active
            promised.outbox.insert(draft.id)
        }
    }

    private mutating func revokeKey(_ stores: SQLiteTenantStores, _ random: inout SplitMix) async throws {
        guard let tenant = tenants.randomElement(using: &random) else { return }
        let store = try await stores.store(for: tenant)
        guard var key = try await store.providerKeys().first(where: { $0.state == .active }) else { return }
        key.state = .revoked
        key.sealed = []
        let draft = draft()
        try await store.replaceProviderKeys(
            [ProviderKeyChange(row: key, ifCounter: key.counter, ifState: .active)], audit: draft)
        acknowledge { [key] promised in
            promised.providerKeys[key.id] = .revoked
            promised.outbox.insert(draft.id)
        }
    }

    /// As a rotation does it: the log is emptied into the file afterwards.
    private mutating func changeVault(_ control: SQLiteControlStore) async throws {
        guard var vault = try await control.load().vault else { return }
        vault.epoch += 1
        let draft = draft()
        try await control.changeVault(vault, keys: [], audit: draft)
        acknowledge { [vault] promised in
            promised.epoch = vault.epoch
            promised.audit.append(draft.id)
        }
    }

    private mutating func issue(
        _ control: SQLiteControlStore, _ random: inout SplitMix, _ number: Int
    ) async throws {
        guard let tenant = tenants.randomElement(using: &random) else { return }
        let key = try Samples.virtualKey("v\(number)", of: tenant, hash: UInt8(truncatingIfNeeded: number))
        let draft = draft()
        try await control.insertVirtualKey(key, audit: draft)
        acknowledge { promised in
            promised.virtualKeys.insert(key.id)
            promised.audit.append(draft.id)
        }
    }

    private mutating func settle(_ stores: SQLiteTenantStores, _ random: inout SplitMix) async throws {
        guard let tenant = tenants.randomElement(using: &random) else { return }
        let rows = try Samples.rows(
            Int.random(in: 1...40, using: &random), of: tenant, seed: random.next())
        try await stores.appendUsage(rows, of: tenant)
        acknowledge { $0.calls.formUnion(rows.map(\.call)) }
    }
}

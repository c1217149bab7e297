import Domain
import Locking
import Logging
import Operations
import Storage
import Vault

/// What the gateway does by itself to keep the vault in order.
extension CommandDesk {
    /// Stores a changed record with changed tenants' keys and a key ring over all of it, and puts them in force.
    /// Only behind the turnstile.
    func changeVault(
        _ record: VaultRecord, put keys: [WrappedTenantKey] = [], audit: AuditDraft?
    ) async throws {
        let all = state.load().tenantKeys.replacing(keys)
        let next = try parts.vault.sealRing(record, keys: all)
        try await control.changeVault(next, keys: keys, audit: audit)
        adopt(next, all)
    }

    /// The vault's record and all tenants' keys as storage has them now. No call looks at these.
    func adopt(_ record: VaultRecord, _ keys: [WrappedTenantKey]) {
        state.update { old in
            var next = old
            next.vault = record
            next.tenantKeys = keys
            return next
        }
    }

    /// Once a second: makes a missing key ring, replaces tenants' keys that are due, and goes on with a rotation.
    func keepVault(by gateway: OperatorID) async {
        guard parts.vault.isUnlocked else { return }
        do {
            if state.load().vault?.epoch == 0 { try await alone { try await makeRing(by: gateway) } }
            if state.load().vault?.auditSigner == nil {
                try await alone { try await makeAuditSigner(by: gateway) }
            }
            try await alone { try await rotateDueKeys(by: gateway) }
        } catch {
            log.error("the vault could not be kept in order", metadata: ["why": "\(error)"])
        }
        await workVault(for: .milliseconds(500), by: gateway)
        forgetLingering()
    }

    func vaultRecord() throws(CommandRefusal) -> VaultRecord {
        guard let record = state.load().vault else {
            throw CommandRefusal(.notFound, "this data folder has no vault; run: gatehouse init")
        }
        return record
    }

    /// Makes the key ring of a vault from before there were any.
    func makeRing(by who: OperatorID) async throws {
        let record = try vaultRecord()
        guard parts.vault.isUnlocked, record.epoch == 0 else { return }
        try await changeVault(record, audit: draft(who, "vault.ring", "vault", after: "epoch 1"))
    }

    /// Sees to it that something can be sealed for a tenant: reserves sealings when the last batch is used up. Only
    /// behind the turnstile.
    func allowSealing(for tenant: TenantID) async throws {
        guard parts.vault.isUnlocked else { throw sealedRefusal }
        guard let key = activeKey(of: tenant) else {
            throw CommandRefusal(.storage, "this tenant's data key is damaged; see: gatehouse vault verify")
        }
        guard parts.vault.sealingsLeft(of: tenant) == 0 else { return }
        guard !SealingLimits.isDue(key, at: parts.clock.wall) else {
            let gateway = OperatorID(name: "gateway", via: "engine")
            return try await rotateKeys(of: [tenant], why: "the key was due", by: gateway)
        }
        let more = try parts.vault.reserveSealings(key)
        try await changeVault(try vaultRecord(), put: [more], audit: nil)
        try parts.vault.grantSealings(to: more)
    }

    /// The key that seals a tenant's records.
    func activeKey(of tenant: TenantID) -> WrappedTenantKey? {
        state.load().tenantKeys.last { $0.tenant == tenant && $0.state == .active }
    }
}

extension [WrappedTenantKey] {
    /// With some versions new or changed; in the order of tenants and versions.
    func replacing(_ changed: [WrappedTenantKey]) -> Self {
        let places = Set(changed.map(TenantKeyPlace.init))
        return (filter { !places.contains(TenantKeyPlace($0)) } + changed)
            .sorted { ($0.tenant, $0.version) < ($1.tenant, $1.version) }
    }
}

/// Which row of the table a tenant's key is.
private struct TenantKeyPlace: Hashable {
    let tenant: TenantID
    let version: UInt32

    init(_ key: WrappedTenantKey) {
        tenant = key.tenant
        version = key.version
    }
}

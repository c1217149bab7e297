import Cache
import Cipher
import Domain
import Locking
import Logging
import Operations
import Storage
import Vault

/// Crypto-shredding: a tenant is gone once the wraps of its keys are.
extension CommandDesk {
    /// The control database first, in one transaction: from then on nothing of the tenant's opens, and the next start
    /// removes its file should this process die before it did.
    func deleteTenant(
        _ name: TenantName, confirm: String, reason: String, by who: OperatorID
    ) async throws -> CommandOutcome {
        let tenant = try tenant(named: name)
        guard confirm.utf8.elementsEqual(name.text.utf8) else {
            throw CommandRefusal(
                .invalid, "this cannot be undone; to go on repeat the name: --confirm \(name)")
        }
        guard !reason.isEmpty, reason.utf8.count <= 200 else {
            throw CommandRefusal(.invalid, "a reason has 1 to 200 characters")
        }
        guard state.load().routing.platform != name else {
            throw CommandRefusal(
                .conflict, "tenant \(name) owns the platform's keys; name another in [platform] first")
        }
        let keys = state.load().providerKeys.values.filter { $0.tenant == tenant.id }
        let wraps = state.load().tenantKeys.filter { $0.tenant == tenant.id }
        let kept = state.load().tenantKeys.filter { $0.tenant != tenant.id }
        let tokens = state.load().virtualKeys.values.count { $0.tenant == tenant.id }
        await chainOutbox(of: tenant.id)
        let commitment = Self.commitment(to: wraps)
        let vault = try parts.vault.sealRing(try vaultRecord(), keys: kept)
        let isEmptied = try await control.shredTenant(
            tenant.id, commitment: commitment, vault: vault,
            audit: draft(
                who, "tenant.delete", name.text, tenant: tenant.id,
                before: "\(wraps.count) key versions, \(keys.count) provider keys, \(tokens) virtual keys",
                after: "shredded; SHA-256 over the wraps' digests \(hexadecimalText(of: commitment))",
                reason: reason))
        for key in keys { retire(key.id) }
        parts.vault.forgetTenant(tenant.id)
        _ = parts.cache.purge(tenant: tenant.id)
        _ = parts.drills.stop(tenant.id)
        lingering.removeAll { $0.key.tenant == tenant.id }
        change { $0.forget(tenant.id, vault: vault, keys: kept) }
        publishChange("tenant.delete", "tenant \(name) is deleted")
        var details = try await proof(of: tenant.id, keys: keys, wraps: wraps)
        if !isEmptied {
            details.append("the control database's log could not be emptied now; a restart does it")
        }
        let isRemoved = await removeStorage(of: tenant.id, &details)
        details.append(
            "older backups and copies of the data folder (replaced-* in it too) still hold its keys, for whoever has "
                + "what opened the vault then: delete them")
        return CommandOutcome(
            CommandReceipt(
                message: "tenant \(name) is deleted for good", details: details,
                isBad: !isEmptied || !isRemoved))
    }

    /// Tries what was sealed for the tenant, with the vault and the tables as they are now.
    private func proof(
        of tenant: TenantID, keys: [ProviderKeyRecord], wraps: [WrappedTenantKey]
    ) async throws -> [String] {
        let contents = try await control.load()
        guard !contents.tenantKeys.contains(where: { $0.tenant == tenant }) else {
            throw CommandRefusal(.storage, "the tenant's wraps are still stored; see: gatehouse vault verify")
        }
        let sealed = keys.filter { $0.state != .revoked && !$0.sealed.isEmpty }
        let opened = sealed.filter { key in
            do throws(SealFailure) {
                try parts.vault.verifyProviderKey(key)
                return true
            } catch {
                return false
            }
        }
        guard opened.isEmpty else {
            throw CommandRefusal(.storage, "\(opened.count) sealed keys of the tenant still open")
        }
        return [
            "\(wraps.count) versions of its data key are destroyed",
            "\(sealed.count) sealed provider keys tried: none opens",
        ]
    }

    private func removeStorage(of tenant: TenantID, _ details: inout [String]) async -> Bool {
        do {
            try await tenants.remove(tenant)
            details.append("its file with the ledger is removed")
            return true
        } catch {
            log.error("a deleted tenant's storage could not be removed", metadata: ["why": "\(error)"])
            details.append("its file could not be removed (\(error)); the next start tries again")
            return false
        }
    }

    /// Audit records that wait in the tenant's file go with it unless they are chained before.
    private func chainOutbox(of tenant: TenantID) async {
        do {
            for draft in try await tenants.store(for: tenant).auditOutbox() {
                try await control.appendAudit(draft)
            }
        } catch {
            log.error("a deleted tenant's file could not be read", metadata: ["why": "\(error)"])
        }
    }

    /// Tells later, of a wrap that turns up in some copy, whether it is one of those that were destroyed.
    private static func commitment(to wraps: [WrappedTenantKey]) -> [UInt8] {
        SHA256.digest(
            wraps.filter { $0.state != .destroyed }.sorted { $0.version < $1.version }
                .flatMap { SHA256.digest($0.wrapped).bytes }
        ).bytes
    }
}

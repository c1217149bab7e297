import Domain
import Locking
import Operations
import Storage
import Vault

extension CommandDesk {
    func addTenant(_ name: TenantName, _ limits: LimitSet, by who: OperatorID) async throws -> CommandOutcome
    {
        guard state.load().tenant(named: name) == nil else {
            throw CommandRefusal(.conflict, "there is a tenant \(name) already")
        }
        guard let vault = state.load().vault, parts.vault.isUnlocked else { throw sealedRefusal }
        let tenant = TenantRecord(id: .random(), name: name, limits: limits, created: parts.clock.wall)
        let key = try parts.vault.newTenantKey(tenant.id, version: 1, at: parts.clock.wall)
        // The schema first: a schema without a tenant is harmless, a tenant without a schema is not.
        try await tenants.create(tenant.id, vault: vault.id)
        let audit = draft(who, "tenant.add", name.text, tenant: tenant.id, after: Self.words(limits))
        let next = try parts.vault.sealRing(vault, keys: state.load().tenantKeys + [key])
        try await control.insertTenant(tenant, key: key, vault: next, audit: audit)
        if let failure = parts.vault.load([key])[tenant.id] { throw failure }
        change { state in
            state.vault = next
            state.tenants[tenant.id] = tenant
            state.tenantKeys.append(key)
        }
        publishChange("tenant.add", "tenant \(name) added")
        return CommandOutcome(
            CommandReceipt(
                message: "tenant \(name) added",
                details: [
                    "next: gatehouse key add \(name) PROVIDER",
                    "then: gatehouse token issue \(name)",
                ]))
    }

    func setStatus(
        _ status: TenantStatus, of name: TenantName, reason: String, by who: OperatorID
    ) async throws
        -> CommandOutcome
    {
        var tenant = try tenant(named: name)
        guard tenant.status != status else {
            throw CommandRefusal(.conflict, "tenant \(name) is \(status.rawValue) already")
        }
        let before = tenant.status
        tenant.status = status
        let action = status == .suspended ? "tenant.suspend" : "tenant.resume"
        try await control.updateTenant(
            tenant,
            audit: draft(
                who, action, name.text, tenant: tenant.id, before: before.rawValue, after: status.rawValue,
                reason: reason))
        let changed = tenant
        change { $0.tenants[changed.id] = changed }
        publishChange(action, "tenant \(name) is \(status.rawValue)")
        let undo: EngineCommand =
            status == .suspended ? .tenantResume(name: name) : .tenantSuspend(name: name, reason: "undo")
        return CommandOutcome(CommandReceipt(message: "tenant \(name) is \(status.rawValue)", undo: undo))
    }

    func setPlatformKeys(
        _ used: Bool, of name: TenantName, by who: OperatorID
    ) async throws -> CommandOutcome {
        var tenant = try tenant(named: name)
        let word = used ? "used" : "not used"
        guard tenant.usesPlatformKeys != used else {
            throw CommandRefusal(.conflict, "platform keys are \(word) for tenant \(name) already")
        }
        tenant.usesPlatformKeys = used
        try await control.updateTenant(
            tenant,
            audit: draft(
                who, "tenant.platform_keys", name.text, tenant: tenant.id, before: used ? "not used" : "used",
                after: word))
        let changed = tenant
        change { $0.tenants[changed.id] = changed }
        publishChange("tenant.platform_keys", "platform keys are \(word) for tenant \(name)")
        let owner = state.load().routing.platform
        return CommandOutcome(
            CommandReceipt(
                message: used
                    ? "calls of \(name) may go out with platform keys where its own do not serve"
                    : "calls of \(name) go out with its own keys only",
                details: used && owner == nil
                    ? ["there are none yet: name their owner with [platform] tenant = \"NAME\""] : [],
                undo: .tenantPlatformKeys(name: name, used: !used)))
    }

    var sealedRefusal: CommandRefusal {
        CommandRefusal(.sealed, "the vault is sealed; unlock it first: gatehouse vault unlock")
    }

    static func words(_ limits: LimitSet) -> String {
        let parts = [
            limits.requestsPerMinute.map { "rpm \($0)" }, limits.tokensPerMinute.map { "tpm \($0)" },
            limits.parallel.map { "parallel \($0)" },
        ].compactMap { $0 }
        return parts.isEmpty ? "no limits" : parts.joined(separator: ", ")
    }
}

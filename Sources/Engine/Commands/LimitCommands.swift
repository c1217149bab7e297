import Domain
import Limits
import Locking
import Operations
import Storage

/// Ceilings of tenants, teams, users, virtual keys and provider keys.
extension CommandDesk {
    func setLimits(
        _ limits: LimitSet, for owner: LimitOwner, of name: TenantName, by who: OperatorID
    ) async throws -> CommandOutcome {
        var tenant = try tenant(named: name)
        let before: LimitSet
        let whose: String
        switch owner {
        case .tenant:
            (before, whose) = (tenant.limits, "tenant \(name)")
            tenant.limits = limits
            let changed = tenant
            try await control.updateTenant(changed, audit: audit(who, whose, tenant.id, before, limits))
            change { $0.tenants[changed.id] = changed }
        case .virtualKey(let id):
            var (key, _, keyName) = try token(id)
            guard key.tenant == tenant.id else { throw Self.notOf(name, "virtual key \(keyName)") }
            (before, whose) = (key.limits, "virtual key \(keyName)")
            key.limits = limits
            let changed = key
            try await control.updateVirtualKey(changed, audit: audit(who, whose, tenant.id, before, limits))
            change { $0.virtualKeys[changed.id] = changed }
        case .team, .user, .providerKey:
            whose = try self.whose(owner, of: tenant)
            let record = LimitRecord(tenant: tenant.id, owner: owner, limits: limits)
            before =
                state.load().limits.first { $0.tenant == record.tenant && $0.owner == owner }?.limits
                ?? LimitSet()
            try await control.setLimits(record, audit: audit(who, whose, tenant.id, before, limits))
            change { state in
                state.limits.removeAll { $0.tenant == record.tenant && $0.owner == owner }
                if !limits.isEmpty { state.limits.append(record) }
            }
        }
        publishChange("limit.set", "\(whose): \(Self.words(limits))")
        return CommandOutcome(
            CommandReceipt(
                message: "\(whose): \(Self.words(limits)), from the next call on",
                details: ["before: \(Self.words(before))"],
                undo: .limitSet(tenant: name, owner: owner, limits: before)))
    }

    private func audit(
        _ who: OperatorID, _ whose: String, _ tenant: TenantID, _ before: LimitSet, _ after: LimitSet
    ) -> AuditDraft {
        draft(
            who, "limit.set", whose, tenant: tenant, before: Self.words(before), after: Self.words(after))
    }

    private func whose(_ owner: LimitOwner, of tenant: TenantRecord) throws(CommandRefusal) -> String {
        switch owner {
        case .team(let team): return "team \(team) of \(tenant.name)"
        case .user(let user): return "user \(user) of \(tenant.name)"
        case .providerKey(let id):
            let (key, _, keyName) = try key(id)
            guard key.tenant == tenant.id else { throw Self.notOf(tenant.name, "provider key \(keyName)") }
            return "provider key \(keyName)"
        case .tenant, .virtualKey: return tenant.name.text
        }
    }

    private static func notOf(_ tenant: TenantName, _ what: String) -> CommandRefusal {
        CommandRefusal(.notFound, "\(what) is not of tenant \(tenant); see: gatehouse limit list \(tenant)")
    }

    /// Every ceiling of a tenant, its own first.
    func limits(of name: TenantName) throws(CommandRefusal) -> [LimitView] {
        let tenant = try tenant(named: name)
        let state = state.load()
        var views = [view("tenant", name.text, tenant.limits, .tenant(tenant.id))]
        let own = state.limits.filter { $0.tenant == tenant.id }
        for record in own {
            switch record.owner {
            case .team(let team):
                views.append(view("team", team.text, record.limits, .team(tenant.id, team)))
            case .user(let user):
                views.append(view("user", user.text, record.limits, .user(tenant.id, user)))
            case .providerKey(let id):
                guard let key = state.providerKeys[id] else { continue }
                views.append(
                    view(
                        "provider key", "\(key.provider)/\(key.label) \(key.fingerprint)", record.limits,
                        .providerKey(id)))
            case .tenant, .virtualKey: continue
            }
        }
        for key in state.virtualKeys.values where key.tenant == tenant.id && key.revoked == nil {
            views.append(
                view("virtual key", "\(key.name) \(key.fingerprint)", key.limits, .virtualKey(key.id)))
        }
        return [views[0]] + views.dropFirst().sorted { ($0.kind, $0.name) < ($1.kind, $1.name) }
    }

    private func view(_ kind: String, _ name: String, _ limits: LimitSet, _ scope: LimitScope) -> LimitView {
        let use = parts.counters.use(of: scope, at: parts.clock.now)
        return LimitView(
            kind: kind, name: name, limits: limits, requestsLeft: use?.requestsLeft,
            tokensLeft: use?.tokensLeft, inFlight: use?.inFlight ?? 0)
    }
}

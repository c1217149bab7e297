import Domain
import Locking
import Logging
import Operations
import Storage
import Vault

/// Rotations of the vault: begun by a command, carried on in small steps until nothing old is left.
///
/// How far a rotation is stands in no note of its own: a tenant's key says which root wraps it, a provider key which
/// version seals it, and the key ring vouches for both kinds of rows. A process killed at any point goes on from there.
extension CommandDesk {
    /// Rows in one step: some milliseconds, and one flush.
    private static let stepRows = 64
    /// Tenants whose old keys are destroyed in one step.
    private static let stepTenants = 16
    /// Longer than any call may still try with a key as it was when the call was let in.
    private static let lingerTime = Duration.seconds(900)

    // MARK: Begin

    func rotateRoot(
        _ kinds: [SlotKind], dropOthers: Bool, secret: SecretDraft?, by who: OperatorID
    ) async throws -> CommandOutcome {
        guard parts.vault.isUnlocked else { throw sealedRefusal }
        guard let drafts = secret.flatMap(SecretBundle.unpack), drafts.count == kinds.count, !kinds.isEmpty
        else { throw CommandRefusal(.invalid, "the secret of each slot that is to stay is needed") }
        var kept: [KeptSlot] = []
        for (kind, draft) in zip(kinds, drafts) { kept.append(try await keptSlot(kind, draft)) }
        return try await alone { [kept] in
            try await rotateRoot(kept, dropOthers: dropOthers, by: who)
        }
    }

    private func rotateRoot(
        _ slots: [KeptSlot], dropOthers: Bool, by who: OperatorID
    ) async throws -> CommandOutcome {
        guard parts.vault.isUnlocked else { throw sealedRefusal }
        let record = try vaultRecord()
        guard record.previousRoot.isEmpty else {
            throw CommandRefusal(.conflict, "a rotation of the root is under way; it has to end first")
        }
        let vault = parts.vault
        let keys = state.load().tenantKeys
        let now = parts.clock.wall
        let kept = try await Self.aside {
            try slots.map { slot in
                do { return try vault.slot(of: record, openedBy: slot.now).id } catch {
                    throw CommandRefusal(.invalid, "nothing was changed: \(error)")
                }
            }
        }
        guard Set(kept).count == kept.count else {
            throw CommandRefusal(.invalid, "two of these secrets open the same slot")
        }
        let dropped = record.slots.filter { !kept.contains($0.id) }
        guard dropped.isEmpty || dropOthers else {
            throw CommandRefusal(
                .conflict,
                "without their secrets these slots cannot hold the new root: \(Self.words(dropped)); give them, or "
                    + "repeat with --drop-others and they are gone")
        }
        let new = try await Self.aside {
            try vault.newRoot(for: record, keys: keys, slots: slots.map(\.next), at: now)
        }
        try await control.changeVault(
            new.record, keys: [],
            audit: draft(
                who, "vault.rotate_root", "vault", before: "root \(record.rootVersion)",
                after: "root \(new.record.rootVersion)",
                reason: dropped.isEmpty ? "" : "dropped \(Self.words(dropped))"))
        try parts.vault.adopt(new)
        adopt(new.record, keys)
        stuck = StuckRecords()
        publishChange("vault.rotate_root", "the vault has root version \(new.record.rootVersion)")
        let count = keys.count { $0.state != .destroyed }
        var details = ["\(count) tenants' keys are being wrapped anew; then the old root is destroyed"]
        if !dropped.isEmpty { details.append("these slots are gone: \(Self.words(dropped))") }
        return CommandOutcome(
            CommandReceipt(
                message: "root version \(new.record.rootVersion) is in force", details: details))
    }

    func rotateKeys(of name: TenantName?, by who: OperatorID) async throws -> CommandOutcome {
        guard parts.vault.isUnlocked else { throw sealedRefusal }
        let chosen: [TenantID]
        if let name {
            chosen = [try tenant(named: name).id]
        } else {
            chosen = state.load().tenants.keys.sorted()
        }
        guard !chosen.isEmpty else { throw CommandRefusal(.notFound, "there is no tenant yet") }
        try await rotateKeys(of: chosen, why: "", by: who)
        stuck = StuckRecords()
        let progress = VaultProgress.of(state.load())
        return CommandOutcome(
            CommandReceipt(
                message: "\(chosen.count) tenants seal with new keys",
                details: ["\(progress?.total ?? 0) provider keys are being sealed anew, while calls go on"]))
    }

    func rotateKeys(of chosen: [TenantID], why: String, by who: OperatorID) async throws {
        let now = parts.clock.wall
        let all = Dictionary(grouping: state.load().tenantKeys, by: \.tenant)
        var changed: [WrappedTenantKey] = []
        for tenant in chosen {
            let versions = all[tenant] ?? []
            for var key in versions where key.state == .active {
                key.state = .retiring
                changed.append(key)
            }
            let newest = versions.map(\.version).max() ?? 0
            changed.append(try parts.vault.newTenantKey(tenant, version: newest + 1, at: now))
        }
        let names = chosen.count == 1 ? chosen.first.flatMap { state.load().tenants[$0]?.name.text } : nil
        try await changeVault(
            try vaultRecord(), put: changed,
            audit: draft(
                who, "vault.rotate_keys", names ?? "\(chosen.count) tenants",
                tenant: chosen.count == 1 ? chosen.first : nil, reason: why))
        walk = SealingWalk()
        for failure in parts.vault.load(changed).values {
            log.error("a tenant's old key does not open", metadata: ["why": "\(failure)"])
        }
        publishChange("vault.rotate_keys", "\(names ?? "\(chosen.count) tenants") seal with new keys")
    }

    /// Replaces keys that have sealed for 365 days, or as often as a key may.
    func rotateDueKeys(by gateway: OperatorID) async throws {
        let now = parts.clock.wall
        let due = state.load().tenantKeys.filter { $0.state == .active && SealingLimits.isDue($0, at: now) }
        guard !due.isEmpty else { return }
        try await rotateKeys(of: due.map(\.tenant), why: "the key was due", by: gateway)
    }

    // MARK: Carry on

    /// Steps of a rotation until it is done, the time is over, or nothing more can be done.
    func workVault(for budget: Duration, by gateway: OperatorID) async {
        let end = parts.clock.now + budget
        do {
            while try await alone({ try await step(by: gateway) }), parts.clock.now < end {}
        } catch {
            log.error("a rotation of the vault could not go on", metadata: ["why": "\(error)"])
        }
    }

    /// One step; false when there is none to take.
    private func step(by gateway: OperatorID) async throws -> Bool {
        guard parts.vault.isUnlocked, let record = state.load().vault else { return false }
        if !record.previousRoot.isEmpty { return try await wrapSome(record, by: gateway) }
        let retiring = state.load().tenantKeys.lazy.filter { $0.state == .retiring }.map(\.tenant)
        if walk.done.count < Self.stepTenants,
            let next = retiring.first(where: {
                !self.stuck.tenants.contains($0) && !self.walk.done.contains($0)
            })
        {
            return try await sealSome(of: next)
        }
        guard !walk.done.isEmpty else { return false }
        return try await retireKeys(of: walk.done.sorted(), by: gateway)
    }

    private func wrapSome(_ record: VaultRecord, by gateway: OperatorID) async throws -> Bool {
        let old = state.load().tenantKeys.filter {
            $0.state != .destroyed && $0.rootVersion != record.rootVersion
        }
        guard !old.isEmpty else { return try await endRoot(record, by: gateway) }
        var wrapped: [WrappedTenantKey] = []
        for key in old.lazy.filter({ !self.stuck.wraps.contains($0.wrapped) }).prefix(Self.stepRows) {
            do throws(SealFailure) { wrapped.append(try parts.vault.rewrap(key)) } catch {
                guard error != .locked else { return false }
                stuck.wraps.insert(key.wrapped)
                log.error(
                    "a tenant's key does not open: the old root is kept for it until it is restored",
                    metadata: ["tenant": "\(key.tenant)", "version": "\(key.version)"])
            }
        }
        guard !wrapped.isEmpty else { return false }
        try await changeVault(record, put: wrapped, audit: nil)
        return true
    }

    /// Everything is wrapped by the new root, as storage has it, and opens: the old root can go.
    private func endRoot(_ record: VaultRecord, by gateway: OperatorID) async throws -> Bool {
        let contents = try await control.load()
        guard contents.vault == record else { throw StorageFailure.vaultChanged }
        for key in contents.tenantKeys where key.state != .destroyed {
            guard key.rootVersion == record.rootVersion else { throw StorageFailure.vaultChanged }
            try parts.vault.verifyTenantKey(key)
        }
        var next = record
        next.previousRoot = []
        try await changeVault(
            next,
            audit: draft(
                gateway, "vault.root_done", "vault", before: "root \(record.rootVersion - 1)",
                after: "destroyed"))
        try parts.vault.forgetPreviousRoot()
        publishChange("vault.root_done", "root version \(record.rootVersion - 1) is destroyed")
        return true
    }

    /// Seals some of a tenant's records anew, in the order of their ids.
    private func sealSome(of tenant: TenantID) async throws -> Bool {
        guard let active = activeKey(of: tenant) else {
            stuck.tenants.insert(tenant)
            return true
        }
        let store = try await tenants.store(for: tenant)
        let page = try await store.providerKeys(after: walk.reached[tenant], limit: Self.stepRows)
        let (changes, isWhole) = try await sealedAnew(page, with: active)
        guard parts.vault.isUnlocked else { return false }
        if !changes.isEmpty {
            try await store.replaceProviderKeys(changes, audit: nil)
            put(changes.map(\.row))
        }
        if isWhole { walk.reached[tenant] = page.last?.id }
        if page.count < Self.stepRows, isWhole { walk.end(tenant) }
        return true
    }

    /// Those rows that an old version seals, sealed with the active one; false when that used up what may be sealed.
    private func sealedAnew(
        _ rows: [ProviderKeyRecord], with active: WrappedTenantKey
    ) async throws -> ([ProviderKeyChange], isWhole: Bool) {
        let old = rows.filter { $0.isSealed(otherThan: active.version) && !stuck.rows.contains($0.id) }
        guard !old.isEmpty else { return ([], true) }
        try await allowSealing(for: active.tenant)
        var changes: [ProviderKeyChange] = []
        for row in old {
            do throws(SealFailure) {
                let fresh = try parts.vault.reseal(row)
                changes.append(ProviderKeyChange(row: fresh, ifCounter: row.counter, ifState: row.state))
            } catch {
                if error == .sealingsUsedUp || error == .locked { return (changes, false) }
                stuck.rows.insert(row.id)
                log.error(
                    "a provider key does not open: its tenant's old key is kept for it until it is restored",
                    metadata: ["id": "\(row.id)"])
            }
        }
        return (changes, true)
    }

    /// Where no record of a tenant, as storage has them, is sealed with an old version, the old wraps can go: those of
    /// several tenants in one change, since each change seals a ring over all of them.
    private func retireKeys(of walked: [TenantID], by gateway: OperatorID) async throws -> Bool {
        walk.done = []
        var finished: Set<TenantID> = []
        for tenant in walked {
            let rows = try await tenants.store(for: tenant).providerKeys()
            let active = activeKey(of: tenant)?.version
            let left = rows.filter { $0.isSealed(otherThan: active) }
            if left.isEmpty { finished.insert(tenant) }
            if !left.isEmpty, left.allSatisfy({ stuck.rows.contains($0.id) }) { stuck.tenants.insert(tenant) }
        }
        let gone = state.load().tenantKeys.filter { finished.contains($0.tenant) && $0.state == .retiring }
            .map { key in
                var key = key
                key.state = .destroyed
                key.wrapped = []
                return key
            }
        guard !gone.isEmpty else { return true }
        let versions = Dictionary(grouping: gone, by: \.tenant).map { tenant, keys in
            let name = state.load().tenants[tenant]?.name.text ?? tenant.text
            return (name, "version " + keys.map { "\($0.version)" }.joined(separator: ", "))
        }.sorted { $0.0 < $1.0 }
        let isOne = versions.count == 1
        try await changeVault(
            try vaultRecord(), put: gone,
            audit: draft(
                gateway, "vault.keys_done", isOne ? versions[0].0 : "\(versions.count) tenants",
                tenant: isOne ? gone[0].tenant : nil,
                before: isOne
                    ? versions[0].1 : versions.map { "\($0.0) \($0.1)" }.joined(separator: "; "),
                after: "destroyed"))
        let until = parts.clock.now + Self.lingerTime
        lingering += gone.map { (key: $0, until: until) }
        return true
    }

    func forgetLingering() {
        let now = parts.clock.now
        _ = parts.vault.load(lingering.filter { $0.until <= now }.map(\.key))
        lingering.removeAll { $0.until <= now }
    }

    /// A new row as it has to be stored now: the tenant's key may have been replaced since the row was sealed.
    func sealedForNow(_ record: ProviderKeyRecord) throws -> ProviderKeyRecord {
        guard KeyVault.sealingVersion(of: record) != activeKey(of: record.tenant)?.version else {
            return record
        }
        return try parts.vault.reseal(record)
    }
}

/// How far the sealing anew of tenants' records has come; a walk that a restart ends begins anew and finds less to do.
struct SealingWalk {
    /// The last row that was looked at.
    var reached: [TenantID: ProviderKeyID] = [:]
    /// Tenants whose rows have all been looked at.
    var done: Set<TenantID> = []

    mutating func end(_ tenant: TenantID) {
        reached[tenant] = nil
        done.insert(tenant)
    }
}

extension ProviderKeyRecord {
    /// Whether something that is not the given version of the tenant's key seals it; false for a revoked one.
    fileprivate func isSealed(otherThan version: UInt32?) -> Bool {
        state != .revoked && KeyVault.sealingVersion(of: self) != version
    }
}

/// What does not open, and so holds a rotation up.
struct StuckRecords {
    var wraps: Set<[UInt8]> = []
    var rows: Set<ProviderKeyID> = []
    var tenants: Set<TenantID> = []
}

/// How far a rotation is, told from what storage holds.
enum VaultProgress {
    static func of(_ state: EngineState) -> VaultWorkView? {
        guard let record = state.vault else { return nil }
        guard record.previousRoot.isEmpty else {
            let keys = state.tenantKeys.filter { $0.state != .destroyed }
            return VaultWorkView(
                what: .root, done: keys.count { $0.rootVersion == record.rootVersion }, total: keys.count)
        }
        let retiring = Set(state.tenantKeys.lazy.filter { $0.state == .retiring }.map(\.tenant))
        guard !retiring.isEmpty else { return nil }
        let active = Dictionary(
            state.tenantKeys.lazy.filter { $0.state == .active }.map { ($0.tenant, $0.version) },
            uniquingKeysWith: { max($0, $1) })
        let rows = state.providerKeys.values.filter {
            retiring.contains($0.tenant) && $0.state != .revoked
        }
        return VaultWorkView(
            what: .keys,
            done: rows.count { KeyVault.sealingVersion(of: $0) == active[$0.tenant] },
            total: rows.count)
    }
}

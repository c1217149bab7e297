import Cache
import Cipher
import Domain
import Events
import Locking
import Logging
import Operations
import Storage
import Vault

/// Carries out operators' commands, one storage transaction each, and puts their result in force.
///
/// A command first changes storage together with its audit record, then the directory that calls read: what an
/// operator was told has happened is in force for the next call and survives a restart. Changes pass one at a time
/// (`alone`); what takes long, such as asking a provider, is done before, and what it was based on is read again.
actor CommandDesk {
    /// The state as of the last finished command; read from anywhere, written only here.
    nonisolated let state: Published<EngineState>
    let parts: PathParts
    let control: any ControlStore
    let tenants: any TenantStores
    let prober: any KeyProber
    /// What keeps slot keys outside, as the configuration named it at the start.
    let keepers: [any KeyKeeper]
    let log: Logger
    /// Targets whose hold is in storage: one that is no longer in force is removed there.
    var stored: Set<Target>
    private var reload: Reload?
    private var backer: Backer?
    /// nil = this engine writes no files.
    var exporter: Exporter?
    private var retired: (@Sendable (ProviderKeyID) -> Void)?
    private let turnstile = Turnstile()
    /// Tenants whose outbox holds audit records that could not be chained yet.
    var unsettled: Set<TenantID> = []
    /// Records of what had to be done whether or not it could be audited: chained as soon as that works. Bounded by
    /// `owedMost`, since nobody locks a locked vault.
    private var owed: [AuditDraft] = []
    private static let owedMost = 64
    /// Changes that protect and are in force, and have to be written still.
    var protections: [OwedProtection] = []
    /// Since when the use of keys was not written down.
    var keyUsesSince: Instant?
    /// Refusals for want of a role that went to the audit lately.
    var denials = DenialTally()
    /// When the audit has to be signed.
    var checkpoints = CheckpointPolicy()
    var hasResumedSigning = false
    var outside: Outside?
    /// A checkpoint that has to be kept outside still.
    var owedOutside: String?
    let signingTurn = Turnstile()
    /// What a rotation found not to open, and so cannot finish; looked at again after the next unlock or start.
    var stuck = StuckRecords()
    var walk = SealingWalk()
    /// Versions that are destroyed in storage, kept in memory for calls that were let in before.
    var lingering: [(key: WrappedTenantKey, until: Instant)] = []
    /// Refusals of calls with keys on trial, since the start of this process.
    var refusals: [ProviderKeyID: (at: Instant, count: Int)] = [:]
    /// Keys whose provider is being asked after a first refusal.
    var checking: Set<ProviderKeyID> = []
    static let checksMost = 4

    /// Disk space for what protects.
    private var room: (any SpareRoom)?

    /// What reads the configuration file again for an operator; it returns what it did or throws why not.
    typealias Reload = @Sendable (OperatorID) async throws(CommandRefusal) -> String

    /// What makes a backup, of one tenant or of all; it returns sentences on what it made.
    typealias Backer = @Sendable (_ folder: String, TenantID?) async throws -> [String]

    /// What writes the first records of the audit into a new file, in a form that it knows by its name.
    typealias Exporter = @Sendable (_ file: String, _ form: String, _ records: Int64) async throws -> Void

    init(
        parts: PathParts, state: EngineState, control: any ControlStore, tenants: any TenantStores,
        prober: any KeyProber, keepers: [any KeyKeeper], holds: Set<Target>, log: Logger
    ) {
        self.keepers = keepers
        stored = holds
        self.parts = parts
        self.state = Published(state)
        self.control = control
        self.tenants = tenants
        self.prober = prober
        self.log = log
    }

    /// Carries out one command, for whoever has the role for it. Refusals of commands that name something real are audited too.
    func perform(
        _ command: EngineCommand, secret: SecretDraft?, by who: OperatorID
    )
        async throws(CommandRefusal) -> CommandOutcome
    {
        let who = person(who)
        try await admit(command.operation, on: CommandName.target(of: command), by: who)
        do {
            let outcome = try await carryOut(command, secret: secret, by: who)
            await refreshAuditTail()
            return outcome
        } catch let refusal as CommandRefusal {
            await auditRefusal(command, refusal, by: who)
            throw refusal
        } catch let failure as StorageFailure {
            throw CommandRefusal(Self.code(of: failure), failure.description)
        } catch let refusal as NameRefusal {
            throw CommandRefusal(.invalid, refusal.sentence)
        } catch SealFailure.unsuitable(let what) {
            throw CommandRefusal(.invalid, what)
        } catch let failure as SealFailure {
            throw CommandRefusal(failure == .locked ? .sealed : .conflict, failure.description)
        } catch {
            log.error(
                "command failed",
                metadata: ["command": "\(command.operation.rawValue)", "error": "\(type(of: error))"])
            throw CommandRefusal(.storage, "the command failed inside the gateway; nothing was changed")
        }
    }

    private func carryOut(
        _ command: EngineCommand, secret: SecretDraft?, by who: OperatorID
    ) async throws
        -> CommandOutcome
    {
        switch command {
        case .keyAdd(let tenant, let provider, let label, let accept):
            try await addKey(tenant, provider, label, acceptUnverified: accept, secret: secret, by: who)
        case .keyVerify(let key): try await verifyKey(key, by: who)
        case .keyRotate(let key, let canary, let seconds, let accept):
            try await rotateKey(
                key, canary: canary, drainSeconds: seconds, acceptUnverified: accept, secret: secret, by: who)
        case .providerTest(let provider, let tenant): try await testProvider(provider, tenant: tenant)
        case .configReload: try await reloadConfiguration(by: who)
        case .auditExport(let form, let file?): try await exportAudit(form: form, to: file, by: who)
        case .vaultUnlockOutside(let kind): try await unlockVault(keptBy: kind, pin: secret, by: who)
        case .vaultSlotAdd(let kind): try await addSlot(kind, secret: secret, by: who)
        case .vaultRotateRoot(let kinds, let dropOthers):
            try await rotateRoot(kinds, dropOthers: dropOthers, secret: secret, by: who)
        default: try await alone { try await carryOutAlone(command, secret: secret, by: who) }
        }
    }

    /// Commands that ask nobody outside, and so run whole behind the turnstile.
    private func carryOutAlone(
        _ command: EngineCommand, secret: SecretDraft?, by who: OperatorID
    ) async throws -> CommandOutcome {
        // Rows that decide access are written together with a code that only the open vault can make.
        guard !command.changesAccess || parts.vault.isUnlocked else { throw sealedRefusal }
        return switch command {
        case .tenantAdd(let name, let limits): try await addTenant(name, limits, by: who)
        case .tenantSuspend(let name, let reason):
            try await setStatus(.suspended, of: name, reason: reason, by: who)
        case .tenantResume(let name): try await setStatus(.active, of: name, reason: "", by: who)
        case .tenantDelete(let name, let confirm, let reason):
            try await deleteTenant(name, confirm: confirm, reason: reason, by: who)
        case .tenantPlatformKeys(let name, let used): try await setPlatformKeys(used, of: name, by: who)
        case .keySet(let key, let weight, let models):
            try await setKey(key, weight: weight, models: models, by: who)
        case .drillStart(let tenant, let fault, let percent, let minutes, let reason):
            try await startDrill(
                DrillOrder(fault: fault, percent: percent, minutes: minutes, reason: reason), of: tenant,
                by: who)
        case .drillStop(let tenant, let reason): try await stopDrill(of: tenant, reason: reason, by: who)
        case .keyUndo(let key): try await undoRotation(of: key, by: who)
        case .keyDrain(let key, let seconds, let reason):
            try await drainKey(key, seconds: seconds, reason: reason, by: who)
        case .keyRevoke(let key, let reason): try await revokeKey(key, reason: reason, by: who)
        case .tokenIssue(let order): try await issueToken(order, by: who)
        case .tokenRotate(let key, let overlap): try await rotateToken(key, overlapSeconds: overlap, by: who)
        case .tokenRevoke(let key, let reason): try await revokeToken(key, reason: reason, by: who)
        case .limitSet(let tenant, let owner, let limits):
            try await setLimits(limits, for: owner, of: tenant, by: who)
        case .breakerTrip(let target, let seconds, let reason):
            try await holdBreaker(.open, target, seconds: seconds, reason: reason, by: who)
        case .breakerClose(let target, let seconds, let reason):
            try await holdBreaker(.closed, target, seconds: seconds, reason: reason, by: who)
        case .breakerHold(let target, let seconds, let reason):
            try await holdBreaker(.asIs, target, seconds: seconds, reason: reason, by: who)
        case .breakerRelease(let target, let reason):
            try await releaseBreaker(target, reason: reason, by: who)
        case .cachePurge(let tenant): try await purgeCache(tenant, by: who)
        case .vaultUnlock: try await unlockVault(secret, by: who)
        case .vaultLock(let reason): try await lockVault(reason: reason, by: who)
        case .vaultVerify: try await verifyVault(by: who)
        case .vaultAccept(let reason): try await acceptRows(reason: reason, by: who)
        case .vaultSlotRemove(let slot): try await removeSlot(slot, by: who)
        case .vaultPassphraseChange: try await changePassphrase(secret, by: who)
        case .vaultRotateKeys(let tenant): try await rotateKeys(of: tenant, by: who)
        case .auditExport(let form, nil): try await exportAudit(form: form, by: who)
        case .auditNewLog(let reason): try await startNewLog(reason: reason, by: who)
        case .auditErase(let name, let confirm, let reason):
            try await eraseOperator(name, confirm: confirm, reason: reason, by: who)
        case .backup(let folder, let tenant): try await makeBackup(folder, of: tenant, by: who)
        case .keyAdd, .keyVerify, .keyRotate, .providerTest, .configReload, .vaultUnlockOutside, .auditExport,
            .vaultSlotAdd, .vaultRotateRoot:
            throw CommandRefusal(.storage, "this command does not run alone")
        }
    }

    /// Runs a change while no other one runs.
    func alone<Output>(_ body: () async throws -> Output) async throws -> Output {
        try await turnstile.enter()
        let result: Result<Output, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        await turnstile.leave()
        return try result.get()
    }

    // MARK: State

    /// Changes the state and puts the directory made of it in force.
    func change(_ body: (inout EngineState) -> Void) {
        state.update { old in
            var next = old
            body(&next)
            return next
        }
        parts.directory.store(state.load().directory())
    }

    /// Puts provider keys in force, new ones and changed ones.
    func put(_ rows: [ProviderKeyRecord]) {
        state.update { old in
            var next = old
            for row in rows { next.providerKeys[row.id] = row }
            return next
        }
        parts.directory.store(parts.directory.load().putting(rows))
    }

    func tenant(named name: TenantName) throws(CommandRefusal) -> TenantRecord {
        guard let tenant = state.load().tenant(named: name) else {
            throw CommandRefusal(.notFound, "there is no tenant \(name); see: gatehouse tenant list")
        }
        guard !state.load().findings.tenants.contains(tenant.id) else {
            throw changedElsewhere("tenant \(name)")
        }
        return tenant
    }

    /// Puts another configuration in force, once its change stands in the audit.
    func configure(
        providers: [ProviderName: ProviderDefinition], routes: [ModelName: Route],
        routing: RoutingSettings, roster: OperatorRoster?, note: String, by who: OperatorID
    ) async throws(CommandRefusal) {
        let roster = roster ?? state.load().roster
        do {
            for change in state.load().roster.changes(to: roster) {
                try await control.appendAudit(
                    draft(
                        who, "role.change", change.account, before: change.before, after: change.after,
                        reason: "gatehouse.toml"))
            }
            try await control.appendAudit(draft(who, "config.change", "gatehouse.toml", after: note))
        } catch {
            log.error("the configuration's change could not be audited", metadata: ["why": "\(error)"])
            throw CommandRefusal(
                .storage, "the change cannot be audited, so the old configuration stays in force")
        }
        change { state in
            state.providers = providers
            state.routes = routes
            state.routing = routing
            state.roster = roster
            state.configurationNote = note
        }
        // A name may lead elsewhere now: what was answered from there before is not an answer any more.
        parts.cache.purgeAll()
        await refreshAuditTail()
    }

    func noteConfiguration(_ note: String) { change { $0.configurationNote = note } }

    func onBackup(_ backer: @escaping Backer) { self.backer = backer }

    func onExport(_ exporter: @escaping Exporter) { self.exporter = exporter }

    /// Behind the turnstile: no command changes anything while the copies are made, so that they fit each other.
    private func makeBackup(
        _ folder: String, of name: TenantName?, by who: OperatorID
    ) async throws -> CommandOutcome {
        guard let backer else {
            throw CommandRefusal(.unavailable, "this engine has no data folder to back up")
        }
        guard parts.vault.isUnlocked else { throw sealedRefusal }
        var tenant: TenantID?
        if let name { tenant = try self.tenant(named: name).id }
        guard state.load().findings.isClean else {
            throw CommandRefusal(
                .conflict,
                "rows were changed from outside, and would go into the backup; see: gatehouse vault verify")
        }
        try await control.appendAudit(
            draft(who, "backup.make", name?.text ?? "all", tenant: tenant, after: folder))
        do {
            let lines = try await backer(folder, tenant)
            return CommandOutcome(CommandReceipt(message: "backup made in \(folder)", details: lines))
        } catch {
            throw CommandRefusal(.storage, "no backup was made: \(error)")
        }
    }

    func onReload(_ reload: @escaping Reload) { self.reload = reload }

    /// Hears of keys that no call may use any more.
    func onRetired(_ retired: @escaping @Sendable (ProviderKeyID) -> Void) { self.retired = retired }

    func retire(_ key: ProviderKeyID) {
        parts.secrets.retire(key)
        retired?(key)
    }

    private func reloadConfiguration(by who: OperatorID) async throws -> CommandOutcome {
        guard let reload else { throw CommandRefusal(.unavailable, "this engine has no configuration file") }
        return CommandOutcome(CommandReceipt(message: try await reload(who)))
    }

    // MARK: Audit

    func draft(
        _ who: OperatorID, _ action: String, _ target: String, tenant: TenantID? = nil, before: String = "",
        after: String = "", reason: String = "", result: String = "ok"
    ) -> AuditDraft {
        checkpoints.note(byOperator: !who.via.utf8.elementsEqual("engine".utf8))
        return AuditDraft(
            at: parts.clock.wall, actor: who.name, via: who.via, action: action, target: target,
            tenant: tenant,
            before: before, after: after, reason: reason, result: result, origin: who.origin)
    }

    /// Chains a draft that was written with a change in a tenant's schema, and clears it there. If that fails the
    /// draft stays in the tenant's outbox, and is chained by a later tick or at the next start: the change itself
    /// is in force and its record is safe.
    func settle(_ draft: AuditDraft, of store: any TenantStore) async {
        do {
            try await control.appendAudit(draft)
            try await store.clearAuditOutbox([draft.id])
        } catch {
            log.error("an audit record waits to be chained", metadata: ["why": "\(error)"])
            unsettled.insert(store.tenant)
        }
    }

    /// Chains the record of a command that protects and so acts first; false when that has to wait.
    func auditAfterwards(_ draft: AuditDraft) async -> Bool {
        do {
            try await makingRoom { try await control.appendAudit(draft) }
            return true
        } catch {
            log.error(
                "the audit record of a protective command waits to be chained",
                metadata: ["action": "\(draft.action)", "why": "\(error)"])
            if owed.count < Self.owedMost { owed.append(draft) }
            return false
        }
    }

    func keepRoom(_ room: any SpareRoom) { self.room = room }

    /// Writes; where the disk is full, again in the space that was kept back for it.
    func makingRoom(_ write: () async throws -> Void) async throws {
        do { try await write() } catch StorageFailure.unavailable(let why) {
            guard await room?.giveUp() == true else { throw StorageFailure.unavailable(why) }
            try await write()
        }
    }

    /// Chains what could not be chained before.
    func settleLeftOvers() async {
        await settleProtections()
        while let draft = owed.first {
            guard (try? await control.appendAudit(draft)) != nil else { break }
            owed.removeAll { $0.id == draft.id }
        }
        if protections.isEmpty, owed.isEmpty { await room?.renew() }
        for tenant in unsettled {
            do {
                let store = try await tenants.store(for: tenant)
                for draft in try await store.auditOutbox() {
                    try await control.appendAudit(draft)
                    try await store.clearAuditOutbox([draft.id])
                }
                unsettled.remove(tenant)
            } catch {
                continue
            }
        }
    }

    func refreshAuditTail() async {
        guard let records = try? await control.auditRecords(before: nil, limit: 200) else { return }
        state.update { old in
            var next = old
            next.auditTail = records
            return next
        }
    }

    private func auditRefusal(_ command: EngineCommand, _ refusal: CommandRefusal, by who: OperatorID) async {
        guard refusal.code != .invalid, refusal.code != .notFound else { return }
        let draft = draft(
            who, command.operation.rawValue, CommandName.target(of: command),
            result: "refused: \(refusal.code.rawValue)")
        do {
            try await control.appendAudit(draft)
        } catch {
            log.error("a refused command could not be audited")
        }
        await refreshAuditTail()
    }

    private static func code(of failure: StorageFailure) -> CommandRefusal.Code {
        switch failure {
        case .notFound, .shredded: .notFound
        case .conflict, .stale: .conflict
        case .corrupt, .unavailable: .storage
        }
    }

    /// Whether a record waits that could not be chained.
    var hasOwed: Bool { !owed.isEmpty || !protections.isEmpty }

    func publishChange(_ action: String, _ what: String) {
        parts.publish(
            .changed(.init(action: action, what: what, at: parts.clock.wall)), lane: parts.bus.commonLane)
    }
}

/// What a command is done to, in the audit's words.
enum CommandName {
    static func target(of command: EngineCommand) -> String {
        switch command {
        case .tenantAdd(let name, _), .tenantSuspend(let name, _), .tenantResume(let name),
            .tenantDelete(let name, _, _), .tenantPlatformKeys(let name, _),
            .drillStart(let name, _, _, _, _), .drillStop(let name, _):
            name.text
        case .keyAdd(let tenant, let provider, let label, _): "\(tenant) \(provider)/\(label)"
        case .keyVerify(let key), .keyRotate(let key, _, _, _), .keyUndo(let key), .keyDrain(let key, _, _),
            .keyRevoke(let key, _), .keySet(let key, _, _):
            "key \(key.short)"
        case .tokenIssue(let order): "\(order.tenant) \(order.name)"
        case .tokenRotate(let key, _), .tokenRevoke(let key, _): "token \(key.short)"
        case .limitSet(let tenant, _, _): tenant.text
        case .breakerTrip(let target, _, _), .breakerClose(let target, _, _), .breakerHold(let target, _, _),
            .breakerRelease(let target, _):
            target.description
        case .cachePurge(let tenant): tenant?.text ?? "all"
        case .providerTest(let provider, _): provider.text
        case .vaultUnlock, .vaultUnlockOutside, .vaultLock, .vaultVerify, .vaultAccept, .vaultSlotAdd,
            .vaultSlotRemove,
            .vaultPassphraseChange,
            .vaultRotateRoot:
            "vault"
        case .vaultRotateKeys(let tenant): tenant?.text ?? "vault"
        case .configReload: "gatehouse.toml"
        case .auditExport, .auditNewLog, .auditErase: "audit"
        case .backup(_, let tenant): tenant?.text ?? "all"
        }
    }
}

import Domain

/// The one table of all that an operator can do, with the role that it takes. The raw value is its name in the audit.
///
/// Commands and queries lead here (`EngineCommand.operation`, `EngineQuery.operation`), and so do keys and lines of the
/// console: what is shown as allowed and what the engine allows cannot differ.
public enum EngineOperation: String, Sendable, Hashable, Codable, CaseIterable {
    // To look.
    case status
    case usageReport = "usage.report"
    case auditList = "audit.list"
    case auditLog = "audit.log"
    case auditVerify = "audit.verify"
    case callList = "call.list"
    case limitList = "limit.list"
    case changePreview = "change.preview"
    case routeExplain = "route.explain"
    case routeList = "route.list"

    // To keep calls going.
    case breakerTrip = "breaker.trip"
    case breakerClose = "breaker.close"
    case breakerHold = "breaker.hold"
    case breakerRelease = "breaker.release"
    case keyVerify = "key.verify"
    case keyDrain = "key.drain"
    case keyUndo = "key.undo"
    case providerTest = "provider.test"
    case drillStart = "drill.start"
    case drillStop = "drill.stop"
    case cachePurge = "cache.purge"
    case tenantSuspend = "tenant.suspend"
    case tenantResume = "tenant.resume"

    // To give and take access.
    case tenantAdd = "tenant.add"
    case tenantDelete = "tenant.delete"
    case tenantPlatformKeys = "tenant.platform_keys"
    case keyAdd = "key.add"
    case keyRotate = "key.rotate"
    case keyRevoke = "key.revoke"
    case keySet = "key.set"
    case tokenIssue = "token.issue"
    case tokenRotate = "token.rotate"
    case tokenRevoke = "token.revoke"
    case limitSet = "limit.set"
    case vaultUnlock = "vault.unlock"
    case vaultLock = "vault.lock"
    case vaultVerify = "vault.verify"
    case vaultAccept = "vault.accept"
    case vaultSlotAdd = "vault.slot_add"
    case vaultSlotRemove = "vault.slot_remove"
    case vaultPassphrase = "vault.passphrase"
    case vaultRotateRoot = "vault.rotate_root"
    case vaultRotateKeys = "vault.rotate_keys"
    case configReload = "config.reload"
    case configImport = "config.import"
    case auditExport = "audit.export"
    case auditNewLog = "audit.new_log"
    case auditErase = "audit.erase"
    case backupMake = "backup.make"
    case backupRestore = "backup.restore"

    /// The least role that it takes.
    public var role: OperatorRole {
        switch self {
        case .status, .usageReport, .auditList, .auditLog, .auditVerify, .callList, .limitList,
            .changePreview, .routeExplain, .routeList:
            .viewer
        case .breakerTrip, .breakerClose, .breakerHold, .breakerRelease, .keyVerify, .keyDrain, .keyUndo,
            .providerTest, .drillStart, .drillStop, .cachePurge, .tenantSuspend, .tenantResume:
            .operator
        case .tenantAdd, .tenantDelete, .tenantPlatformKeys, .keyAdd, .keyRotate, .keyRevoke, .keySet,
            .tokenIssue, .tokenRotate, .tokenRevoke, .limitSet, .vaultUnlock, .vaultLock, .vaultVerify,
            .vaultAccept, .vaultSlotAdd, .vaultSlotRemove, .vaultPassphrase, .vaultRotateRoot,
            .vaultRotateKeys, .configReload, .configImport, .auditExport, .auditNewLog, .auditErase,
            .backupMake, .backupRestore:
            .admin
        }
    }
}

extension EngineCommand {
    /// Its row in the table of operations.
    public var operation: EngineOperation {
        switch self {
        case .tenantAdd: .tenantAdd
        case .tenantSuspend: .tenantSuspend
        case .tenantResume: .tenantResume
        case .tenantDelete: .tenantDelete
        case .tenantPlatformKeys: .tenantPlatformKeys
        case .keySet: .keySet
        case .drillStart: .drillStart
        case .drillStop: .drillStop
        case .keyAdd: .keyAdd
        case .keyVerify: .keyVerify
        case .keyRotate: .keyRotate
        case .keyUndo: .keyUndo
        case .keyDrain: .keyDrain
        case .keyRevoke: .keyRevoke
        case .tokenIssue: .tokenIssue
        case .tokenRotate: .tokenRotate
        case .tokenRevoke: .tokenRevoke
        case .limitSet: .limitSet
        case .breakerTrip: .breakerTrip
        case .breakerClose: .breakerClose
        case .breakerHold: .breakerHold
        case .breakerRelease: .breakerRelease
        case .cachePurge: .cachePurge
        case .providerTest: .providerTest
        case .vaultUnlock, .vaultUnlockOutside: .vaultUnlock
        case .vaultLock: .vaultLock
        case .vaultVerify: .vaultVerify
        case .vaultAccept: .vaultAccept
        case .vaultSlotAdd: .vaultSlotAdd
        case .vaultSlotRemove: .vaultSlotRemove
        case .vaultPassphraseChange: .vaultPassphrase
        case .vaultRotateRoot: .vaultRotateRoot
        case .vaultRotateKeys: .vaultRotateKeys
        case .configReload: .configReload
        case .auditExport: .auditExport
        case .auditNewLog: .auditNewLog
        case .auditErase: .auditErase
        case .backup: .backupMake
        }
    }
}

extension EngineQuery {
    /// Its row in the table of operations.
    public var operation: EngineOperation {
        switch self {
        case .usageReport: .usageReport
        case .audit: .auditList
        // What an export is made of: the whole audit, with what verifies it.
        case .auditFrom, .checkpoints: .auditExport
        case .auditLog: .auditLog
        case .verifyAudit: .auditVerify
        case .calls: .callList
        case .limits: .limitList
        case .blastRadius: .changePreview
        case .route: .routeExplain
        case .routes: .routeList
        }
    }

    /// Whose figures it asks for; empty = no one tenant's.
    public var target: String {
        switch self {
        case .calls(let tenant, _), .limits(let tenant), .route(_, let tenant): tenant.text
        case .usageReport(let query): query.tenant?.text ?? ""
        case .audit, .auditFrom, .checkpoints, .auditLog, .verifyAudit, .blastRadius, .routes: ""
        }
    }
}

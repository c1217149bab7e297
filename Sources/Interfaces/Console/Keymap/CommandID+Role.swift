import Operations

extension CommandID {
    /// What it does in the engine, by the table of operations; nil = it only changes the screen, or, for `undo`, it is as
    /// what it takes back.
    var operation: EngineOperation? {
        switch self {
        case .up, .down, .top, .bottom, .halfUp, .halfDown, .pageUp, .pageDown, .left, .right, .enter, .back,
            .nextRegion, .previousRegion, .filter, .nextError, .previousError, .sort, .reverse, .pause, .copy,
            .go, .help, .theme, .palette, .redraw, .quit, .mouse, .undo, .group, .trafficThen, .filterActor:
            nil
        case .trip: .breakerTrip
        case .close: .breakerClose
        case .hold: .breakerHold
        case .release: .breakerRelease
        case .testProvider: .providerTest
        case .addKey: .keyAdd
        case .rotateKey: .keyRotate
        case .drainKey: .keyDrain
        case .revokeKey: .keyRevoke
        case .verifyKey: .keyVerify
        case .issueToken: .tokenIssue
        case .rotateToken: .tokenRotate
        case .revokeToken: .tokenRevoke
        case .addTenant: .tenantAdd
        case .suspendTenant: .tenantSuspend
        case .purgeCache: .cachePurge
        case .drill: .drillStart
        case .route: .routeExplain
        case .unlock: .vaultUnlock
        case .verifyAudit: .auditVerify
        case .exportAudit: .auditExport
        }
    }
}

extension PaletteAction.Deed {
    /// The same for a line of the palette.
    var operation: EngineOperation? {
        switch self {
        case .command(let command), .on(_, let command): command.operation
        case .open, .theme: nil
        case .addTenant: .tenantAdd
        case .purgeEvery: .cachePurge
        case .lockVault: .vaultLock
        case .route: .routeExplain
        case .weight: .changePreview
        case .reload: .configReload
        }
    }
}

extension ConsoleModel {
    /// Why an operation is not this operator's; nil when it is. The engine asks again: this only saves the way.
    func missingRole(for operation: EngineOperation?) -> String? {
        guard let operation else { return nil }
        guard let role = live.role else { return "no role" }
        return role < operation.role ? "needs role \(operation.role.rawValue)" : nil
    }
}

import Domain
import Operations

extension Keymap {
    /// Why a command cannot be given now, in a few words; nil when it can.
    static func reason(_ command: CommandID, danger: Danger, _ model: ConsoleModel) -> String? {
        if danger != .none, model.isReadOnly { return "read-only" }
        let operation = command == .undo ? model.undoCommand?.command.operation : command.operation
        if let missing = model.missingRole(for: operation) { return missing }
        if danger != .none, model.pending != nil { return "a command is running" }
        return switch command {
        case .enter: enterReason(model)
        case .trip, .close, .hold, .testProvider: model.selectedTarget == nil ? "no target selected" : nil
        case .release: releaseReason(model)
        case .rotateKey, .drainKey, .revokeKey, .verifyKey: keyReason(command, model)
        case .addKey: addKeyReason(model)
        case .issueToken: model.live.tenants.isEmpty ? "no tenant yet" : nil
        case .rotateToken, .revokeToken: tokenReason(model)
        case .route: model.selectedRoute == nil ? "no model and tenant selected" : nil
        case .suspendTenant, .purgeCache, .drill: model.selectedTenant == nil ? "no tenant selected" : nil
        case .undo: model.undoCommand == nil ? "nothing to undo" : nil
        case .trafficThen: trafficReason(model)
        case .filterActor:
            model.selectedRecord.map { $0.draft.actor.isEmpty ? "who it was is erased" : nil }
                ?? "no record selected"
        case .unlock: model.live.vault.unlocked ? "the vault is unlocked" : nil
        default: nil
        }
    }

    private static func enterReason(_ model: ConsoleModel) -> String? {
        switch model.selected {
        case nil: "nothing selected"
        case .audit(let number)?:
            model.shown.audit.first { $0.sequence == number }?.draft.tenant == nil
                ? "it is of no tenant" : nil
        case .group?: model.pane == .costs && model.state.grouping == 0 ? nil : "nothing behind it"
        default: nil
        }
    }

    private static func trafficReason(_ model: ConsoleModel) -> String? {
        guard let record = model.selectedRecord else { return "no record selected" }
        return model.call(at: record.draft.at) == nil ? "no call of that time is held" : nil
    }

    private static func releaseReason(_ model: ConsoleModel) -> String? {
        guard let target = model.selectedTarget else { return "no target selected" }
        return target.hold == nil ? "no hold on it" : nil
    }

    private static func addKeyReason(_ model: ConsoleModel) -> String? {
        if !model.live.vault.unlocked { return "the vault is sealed" }
        if model.live.tenants.isEmpty { return "no tenant yet" }
        return model.live.providers.isEmpty ? "no provider yet" : nil
    }

    private static func keyReason(_ command: CommandID, _ model: ConsoleModel) -> String? {
        guard let key = model.selectedProviderKey else { return "no key selected" }
        if key.state == .revoked { return "it is revoked" }
        if command == .drainKey || command == .rotateKey, key.state != .active { return "it is not active" }
        if command == .verifyKey, key.state == .damaged { return "it is damaged" }
        let needsVault = command == .rotateKey || command == .verifyKey
        return needsVault && !model.live.vault.unlocked ? "the vault is sealed" : nil
    }

    private static func tokenReason(_ model: ConsoleModel) -> String? {
        guard let key = model.selectedVirtualKey else { return "no virtual key selected" }
        return key.revoked == nil ? nil : "it is revoked"
    }
}

/// What the cursor stands on, in the newest picture.
extension ConsoleModel {
    var selectedTarget: TargetView? {
        guard case .target(let target)? = selected else { return nil }
        return live.targets.first { $0.target == target }
    }

    var selectedProviderKey: ProviderKeyView? {
        guard case .providerKey(let id)? = selected else { return nil }
        return live.providerKeys.first { $0.id == id }
    }

    var selectedVirtualKey: VirtualKeyView? {
        guard case .virtualKey(let id)? = selected else { return nil }
        return live.virtualKeys.first { $0.id == id }
    }

    /// The tenant under the cursor, or the one whose screen is open.
    var selectedTenant: TenantView? {
        if case .tenant(let id)? = states[pane]?.drilled { return live.tenants.first { $0.id == id } }
        guard case .tenant(let id)? = selected else { return nil }
        return live.tenants.first { $0.id == id }
    }

    /// The drill that is on for a tenant.
    func drill(of tenant: TenantName) -> DrillView? { live.drills.first { $0.tenant == tenant } }

    /// The model and the tenant of what the cursor stands on: a call, or a model on a tenant's screen.
    var selectedRoute: (model: ModelName, tenant: TenantName)? {
        switch selected {
        case .call(let id)?:
            let calls = shownCalls
            guard let age = (0..<calls.count).first(where: { calls[$0].row.call == id }),
                let tenant = live.tenants.first(where: { $0.id == calls[age].row.tenant }),
                let model = try? ModelName(calls[age].row.model)
            else { return nil }
            return (model, tenant.name)
        case .group(let text)? where pane == .tenants:
            guard let tenant = selectedTenant,
                let line = tenant.models.first(where: { TenantsPane.name(of: $0) == text }),
                let model = try? ModelName(line.model)
            else { return nil }
            return (model, tenant.name)
        default: return nil
        }
    }

    /// What `u` would take back: the last command, or the rotation of the key under the cursor.
    var undoCommand: (command: EngineCommand, words: String)? {
        if let undo, undo.until > wall { return (undo.command, undo.words) }
        if pane == .audit { return selectedRecord.flatMap(undo(of:)) }
        guard pane == .keys, let key = selectedProviderKey else { return nil }
        let isReplaced = key.state == .draining && key.successor != nil
        let isOnTrial =
            key.state == .canary
            || live.providerKeys.contains { $0.state == .canary && $0.predecessor == key.id }
        if isOnTrial {
            return (.keyUndo(key: key.id), "end the trial of the new \(key.provider)/\(key.label)")
        }
        guard isReplaced else { return nil }
        return (.keyUndo(key: key.id), "put traffic back on \(key.provider)/\(key.label)")
    }
}

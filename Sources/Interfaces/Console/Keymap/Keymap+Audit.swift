import Domain
import Operations

/// What an audit record leads to: the calls of its time, and the command that takes it back.
extension ConsoleModel {
    /// The record under the cursor of the audit pane.
    var selectedRecord: AuditRecord? {
        guard case .audit(let number)? = selected else { return nil }
        return shown.audit.first { $0.sequence == number }
    }

    /// The call that ended last before an instant, or the first one after it; nil when the calls that are held do not
    /// reach back so far.
    func call(at instant: WallTime) -> CallID? {
        let calls = shownCalls
        guard calls.count > 0, calls[calls.count - 1].row.at <= instant else { return nil }
        return (0..<calls.count).first { calls[$0].row.at <= instant }.map { calls[$0].row.call }
    }

    /// Shows the traffic of the selected record's time: paused, so that it stays where it is.
    mutating func showTrafficThen() {
        guard let record = selectedRecord, let call = call(at: record.draft.at) else { return }
        if paused == nil { paused = PausedView(snapshot: live, names: liveNames, calls: calls, at: wall) }
        open(.call(call))
    }

    /// Shows what the selected record's operator did and nobody else's; the same key again shows all.
    mutating func filterByActor() {
        guard let actor = selectedRecord?.draft.actor.split(separator: " ").first else { return }
        let wanted = "actor=\(actor)"
        state.filter = state.filter.utf8.elementsEqual(wanted.utf8) ? "" : wanted
        pinSelections()
    }

    /// The command that takes back what a record tells of, while its effect still stands.
    func undo(of record: AuditRecord) -> (command: EngineCommand, words: String)? {
        let draft = record.draft
        guard draft.result.utf8.elementsEqual("ok".utf8) else { return nil }
        let reason = "undo of #\(record.sequence)"
        switch draft.action {
        case "breaker.trip", "breaker.close", "breaker.hold":
            let target = live.targets.first { $0.target.description.utf8.elementsEqual(draft.target.utf8) }
            // Another hold may have come after: what is undone is the one that the record is of.
            guard let target, let hold = target.hold, hold.owner.utf8.elementsEqual(draft.actor.utf8),
                abs(draft.at.milliseconds - hold.since.milliseconds) < 1_000
            else { return nil }
            return (.breakerRelease(target: target.target, reason: reason), "the hold on \(target.target)")
        case "tenant.suspend":
            guard let tenant = tenant(of: draft), tenant.status == .suspended else { return nil }
            return (.tenantResume(name: tenant.name), "the suspension of \(tenant.name)")
        case "tenant.resume":
            guard let tenant = tenant(of: draft), tenant.status == .active else { return nil }
            return (.tenantSuspend(name: tenant.name, reason: reason), "the resumption of \(tenant.name)")
        case "drill.start":
            guard let tenant = tenant(of: draft), drill(of: tenant.name) != nil else { return nil }
            return (.drillStop(tenant: tenant.name, reason: reason), "the drill of \(tenant.name)")
        default: return nil
        }
    }

    private func tenant(of draft: AuditDraft) -> TenantView? {
        draft.tenant.flatMap { id in live.tenants.first { $0.id == id } }
    }
}

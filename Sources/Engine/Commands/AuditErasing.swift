import Domain
import Operations
import Storage

/// Takes out of the audit who an operator was: each record holds a commitment in his place, so every proof stays valid.
extension CommandDesk {
    /// Who acts for the gateway itself: nobody whose data could be erased.
    private static let own = "gateway"

    func eraseOperator(
        _ name: String, confirm: String, reason: String, by who: OperatorID
    ) async throws -> CommandOutcome {
        guard !name.isEmpty, !name.utf8.elementsEqual(Self.own.utf8) else {
            throw CommandRefusal(.invalid, "\(Self.own) is no person: there is nothing to erase")
        }
        guard confirm.utf8.elementsEqual(name.utf8) else {
            throw CommandRefusal(
                .invalid, "this cannot be undone; to go on repeat the name: --confirm '\(name)'")
        }
        guard !reason.isEmpty, reason.utf8.count <= 200 else {
            throw CommandRefusal(.invalid, "a reason has 1 to 200 characters")
        }
        // A record that waits to be chained would name him afterwards.
        await settleLeftOvers()
        guard unsettled.isEmpty, !hasOwed else {
            throw CommandRefusal(
                .storage,
                "audit records wait to be written, and may name the operator; try again when they are")
        }
        let order = draft(who, "audit.erase", "audit", reason: reason)
        let erasure = try await control.eraseOperator(name) { found in
            AuditDraft(
                id: order.id, at: order.at, actor: order.actor, via: order.via, action: order.action,
                target: order.target, before: "an operator in \(found.erased) records", after: "erased",
                reason: order.reason, origin: order.origin)
        }
        publishChange("audit.erase", "an operator is erased from the audit")
        return CommandOutcome(receipt(of: erasure))
    }

    private func receipt(of erasure: AuditErasure) -> CommandReceipt {
        var details = [
            "the chain and its checkpoints verify as before: gatehouse audit verify",
            "exports, backups, copies of the data folder and logs from before still name the operator: delete them",
        ]
        if erasure.kept > 0 {
            details.append(
                "\(erasure.kept) records from before the audit had a tree keep the name, which is hashed there"
            )
        }
        if !erasure.isEmptied {
            details.append("the control database's log could not be emptied now; a restart does it")
        }
        return CommandReceipt(
            message: "erased in \(erasure.erased) records who the operator was", details: details,
            isBad: erasure.kept > 0 || !erasure.isEmptied)
    }
}

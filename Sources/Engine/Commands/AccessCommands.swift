import Domain
import Locking
import Logging
import Operations
import Storage
import Vault

/// The rows that decide access: checked after an unlock, accepted by an operator.
extension CommandDesk {
    /// Checks the rows, now that the vault is open, and puts in force what may be used.
    func settleAccess(by who: OperatorID) async throws -> AccessFindings {
        let (contents, found) = try await AccessGate.settle(
            control, vault: parts.vault, actor: who.name, via: who.via, at: parts.clock.wall)
        change { $0.take(contents, found) }
        for sentence in found.sentences {
            log.error("a row that decides access cannot be trusted", metadata: ["what": "\(sentence)"])
        }
        return found
    }

    /// Gives all rows new codes as they stand. What they say is what is used from then on, so somebody has to have
    /// looked; the findings go to the audit.
    func acceptRows(reason: String, by who: OperatorID) async throws -> CommandOutcome {
        guard !reason.isEmpty, reason.utf8.count <= 200 else {
            throw CommandRefusal(.invalid, "--reason takes 1 to 200 characters")
        }
        let found = try await control.checkRows()
        guard !found.isClean else {
            throw CommandRefusal(.conflict, "every row carries its code; there is nothing to accept")
        }
        let record = try vaultRecord()
        try await control.codeRows(
            try parts.vault.sealRing(record, keys: state.load().tenantKeys),
            hashing: try AccessGate.peppering(with: parts.vault),
            audit: draft(
                who, "vault.accept", "vault", before: found.sentences.prefix(20).joined(separator: "; "),
                after: "\(found.rows) rows as they stand", reason: reason))
        let now = try await settleAccess(by: who)
        publishChange("vault.accept", "rows that decide access were accepted")
        return CommandOutcome(
            CommandReceipt(
                message: "\(found.rows) rows are taken as they stand", details: found.sentences,
                isBad: !now.isClean))
    }

    func changedElsewhere(_ what: String) -> CommandRefusal {
        CommandRefusal(
            .conflict,
            "the stored row of \(what) was changed by something else than gatehouse and is not used; see: "
                + "gatehouse vault verify, then restore it from a backup, or take it as it stands with: "
                + "gatehouse vault accept --reason TEXT")
    }
}

import Cipher
import Domain
import Locking
import Logging
import Operations
import Storage
import Vault

/// Checkpoints of the audit: signed while the vault is open, stored, and handed to whatever keeps them outside.
///
/// While the vault is sealed nothing can be signed: records are chained all the same, and the first checkpoint after the
/// unlock covers them. Until then only the chain speaks for them.
extension CommandDesk {
    /// Keeps a checkpoint where the data folder's administrator cannot rewrite it; throws when that did not work.
    typealias Outside = @Sendable (_ note: String) throws -> Void

    func onCheckpoint(_ outside: @escaping Outside) { self.outside = outside }

    /// Signs what is not signed yet, when it is due. `force`: at shutdown and after a command beside an engine.
    func signAudit(force: Bool = false) async {
        do {
            try await signingTurn.enter()
        } catch {
            return
        }
        do {
            try await resumeSigning()
            try await signIfDue(force: force)
            try await handOutside()
            noteSigning("")
        } catch is CancellationError {
            // The gateway stops: it signs once more at its end.
        } catch {
            noteSigning("\(error)")
        }
        await signingTurn.leave()
    }

    /// Takes up where the run before ended.
    private func resumeSigning() async throws {
        guard !hasResumedSigning, let key = auditKey else { return }
        if let last = try await control.lastCheckpoint(), last.origin.utf8.elementsEqual(key.origin.utf8) {
            checkpoints.resume(at: last.size)
            // The file outside may have missed it.
            owedOutside = last.note
        }
        hasResumedSigning = true
    }

    private func signIfDue(force: Bool) async throws {
        guard parts.vault.isUnlocked, let signer = state.load().vault?.auditSigner, let key = auditKey else {
            return
        }
        let head = try await control.auditHead()
        guard head.size >= checkpoints.signed else {
            throw StorageFailure.corrupt("the audit has fewer records than were signed")
        }
        guard
            checkpoints.isDue(records: head.size, at: parts.clock.now)
                || (force && head.size > checkpoints.signed)
        else { return }
        let vault = parts.vault
        let checkpoint = try AuditCheckpoint(
            of: head, key: key, at: parts.clock.wall, hashing: { SHA256.digest($0) },
            signing: { try vault.sign($0, with: signer) })
        try await control.appendCheckpoint(
            StoredCheckpoint(
                origin: key.origin, size: head.size, at: parts.clock.wall, note: checkpoint.note))
        checkpoints.didSign(head.size, at: parts.clock.now)
        owedOutside = checkpoint.note
    }

    private func handOutside() async throws {
        guard let outside, let note = owedOutside else { return }
        try await Self.aside { try outside(note) }
        if owedOutside == note { owedOutside = nil }
    }

    /// Says once what is in the way, and once that it is gone.
    private func noteSigning(_ trouble: String) {
        guard !state.load().auditSigning.utf8.elementsEqual(trouble.utf8) else { return }
        if trouble.isEmpty {
            log.notice("checkpoints of the audit are written again")
        } else {
            log.error("a checkpoint of the audit could not be kept", metadata: ["why": "\(trouble)"])
        }
        change { $0.auditSigning = trouble }
    }

    /// The log and its public key; nil in a vault that has none yet.
    var auditKey: AuditLogKey? { state.load().vault?.auditLogKey }

    /// Gives a vault from before there were checkpoints a log of its own.
    func makeAuditSigner(by who: OperatorID) async throws {
        var record = try vaultRecord()
        guard parts.vault.isUnlocked, record.auditSigner == nil else { return }
        record.auditSigner = try parts.vault.makeAuditSigner()
        try await changeVault(
            record,
            audit: draft(who, "audit.new_log", "audit", after: record.auditLogKey?.origin ?? ""))
    }

    // MARK: Commands

    /// What leaves the gateway is said before it does.
    func exportAudit(form: String, by who: OperatorID) async throws -> CommandOutcome {
        guard form.utf8.count <= 40 else {
            throw CommandRefusal(.invalid, "a form has at most 40 characters")
        }
        let record = try await control.appendAudit(
            draft(who, "audit.export", "audit", after: form))
        await signAudit(force: true)
        return CommandOutcome(
            CommandReceipt(
                message: "\(record.sequence) records are exported", details: ["\(record.sequence)"]))
    }

    /// The export and its record. Only the record holds up other commands: an audit can be long.
    func exportAudit(form: String, to file: String, by who: OperatorID) async throws -> CommandOutcome {
        guard let exporter else {
            throw CommandRefusal(.unavailable, "this engine writes no exports; use: gatehouse audit export")
        }
        let outcome = try await alone { try await exportAudit(form: form, by: who) }
        let records = outcome.receipt.details.first.flatMap { Int64($0) } ?? 0
        do {
            try await exporter(file, form, records)
        } catch {
            throw CommandRefusal(.storage, "the export is in the audit, but was not written: \(error)")
        }
        return CommandOutcome(
            CommandReceipt(
                message: "\(records) records are in \(file)",
                details: form.utf8.elementsEqual("jsonl".utf8)
                    ? ["anyone verifies it with: gatehouse audit verify FILE --public-key FINGERPRINT"]
                    : ["a table for spreadsheets: it cannot be verified"]))
    }

    /// A new log over the same records: its first new one names the old origin, size and root.
    func startNewLog(reason: String, by who: OperatorID) async throws -> CommandOutcome {
        guard parts.vault.isUnlocked else { throw sealedRefusal }
        guard !reason.isEmpty, reason.utf8.count <= 200 else {
            throw CommandRefusal(.invalid, "a reason of 1 to 200 characters is needed: it goes to the audit")
        }
        var record = try vaultRecord()
        let old = record.auditLogKey?.origin ?? "none"
        let head = try await control.auditHead()
        record.auditSigner = try parts.vault.makeAuditSigner()
        let new = record.auditLogKey
        try await changeVault(
            record,
            audit: draft(
                who, "audit.new_log", "audit",
                before: "\(old) size \(head.size) root \(hexadecimalText(of: head.root.bytes))",
                after: new?.origin ?? "", reason: reason))
        checkpoints.restart()
        owedOutside = nil
        await signAudit(force: true)
        return CommandOutcome(
            CommandReceipt(
                message: "the audit goes on as a new log",
                details: [
                    "old \(old)", "new \(new?.origin ?? "")",
                    "fingerprint of its key: \(new?.fingerprint(hashing: { SHA256.digest($0) }) ?? "")",
                ]))
    }

    func auditLog() async throws -> AuditLogView {
        let head = try await control.auditHead()
        let last = try await control.lastCheckpoint()
        let key = auditKey
        let isOurs = last.map { $0.origin.utf8.elementsEqual((key?.origin ?? "").utf8) } ?? false
        return AuditLogView(
            origin: key?.origin ?? "", verifierKey: key?.verifierKey(hashing: { SHA256.digest($0) }) ?? "",
            fingerprint: key?.fingerprint(hashing: { SHA256.digest($0) }) ?? "", records: head.size,
            head: hexadecimalText(of: head.head), root: hexadecimalText(of: head.root.bytes),
            signed: isOurs ? last?.size ?? 0 : 0, signedAt: isOurs ? last?.at : nil,
            trouble: state.load().auditSigning)
    }
}

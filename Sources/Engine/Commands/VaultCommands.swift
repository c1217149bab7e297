import Cipher
import Domain
import Locking
import Logging
import Operations
import Storage
import Vault

/// The vault: unlock, lock, verify.
extension CommandDesk {
    func unlockVault(_ secret: SecretDraft?, by who: OperatorID) async throws -> CommandOutcome {
        let record = try sealedRecord()
        guard let secret else { throw CommandRefusal(.invalid, "the passphrase is needed") }
        return try await unlockVault(by: who) { vault, keys in
            try Self.unlock(vault, record, keys, with: secret)
        }
    }

    /// The record of a vault that is to be opened.
    func sealedRecord() throws(CommandRefusal) -> VaultRecord {
        guard !parts.vault.isUnlocked else {
            throw CommandRefusal(.conflict, "the vault is unlocked already")
        }
        return try vaultRecord()
    }

    /// `open` answers how many tenants have a key that does not open. Only behind the turnstile.
    func unlockVault(
        by who: OperatorID, _ open: (KeyVault, [WrappedTenantKey]) throws -> Int
    ) async throws -> CommandOutcome {
        let damagedTenants: Int
        do {
            damagedTenants = try open(parts.vault, state.load().tenantKeys)
        } catch {
            try await control.appendAudit(draft(who, "vault.unlock", "vault", result: "refused"))
            await refreshAuditTail()
            throw CommandRefusal(.invalid, "the vault did not open: \(error)")
        }
        do {
            try await control.appendAudit(
                draft(who, "vault.unlock", "vault", before: "sealed", after: "unlocked"))
        } catch {
            parts.vault.lock()
            throw error
        }
        let found: AccessFindings
        do {
            found = try await settleAccess(by: who)
        } catch {
            parts.vault.lock()
            throw error
        }
        let damagedKeys = markDamagedKeys()
        publishChange("vault.unlock", "vault unlocked")
        var details = Array(found.sentences.prefix(Self.findingsMost))
        if damagedTenants > 0 { details.append("\(damagedTenants) tenants' data keys are damaged") }
        if damagedKeys > 0 {
            details.append("\(damagedKeys) provider keys are damaged and not used; see: gatehouse key list")
        }
        return CommandOutcome(
            CommandReceipt(message: "the vault is unlocked", details: details, isBad: !found.isClean))
    }

    /// Finds sealed records that do not open, as a start with an open vault does; returns how many there are.
    private func markDamagedKeys() -> Int {
        let damaged = state.load().providerKeys.values.filter { key in
            guard key.state != .revoked, key.state != .damaged else { return false }
            do throws(SealFailure) {
                try parts.vault.verifyProviderKey(key)
                return false
            } catch {
                return true
            }
        }
        for key in damaged {
            log.error(
                "a sealed provider key does not open; it is shown as DAMAGED and not used",
                metadata: ["key": "\(key.provider)/\(key.label)", "id": "\(key.id.short)"])
        }
        change { state in for key in damaged { state.providerKeys[key.id]?.state = .damaged } }
        return damaged.count
    }

    /// Whatever slot it is for: passphrase, key file's content, recovery key.
    private static func unlock(
        _ vault: KeyVault, _ record: VaultRecord, _ keys: [WrappedTenantKey], with secret: SecretDraft
    ) throws -> Int {
        let bytes = try secret.withBytes { (bytes) throws(CipherFailure) in try SecretBytes(copying: bytes) }
        return try vault.unlock(record, keys: keys, withAny: bytes).count
    }

    // MARK: Lock

    /// Acts first: a vault that has to be locked is locked also while the disk is full, and its record follows.
    func lockVault(reason: String, by who: OperatorID) async throws -> CommandOutcome {
        guard parts.vault.isUnlocked else {
            throw CommandRefusal(.conflict, "the vault is locked already")
        }
        guard reason.utf8.count <= 200 else {
            throw CommandRefusal(.invalid, "a reason has at most 200 characters")
        }
        parts.vault.lock()
        parts.secrets.dropAll()
        let isAudited = await auditAfterwards(
            draft(who, "vault.lock", "vault", before: "unlocked", after: "sealed", reason: reason))
        publishChange("vault.lock", "vault locked")
        var details = [
            "every key is gone from memory; a call that is being sent at this moment ends with the key it has",
            "new calls get a 503 until: gatehouse vault unlock",
        ]
        if !isAudited { details.append("the audit cannot be written now; the record follows when it can") }
        return CommandOutcome(
            CommandReceipt(message: "the vault is locked", details: details, isBad: !isAudited))
    }

    // MARK: Verify

    /// More lines than anyone reads; the log has all of them.
    private static let findingsMost = 1_000

    /// Opens everything that is sealed, as storage has it, and changes nothing but what is used: a provider key that
    /// does not open is not used any more.
    func verifyVault(by who: OperatorID) async throws -> CommandOutcome {
        guard parts.vault.isUnlocked else { throw sealedRefusal }
        let contents = try await control.load()
        guard let record = contents.vault else {
            throw CommandRefusal(.notFound, "this data folder has no vault; run: gatehouse init")
        }
        var check = VaultCheck(vault: parts.vault)
        check.take(record, keys: contents.tenantKeys)
        let names = Dictionary(
            contents.tenants.map { ($0.id, $0.name.text) }, uniquingKeysWith: { first, _ in first })
        for key in contents.tenantKeys { check.take(key, tenant: names[key.tenant] ?? key.tenant.text) }
        for tenant in contents.tenants {
            do {
                let store = try await tenants.store(for: tenant.id)
                for key in try await store.providerKeys() { check.take(key, tenant: tenant.name.text) }
            } catch {
                check.miss(tenant: tenant.name.text, table: "provider_keys", row: "all", "\(error)")
            }
        }
        let rows = try await control.checkRows()
        for sentence in rows.sentences { check.miss(tenant: "-", table: "access", row: "rows", sentence) }
        let findings = check.findings
        let found = check.failures.isEmpty ? "all open" : "\(check.failures.count) do not open"
        try await control.appendAudit(
            draft(
                who, "vault.verify", "vault", after: "\(check.records) sealed records, \(found)",
                reason: check.failures.prefix(20).map(\.detailed).joined(separator: "; "),
                result: check.failures.isEmpty ? "ok" : "damage found"))
        for failure in check.failures {
            log.error("a sealed record does not open", metadata: ["record": "\(failure.detailed)"])
        }
        let damaged = check.damagedKeys
        change { state in
            state.findings = rows
            for key in damaged where state.providerKeys[key] != nil {
                state.providerKeys[key]?.state = .damaged
            }
        }
        var details = Array(findings.prefix(Self.findingsMost))
        if findings.count > details.count {
            details.append("and \(findings.count - details.count) more: see the log")
        }
        return CommandOutcome(
            CommandReceipt(
                message: "\(check.records) sealed records: \(found)", details: details,
                isBad: !check.failures.isEmpty))
    }
}

/// Collects what a walk over all sealed records found.
struct VaultCheck {
    /// One record that does not open: where it is, and why.
    struct Miss {
        let tenant: String
        let table: String
        let row: String
        let why: String
        /// For the audit and the log alone.
        let detail: String

        var sentence: String { "\(tenant) \(table) \(row): \(why)" }
        var detailed: String { detail.isEmpty ? sentence : "\(sentence) (\(detail))" }
    }

    private let vault: KeyVault
    private(set) var records = 0
    private(set) var failures: [Miss] = []
    private(set) var damagedKeys: [ProviderKeyID] = []

    var findings: [String] { failures.map(\.sentence) }

    init(vault: KeyVault) { self.vault = vault }

    mutating func take(_ record: VaultRecord, keys: [WrappedTenantKey]) {
        records += record.ring.isEmpty ? 1 : 2
        do throws(SealFailure) { try vault.verify(record, keys: keys) } catch {
            let column = error == .keyCheck ? SealedColumns.keyCheck : SealedColumns.keyRing
            miss("-", column, record.id.text, error)
        }
        guard let signer = record.auditSigner else { return }
        records += 1
        do throws(SealFailure) { try vault.verify(signer) } catch {
            miss("-", SealedColumns.auditSigner, signer.log.text, error)
        }
    }

    mutating func take(_ key: WrappedTenantKey, tenant: String) {
        guard key.state != .destroyed else { return }
        records += 1
        do throws(SealFailure) { try vault.verifyTenantKey(key) } catch {
            miss(tenant, SealedColumns.tenantKeyWrap, "version \(key.version)", error)
        }
    }

    mutating func take(_ key: ProviderKeyRecord, tenant: String) {
        guard key.state != .revoked else { return }
        records += 1
        do throws(SealFailure) { try vault.verifyProviderKey(key) } catch {
            damagedKeys.append(key.id)
            miss(tenant, SealedColumns.providerKeySecret, key.id.text, error)
        }
    }

    /// Something that could not even be read.
    mutating func miss(tenant: String, table: String, row: String, _ why: String) {
        records += 1
        failures.append(Miss(tenant: tenant, table: table, row: row, why: why, detail: ""))
    }

    private mutating func miss(_ tenant: String, _ column: SealedColumn, _ row: String, _ why: SealFailure) {
        var detail = ""
        if case .invalid(let what) = why { detail = what.rawValue }
        failures.append(
            Miss(tenant: tenant, table: column.id, row: row, why: why.description, detail: detail))
    }
}

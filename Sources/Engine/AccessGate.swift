import Cipher
public import Domain
public import Storage
public import Vault

/// What has to happen between a vault's unlock and the first call.
public enum AccessGate {
    /// Gives the rows of a data folder from before there were codes their codes, once, and checks all of them. Answers
    /// what storage holds now and which of it is not to be used.
    public static func settle(
        _ control: any ControlStore, vault: KeyVault, actor: String, via: String, at now: WallTime
    ) async throws -> (contents: ControlContents, findings: AccessFindings) {
        let before = try await control.load()
        if let record = before.vault, !record.rowsCoded {
            var next = record
            next.rowsCoded = true
            try await control.codeRows(
                try vault.sealRing(next, keys: before.tenantKeys), hashing: peppering(with: vault),
                audit: AuditDraft(
                    at: now, actor: actor, via: via, action: "vault.code_rows", target: "vault",
                    after: "\(before.tenants.count) tenants, \(before.virtualKeys.count) virtual keys, "
                        + "\(before.limits.count) limits"))
        }
        let findings = try await control.checkRows()
        if !findings.isClean {
            try await control.appendAudit(
                AuditDraft(
                    at: now, actor: actor, via: via, action: "access.distrusted", target: "vault",
                    after: "\(findings.sentences.count) findings",
                    reason: findings.sentences.prefix(20).joined(separator: "; "), result: "damage found"))
        }
        return (try await control.load(), findings)
    }

    /// From the SHA-256 of a virtual key to what it is looked up by.
    static func peppering(with vault: KeyVault) throws -> @Sendable ([UInt8]) throws -> [UInt8] {
        guard let pepper = vault.tokens else { throw SealFailure.locked }
        return { pepper.code(of: $0).bytes }
    }
}

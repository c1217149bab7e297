import Cipher
import Domain
import Operations
import Vault

extension KeyVault {
    /// Opens the vault with what a person typed or a key file holds, by the kind of slot that the vault has.
    func unlock(
        _ record: VaultRecord, keys: [WrappedTenantKey], with secret: SecretDraft
    ) throws -> [TenantID: SealFailure] {
        let bytes = try secret.withBytes { (bytes) throws(CipherFailure) in try SecretBytes(copying: bytes) }
        guard record.slots.contains(where: { $0.kind == .passphrase }) else {
            return try unlock(record, keys: keys, with: .keyFile(bytes))
        }
        return try unlock(record, keys: keys, with: .passphrase(bytes))
    }

    /// A new vault with one slot of the given kind.
    static func make(_ kind: SlotKind, secret: SecretDraft, at now: WallTime) throws -> VaultRecord {
        let bytes = try secret.withBytes { (bytes) throws(CipherFailure) in try SecretBytes(copying: bytes) }
        switch kind {
        case .passphrase: return try create(with: .passphrase(bytes), at: now).record
        case .keyFile: return try create(with: .keyFile(bytes), at: now).record
        }
    }
}

import Cipher
import Domain
import Operations
import Vault

extension KeyVault {
    /// Opens the vault with what a person typed or a key file holds, by the kind of slot that the vault has.
    func unlock(_ record: VaultRecord, with secret: SecretDraft) throws {
        let bytes = try secret.withBytes { (bytes) throws(CipherFailure) in try SecretBytes(copying: bytes) }
        if record.slots.contains(where: { $0.kind == .passphrase }) {
            try unlock(record, with: .passphrase(bytes))
        } else {
            try unlock(record, with: .keyFile(bytes))
        }
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

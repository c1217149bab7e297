import Cipher
import Domain
public import Operations
import Vault

extension KeyVault {
    /// Opens the vault with what a person typed or a key file holds, whatever slot it is for.
    func unlock(
        _ record: VaultRecord, keys: [WrappedTenantKey], with secret: SecretDraft
    ) throws -> [TenantID: SealFailure] {
        let bytes = try secret.withBytes { (bytes) throws(CipherFailure) in try SecretBytes(copying: bytes) }
        return try unlock(record, keys: keys, withAny: bytes)
    }

    /// A new vault with one slot of the given kind.
    static func make(
        _ kind: SlotKind, secret: SecretDraft, at now: WallTime
    ) throws -> (vault: KeyVault, record: VaultRecord) {
        let bytes = try secret.withBytes { (bytes) throws(CipherFailure) in try SecretBytes(copying: bytes) }
        switch kind {
        case .passphrase: return try create(with: .passphrase(bytes), at: now)
        case .keyFile: return try create(with: .keyFile(bytes), at: now)
        case .recovery, .token, .keyService:
            throw SealFailure.unsuitable("a vault begins with a passphrase or a key file")
        }
    }
}

extension SecretDraft {
    /// nil when nobody gave one.
    func pin() throws -> KeeperPIN? {
        guard !isEmpty else { return nil }
        return KeeperPIN(try withBytes { (bytes) throws(CipherFailure) in try SecretBytes(copying: bytes) })
    }
}

/// A recovery key on its way to paper.
public enum RecoveryKit {
    /// The text of a fresh key: four groups.
    public static func make() throws -> SecretDraft {
        try SecureHeap.start()
        let text = try RecoveryKey.text(of: try RandomBytes.secret(count: RecoveryKey.byteCount))
        return text.withBytes { SecretDraft(copying: $0) }
    }

    /// Whether what was typed back is the key, however it is spelt; throws what is wrong with its form.
    public static func matches(_ typed: SecretDraft, _ key: SecretDraft) throws -> Bool {
        func parsed(_ draft: SecretDraft) throws -> SecretBytes {
            try RecoveryKey.parse(
                draft.withBytes { (bytes) throws(CipherFailure) in try SecretBytes(copying: bytes) })
        }
        let left = try parsed(typed)
        let right = try parsed(key)
        return left.withBytes { left in right.withBytes { ConstantTime.equal(left, $0) } }
    }
}

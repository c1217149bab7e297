public import Domain

/// Which log a checkpoint is of, and the key that signs it.
///
/// The origin is `gatehouse/VAULT/LOG`, two ids and no name: whoever may choose names cannot write into a note, and the
/// checkpoints of two logs cannot be exchanged. The key is an Ed25519 key that signs with the time, as witnesses do: type
/// 0x04 of c2sp.org/signed-note, c2sp.org/tlog-cosignature.
public struct AuditLogKey: Sendable, Equatable {
    public let origin: String
    public let publicKey: [UInt8]
    private static let type: UInt8 = 0x04
    private static let prefix = "gatehouse/"

    public init(vault: VaultID, log: AuditLogID, publicKey: [UInt8]) {
        origin = "\(Self.prefix)\(vault.text)/\(log.text)"
        self.publicKey = publicKey
    }

    private init(origin: String, publicKey: [UInt8]) {
        self.origin = origin
        self.publicKey = publicKey
    }

    /// Four bytes that say which key a signature line is by.
    public func id(hashing: Hashing) -> [UInt8] {
        let named = Array(origin.utf8) + [UInt8(ascii: "\n"), Self.type] + publicKey
        return Array(named.withUnsafeBytes { hashing($0).bytes }.prefix(4))
    }

    /// SHA-256 of the public key, 64 hexadecimal digits: to be noted where nobody who administers the gateway can
    /// write.
    public func fingerprint(hashing: Hashing) -> String {
        hexadecimalText(of: publicKey.withUnsafeBytes { hashing($0).bytes })
    }

    /// The key as c2sp.org/signed-note writes one: name, id, type and key.
    public func verifierKey(hashing: Hashing) -> String {
        "\(origin)+\(hexadecimalText(of: id(hashing: hashing)))+\(Base64.text(of: [Self.type] + publicKey))"
    }

    /// Reads a verifier key; nil for anything else.
    public init?(verifierKey text: String, hashing: Hashing) {
        let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let key = Base64.bytes(of: parts[2]), key.count == 33, key[0] == Self.type,
            let origin = Self.origin(parts[0])
        else { return nil }
        self.init(origin: origin, publicKey: Array(key.dropFirst()))
        guard hexadecimalText(of: id(hashing: hashing)).utf8.elementsEqual(parts[1].utf8) else { return nil }
    }

    /// The vault that an origin names.
    public static func vault(of origin: String) -> VaultID? {
        let parts = origin.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count == 3, String(decoding: parts[0], as: UTF8.self) + "/" == prefix else { return nil }
        return VaultID(String(decoding: parts[1], as: UTF8.self))
    }

    private static func origin(_ text: Substring) -> String? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, let vault = VaultID(parts[1]), let log = AuditLogID(parts[2]) else {
            return nil
        }
        let origin = "\(prefix)\(vault.text)/\(log.text)"
        return origin.utf8.elementsEqual(text.utf8) ? origin : nil
    }
}

extension VaultRecord {
    /// The log that the audit is, and its public key; nil in a vault that has none yet.
    public var auditLogKey: AuditLogKey? {
        auditSigner.map { AuditLogKey(vault: id, log: $0.log, publicKey: $0.publicKey) }
    }
}

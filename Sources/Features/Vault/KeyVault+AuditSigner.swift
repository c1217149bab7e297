import Cipher
public import Domain

/// The key that signs checkpoints of the audit: sealed by the root, opened for each signature and forgotten with it.
extension KeyVault {
    /// A new log with a key of its own.
    public func makeAuditSigner() throws(SealFailure) -> AuditSigner {
        try Self.makeAuditSigner(in: openRing())
    }

    static func makeAuditSigner(in ring: KeyRing) throws(SealFailure) -> AuditSigner {
        let secret = try mapped { () throws(CipherFailure) in
            try RandomBytes.secret(count: Ed25519.secretByteCount)
        }
        let publicKey = try mapped { () throws(CipherFailure) in try Ed25519.publicKey(of: secret) }
        var signer = AuditSigner(log: .random(), publicKey: publicKey, sealed: [])
        signer.sealed = try SealedRecord.seal(
            secret, as: signerContext(signer, rootVersion: ring.rootVersion), under: ring.root)
        return signer
    }

    /// Ed25519 over a message; refused when the sealed secret is not the public key's.
    public func sign(_ message: [UInt8], with signer: AuditSigner) throws(SealFailure) -> [UInt8] {
        let secret = try Self.open(signer, in: openRing())
        return try mapped { () throws(CipherFailure) in
            try Ed25519.sign(message, secret: secret, publicKey: signer.publicKey)
        }
    }

    /// Whether the sealed secret opens and is the public key's.
    public func verify(_ signer: AuditSigner) throws(SealFailure) {
        let secret = try Self.open(signer, in: openRing())
        let found = try mapped { () throws(CipherFailure) in try Ed25519.publicKey(of: secret) }
        guard found == signer.publicKey else { throw .invalid(.content) }
    }

    /// The signer as the root `next` holds it.
    static func reseal(
        _ signer: AuditSigner, from ring: KeyRing, to next: KeyRing
    ) throws(SealFailure) -> AuditSigner {
        let secret = try open(signer, in: ring)
        var fresh = signer
        fresh.sealed = try SealedRecord.seal(
            secret, as: signerContext(signer, rootVersion: next.rootVersion), under: next.root)
        return fresh
    }

    private static func open(_ signer: AuditSigner, in ring: KeyRing) throws(SealFailure) -> SecretBytes {
        try SealedRecord.open(
            signer.sealed, expected: signerContext(signer, rootVersion: ring.rootVersion), under: ring.root)
    }

    private static func signerContext(_ signer: AuditSigner, rootVersion: UInt32) -> SealContext {
        SealContext(
            column: SealedColumns.auditSigner, tenant: nil, record: signer.log, sealingVersion: rootVersion,
            counter: 1, binding: signer.publicKey)
    }
}

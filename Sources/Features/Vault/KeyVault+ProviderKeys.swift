public import Cipher
public import Domain

extension KeyVault {
    /// Seals a provider key for one row of one tenant; `counter` is the row's write counter. Uses up one of the
    /// tenant's sealings.
    public func sealProviderKey(
        _ secret: borrowing ProviderSecret, tenant: TenantID, record: ProviderKeyID, counter: UInt32
    ) throws(SealFailure) -> [UInt8] {
        let plaintext = try secret.encoded()
        let active = try takeSealing(of: tenant)
        let context = SealContext(
            column: SealedColumns.providerKeySecret, tenant: tenant, record: record,
            sealingVersion: active.version,
            counter: counter)
        return try SealedRecord.seal(plaintext, as: context, under: active.key)
    }

    /// The secret of a stored provider key, for sending it to `origin`; refused when the key is bound elsewhere.
    public func openProviderKey(
        _ key: ProviderKeyRecord, for origin: Origin
    ) throws(SealFailure) -> SecretBytes {
        try ProviderSecret.decode(openRecord(of: key), provider: key.provider, origin: origin)
    }

    /// Whether a stored provider key opens; for checks, so the secret is wiped at once.
    public func verifyProviderKey(_ key: ProviderKeyRecord) throws(SealFailure) {
        _ = try ProviderSecret.decode(openRecord(of: key), provider: key.provider, origin: nil)
    }

    func openRecord(of key: ProviderKeyRecord) throws(SealFailure) -> SecretBytes {
        let ring = try openRing()
        guard let version = SealedRecord.claimedVersion(of: key.sealed) else { throw .invalid(.tooShort) }
        guard let sealing = ring.key(of: key.tenant, version: version) else { throw .invalid(.sealingKey) }
        let context = SealContext(
            column: SealedColumns.providerKeySecret, tenant: key.tenant, record: key.id,
            sealingVersion: version,
            counter: key.counter)
        return try SealedRecord.open(key.sealed, expected: context, under: sealing)
    }

    /// Six bytes as digits (`9f3c a17e 02b1`) that tell a tenant's provider keys apart.
    ///
    /// HMAC-SHA-256 under a key that only the open vault has: without the vault no guess can be checked against it, and
    /// the same key looks different at another tenant.
    public func fingerprint(of secret: borrowing SecretBytes, tenant: TenantID) throws(SealFailure) -> String
    {
        let ring = try openRing()
        let code: Digest256
        do throws(CipherFailure) {
            let key = try ring.fingerprints.derive(.fingerprint, tenant: tenant)
            code = try secret.withBytes { (secret) throws(CipherFailure) in
                try key.withBytes { (key) throws(CipherFailure) in try HMACSHA256.code(of: secret, key: key) }
            }
        } catch {
            throw SealFailure(error)
        }
        let bytes = code.bytes
        return [bytes[0..<2], bytes[2..<4], bytes[4..<6]].map { hexadecimalText(of: $0) }.joined(
            separator: " ")
    }
}

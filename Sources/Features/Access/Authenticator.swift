public import Cipher
public import Domain

/// A caller whose virtual key is known, unrevoked and in date; the ticket to the authorizer.
public struct Identified: Sendable {
    @usableFromInline let entry: AccessEntry

    // Only the authenticator below makes one, so that no step can be reached without it.
    fileprivate init(entry: AccessEntry) { self.entry = entry }

    // Inlinable: who asks for one field does not get a copy of the record.
    @inlinable public var tenant: TenantRecord { entry.tenant }
    @inlinable public var key: VirtualKeyRecord { entry.key }
}

/// Finds out who calls, from the credential alone.
public enum Authenticator {
    /// Refuses with 401: no credential, several, a malformed, unknown, revoked or expired one. Refuses with 503 while the
    /// vault is sealed, and where something else than the gateway changed the stored rows.
    ///
    /// - Parameter pepper: what hashes of virtual keys are hashed with once more; nil while the vault is sealed.
    public static func identify(
        _ presented: PresentedCredential, directory: AccessDirectory, pepper: PreparedHMAC?, at now: WallTime
    ) throws(CallFailure) -> Identified {
        let token = try presented.token()
        guard VirtualKeyText.isWellFormed(token) else { throw malformed }
        // Without the vault nobody can tell a virtual key from a made-up one.
        guard let pepper else { throw CallFailure.sealedVault }
        guard !directory.isDistrusted else { throw distrusted }
        let hash = pepper.code(ofDigestOf: token)
        guard let entry = directory.entry(for: hash), ConstantTime.equal(entry.hash, hash),
            entry.key.revoked == nil
        else { throw unknown }
        guard !entry.isDistrusted else { throw distrusted }
        if let expires = entry.key.expires, now >= expires { throw expired(at: expires) }
        return Identified(entry: entry)
    }

    // Anyone can compute the checksum, so telling a typing error from an unknown key gives nothing away.
    private static let malformed = CallFailure(
        .invalidKey, source: .caller,
        "this is not a virtual key of this gateway, or it is mistyped; check that it was copied whole")

    /// One answer for unknown and revoked keys: whether a key ever existed is nobody's business.
    private static let unknown = CallFailure(
        .invalidKey, source: .caller, "this virtual key is not accepted; ask your operator for a valid one")

    private static let distrusted = CallFailure(
        .internalFault, source: .gateway,
        "what this gateway has stored about virtual keys was changed from outside, so it is not used; your operator "
            + "has to look: gatehouse vault verify",
        retryAfter: .seconds(60), status: 503)

    private static func expired(at expires: WallTime) -> CallFailure {
        CallFailure(
            .expiredKey, source: .caller,
            "this virtual key expired on \(expires.civil.date) at \(expires.civil.clock) UTC; ask your operator for a new one"
        )
    }
}

import Cipher
package import Domain

/// A caller whose virtual key is known, unrevoked and in date; the ticket to the authorizer.
package struct Identified: Sendable {
    @usableFromInline let entry: AccessEntry

    // Only the authenticator below makes one, so that no step can be reached without it.
    fileprivate init(entry: AccessEntry) { self.entry = entry }

    // Inlinable: who asks for one field does not get a copy of the record.
    @inlinable package var tenant: TenantRecord { entry.tenant }
    @inlinable package var key: VirtualKeyRecord { entry.key }
}

/// Finds out who calls, from the credential alone.
package enum Authenticator {
    /// Refuses with 401: no credential, several, a malformed, unknown, revoked or expired one.
    package static func identify(
        _ presented: PresentedCredential, directory: AccessDirectory, at now: WallTime
    ) throws(CallFailure) -> Identified {
        let token = try presented.token()
        guard VirtualKeyText.isWellFormed(token) else { throw malformed }
        let hash = SHA256.digest(token)
        guard let entry = directory.entry(for: hash), ConstantTime.equal(entry.hash, hash),
            entry.key.revoked == nil
        else { throw unknown }
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

    private static func expired(at expires: WallTime) -> CallFailure {
        CallFailure(
            .expiredKey, source: .caller,
            "this virtual key expired on \(expires.civil.date) at \(expires.civil.clock) UTC; ask your operator for a new one"
        )
    }
}

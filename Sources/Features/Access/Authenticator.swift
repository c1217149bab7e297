import Cipher
package import Domain

/// A caller whose virtual key was found and is in force; only `Authenticator` makes one.
package struct Identified: Sendable {
    package let tenant: TenantRecord
    package let virtualKey: VirtualKeyRecord

    fileprivate init(tenant: TenantRecord, virtualKey: VirtualKeyRecord) {
        self.tenant = tenant
        self.virtualKey = virtualKey
    }
}

/// Finds out who calls.
package struct Authenticator: Sendable {
    package init() {}

    /// Unknown, mistyped and revoked keys get one and the same answer; an expired one is told its date, because only
    /// its holder can ask.
    package func identify(_ presented: PresentedCredential, in directory: AccessDirectory, at now: WallTime)
        throws(CallFailure) -> Identified
    {
        guard presented.wellFormed, let entry = directory.entry(presented.hash),
            ConstantTime.equal(entry.hash, presented.hash), entry.key.revoked == nil
        else {
            throw CallFailure(.invalidKey, source: .caller, "this virtual key is not valid here")
        }
        if let expires = entry.key.expires, expires <= now {
            throw CallFailure(.expiredKey, source: .caller, "this virtual key expired at \(expires)")
        }
        return Identified(tenant: entry.tenant, virtualKey: entry.key)
    }
}

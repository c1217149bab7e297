/// What a sealed record holds; the byte at offset 6 of GWE1. Purposes that are not built are refused.
public enum SealPurpose: UInt8, Sendable, CaseIterable {
    case providerKey = 1
    case tenantKeyWrap = 16
    case keyCheck = 17
    case rootWrap = 18
    case signingKey = 19
    case keyRing = 20

    /// Whether a record of this purpose belongs to a tenant, or to the gateway as a whole.
    var ofTenant: Bool {
        switch self {
        case .providerKey, .tenantKeyWrap: true
        case .keyCheck, .rootWrap, .signingKey, .keyRing: false
        }
    }
}

/// A place in storage that holds sealed records.
public struct SealedColumn: Hashable, Sendable {
    /// The first name the column ever had: it is part of every record's key derivation and must never change,
    /// also when the column is renamed. ASCII, lower case.
    public let id: String
    public let purpose: SealPurpose
}

/// Every column that holds sealed records, so that no rotation or check can forget one.
public enum SealedColumns {
    public static let providerKeySecret = SealedColumn(id: "provider_keys.secret", purpose: .providerKey)
    public static let tenantKeyWrap = SealedColumn(id: "tenant_keys.wrapped", purpose: .tenantKeyWrap)
    public static let keyCheck = SealedColumn(id: "vaults.key_check", purpose: .keyCheck)
    public static let slotRoot = SealedColumn(id: "vault_slots.sealed_root", purpose: .rootWrap)
    public static let keyRing = SealedColumn(id: "vaults.ring", purpose: .keyRing)
    public static let previousRoot = SealedColumn(id: "vaults.previous_root", purpose: .rootWrap)

    public static let auditSigner = SealedColumn(id: "vaults.audit_secret", purpose: .signingKey)

    public static let all = [
        providerKeySecret, tenantKeyWrap, keyCheck, slotRoot, keyRing, previousRoot, auditSigner,
    ]
}

public import Domain

/// What a row stands for: a selection follows this, never a position.
public enum RowID: Hashable, Sendable {
    case target(Target)
    case tenant(TenantID)
    case providerKey(ProviderKeyID)
    case virtualKey(VirtualKeyID)
    case call(CallID)
    case audit(Int64)
    case alert(String)
    /// A line that is a sum: a cost group, a model of a tenant.
    case group(String)
}

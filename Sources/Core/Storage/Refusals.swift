public import Domain

// One sentence per refusal, so that all stores say the same.
extension StorageFailure {
    public static var vaultExists: Self { .conflict("this data folder has a vault already") }

    public static var vaultChanged: Self { .stale("the vault") }

    public static func tenantNameTaken(_ name: TenantName) -> Self {
        .conflict("the tenant name \(name) is taken; choose another")
    }

    public static func alreadyThere(_ what: String) -> Self { .conflict("\(what) is there already") }

    /// A change to a part of a record that never changes, such as a tenant's name.
    public static func fixed(_ what: String) -> Self {
        .conflict("\(what) cannot change: only its status and its limits do")
    }

    public static func otherTenant(_ what: String, _ tenant: TenantID) -> Self {
        .conflict("\(what) belongs to another tenant than \(tenant)")
    }

    public static func otherVault(_ tenant: TenantID) -> Self {
        .conflict("the storage of tenant \(tenant) belongs to another vault")
    }

    public static var limitsElsewhere: Self {
        .conflict("the limits of a tenant and of a virtual key stand in their own records")
    }

    public static func chained(_ draft: AuditDraft) -> Self {
        .conflict("audit record \(draft.id) is chained already: the change was made before")
    }
}

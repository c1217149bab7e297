public import Domain

/// A caller who may use the model it asks for; the ticket to the limits.
public struct Authorized: Sendable {
    @usableFromInline let entry: AccessEntry
    public let model: ModelName

    // Only the authorizer below makes one, so that no step can be reached without it.
    fileprivate init(entry: AccessEntry, model: ModelName) {
        self.entry = entry
        self.model = model
    }

    // Inlined: who asks for one field does not get a copy of the record.
    @inlinable @inline(__always) public var tenant: TenantRecord { entry.tenant }
    @inlinable @inline(__always) public var key: VirtualKeyRecord { entry.key }
}

/// Decides whether an identified caller may use a model.
public enum Authorizer {
    /// Refuses with 403: the tenant is suspended, or the key's list does not name the model.
    public static func check(_ who: Identified, model: ModelName) throws(CallFailure) -> Authorized {
        try requireActive(who)
        guard who.entry.models.allows(model) else {
            throw CallFailure(
                .modelNotAllowed, source: .caller,
                "this virtual key may not use the model '\(model)'; ask your operator to allow it",
                field: "model")
        }
        return Authorized(entry: who.entry, model: model)
    }

    /// Which of some models the caller may use, for listings; refuses with 403 when its tenant is suspended.
    public static func allowed(
        of models: [ModelName], for who: Identified
    ) throws(CallFailure) -> [ModelName] {
        try requireActive(who)
        return models.filter { who.entry.models.allows($0) }
    }

    private static func requireActive(_ who: Identified) throws(CallFailure) {
        guard who.tenant.status == .active else {
            throw CallFailure(
                .tenantSuspended, source: .caller, "this tenant is suspended; ask your operator to resume it")
        }
    }
}

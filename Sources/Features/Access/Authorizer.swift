package import Domain

/// A caller who may use the model asked for; only `Authorizer` makes one.
package struct Authorized: Sendable {
    package let tenant: TenantRecord
    package let virtualKey: VirtualKeyRecord

    fileprivate init(_ who: Identified) {
        tenant = who.tenant
        virtualKey = who.virtualKey
    }
}

/// Decides whether an identified caller may do what it asks.
package struct Authorizer: Sendable {
    package init() {}

    package func check(_ who: Identified, model: ModelName) throws(CallFailure) -> Authorized {
        guard who.tenant.status == .active else {
            throw CallFailure(.tenantSuspended, source: .caller, "this tenant is suspended; ask its operator")
        }
        guard allows(who.virtualKey.models, model) else {
            throw CallFailure(
                .modelNotAllowed, source: .caller,
                "this virtual key may not use the model \"\(model)\"; GET /v1/models lists what it may use",
                field: "model")
        }
        return Authorized(who)
    }

    /// Whether a list of allowed models (empty = all; a trailing `*` stands for anything) holds a model.
    package func allows(_ allowed: [ModelName], _ model: ModelName) -> Bool {
        allowed.isEmpty
            || allowed.contains { pattern in
                guard pattern.text.utf8.last == UInt8(ascii: "*") else { return pattern == model }
                return model.text.utf8.starts(with: pattern.text.utf8.dropLast())
            }
    }
}

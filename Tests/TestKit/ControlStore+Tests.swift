package import Domain
package import Storage

extension ControlStore {
    /// A tenant of a store in which no vault, or none with a key ring, is.
    package func insertTenant(
        _ tenant: TenantRecord, key: WrappedTenantKey, audit: AuditDraft
    ) async throws {
        try await insertTenant(tenant, key: key, vault: nil, audit: audit)
    }
}

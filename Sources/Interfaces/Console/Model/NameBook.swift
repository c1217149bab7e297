import Domain
import Operations

/// The names behind the ids of events, from the newest snapshot.
struct NameBook: Sendable {
    private var tenants: [TenantID: String] = [:]
    private var providerKeys: [ProviderKeyID: String] = [:]
    private var virtualKeys: [VirtualKeyID: String] = [:]

    init(_ snapshot: EngineSnapshot = .init()) {
        tenants.reserveCapacity(snapshot.tenants.count)
        for tenant in snapshot.tenants { tenants[tenant.id] = tenant.name.text }
        for key in snapshot.providerKeys { providerKeys[key.id] = key.label.text }
        for key in snapshot.virtualKeys { virtualKeys[key.id] = key.name.text }
    }

    func name(_ id: TenantID) -> String { tenants[id] ?? id.short }
    func name(_ id: ProviderKeyID) -> String { providerKeys[id] ?? id.short }
    func name(_ id: VirtualKeyID) -> String { virtualKeys[id] ?? id.short }
}

import Access
public import Domain
public import Metering
public import Operations
public import Storage

/// What the engine knows of tenants, keys and configuration: changed by commands, published as a directory.
public struct EngineState: Sendable {
    public var vault: VaultRecord?
    public var tenants: [TenantID: TenantRecord]
    public var tenantKeys: [WrappedTenantKey]
    public var providerKeys: [ProviderKeyID: ProviderKeyRecord]
    public var virtualKeys: [VirtualKeyID: VirtualKeyRecord]
    /// Ceilings of teams, users and provider keys.
    public var limits: [LimitRecord]
    public var providers: [ProviderName: ProviderDefinition]
    public var routes: [ModelName: Route]
    public var prices: PriceBook
    public var routing: RoutingSettings
    /// Who may do what.
    public var roster = OperatorRoster()
    /// Newest first, at most 200.
    public var auditTail: [AuditRecord] = []
    public var auditVerified = "not verified yet"
    /// Why the audit is not signed or kept outside; empty while it is.
    public var auditSigning = ""
    public var configurationNote = ""
    /// Which rows something else than the gateway changed, as of the last unlock or check.
    public var findings = AccessFindings()

    public init(
        vault: VaultRecord?, tenants: [TenantRecord], tenantKeys: [WrappedTenantKey],
        providerKeys: [ProviderKeyRecord], virtualKeys: [VirtualKeyRecord],
        limits: [LimitRecord] = [], providers: [ProviderName: ProviderDefinition],
        routes: [ModelName: Route], routing: RoutingSettings = RoutingSettings(), prices: PriceBook
    ) {
        self.routing = routing
        self.limits = limits
        self.vault = vault
        self.tenants = Dictionary(tenants.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.tenantKeys = tenantKeys
        self.providerKeys = Dictionary(
            providerKeys.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.virtualKeys = Dictionary(
            virtualKeys.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.providers = providers
        self.routes = routes
        self.prices = prices
    }

    func tenant(named name: TenantName) -> TenantRecord? { tenants.values.first { $0.name == name } }

    /// Takes what storage holds, once it was checked.
    mutating func take(_ contents: ControlContents, _ findings: AccessFindings) {
        vault = contents.vault
        tenantKeys = contents.tenantKeys
        tenants = Dictionary(contents.tenants.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        virtualKeys = Dictionary(
            contents.virtualKeys.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        limits = contents.limits
        self.findings = findings
    }

    /// Drops everything of a tenant.
    mutating func forget(_ tenant: TenantID, vault: VaultRecord, keys: [WrappedTenantKey]) {
        self.vault = vault
        tenantKeys = keys
        tenants[tenant] = nil
        providerKeys = providerKeys.filter { $0.value.tenant != tenant }
        virtualKeys = virtualKeys.filter { $0.value.tenant != tenant }
        limits.removeAll { $0.tenant == tenant }
    }

    private var distrustedKeys: Set<VirtualKeyID> {
        guard !findings.tenants.isEmpty else { return findings.virtualKeys }
        let others = virtualKeys.values.lazy.filter { findings.tenants.contains($0.tenant) }.map(\.id)
        return findings.virtualKeys.union(others)
    }

    /// The path's view of this state.
    public func directory() -> Directory {
        var keys: [TenantID: [ProviderName: [ProviderKeyRecord]]] = [:]
        for key in providerKeys.values.filter(\.isUsable).sorted(by: Directory.isBefore) {
            keys[key.tenant, default: [:]][key.provider, default: []].append(key)
        }
        return Directory(
            access: AccessDirectory(
                tenants: Array(tenants.values), virtualKeys: Array(virtualKeys.values),
                distrusted: distrustedKeys, isDistrusted: findings.isWhole),
            providers: providers, routes: routes, keys: keys, limits: OwnLimits(limits), routing: routing,
            platform: routing.platform.flatMap { tenant(named: $0)?.id }, prices: prices)
    }
}

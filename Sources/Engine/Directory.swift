public import Access
public import Domain
import Limits
import Locking
public import Metering

/// All that the path needs to know of tenants, keys, providers and routes: immutable, replaced whole on a change.
///
/// A class, so that a call that keeps the one in force counts one reference.
public final class Directory: Sendable {
    public let access: AccessDirectory
    public let providers: [ProviderName: ProviderDefinition]
    public let routes: [ModelName: Route]
    /// Usable keys (active, not revoked), by tenant and provider, oldest first.
    public let keys: [TenantID: [ProviderName: [ProviderKeyRecord]]]
    /// Ceilings of teams, users and provider keys.
    public let limits: OwnLimits
    public let routing: RoutingSettings
    /// Whose keys serve also tenants that use platform keys.
    public let platform: TenantID?
    public let prices: PriceBook
    /// The same providers by reference, for the path.
    let entries: [ProviderName: ProviderEntry]
    /// Each is prepared once.
    private let prepared = Locked<[RouteKey: PreparedRoute]>([:])

    private struct RouteKey: Hashable {
        let model: ModelName
        let tenant: TenantID
        let usesPlatformKeys: Bool
        let dialect: Dialect

        /// A tenant asks for few models, and seldom for one in two formats.
        func hash(into hasher: inout Hasher) {
            hasher.combine(model)
            hasher.combine(tenant)
        }
    }

    /// Draining keys come first and active ones last, so that the path, which begins at the end, prefers active ones
    /// and falls back to a draining one.
    static func isBefore(_ one: ProviderKeyRecord, _ other: ProviderKeyRecord) -> Bool {
        (one.state == .draining ? 0 : 1, one.created, one.id)
            < (other.state == .draining ? 0 : 1, other.created, other.id)
    }

    /// The same with some provider keys new or changed. What it costs depends on the keys of their tenants, not on how
    /// many tenants and keys there are.
    public func putting(_ rows: [ProviderKeyRecord]) -> Directory {
        var keys = keys
        for (tenant, changed) in Dictionary(grouping: rows, by: \.tenant) {
            var own = keys[tenant] ?? [:]
            for (provider, changed) in Dictionary(grouping: changed, by: \.provider) {
                let ids = Set(changed.map(\.id))
                let kept = (own[provider] ?? []).filter { !ids.contains($0.id) }
                let next = kept.merged(with: changed.filter(\.isUsable).sorted(by: Self.isBefore))
                own[provider] = next.isEmpty ? nil : next
            }
            keys[tenant] = own.isEmpty ? nil : own
        }
        return Directory(
            access: access, providers: providers, routes: routes, keys: keys, limits: limits,
            routing: routing, platform: platform, prices: prices)
    }

    /// Names that lead somewhere for a tenant: as many as its callers use, and callers can invent some. Some 2 KiB each.
    private static let preparedMost = 4_096

    public init(
        access: AccessDirectory, providers: [ProviderName: ProviderDefinition], routes: [ModelName: Route],
        keys: [TenantID: [ProviderName: [ProviderKeyRecord]]], limits: OwnLimits = OwnLimits([]),
        routing: RoutingSettings = RoutingSettings(), platform: TenantID? = nil, prices: PriceBook
    ) {
        self.access = access
        self.providers = providers
        entries = providers.mapValues(ProviderEntry.init)
        self.routes = routes
        self.keys = keys
        self.limits = limits
        self.routing = routing
        self.platform = platform
        self.prices = prices
    }

    /// The route behind a model name, for a tenant and a wire format; without targets where there is none.
    func prepared(for model: ModelName, tenant: TenantRecord, dialect: Dialect) -> PreparedRoute {
        let key = RouteKey(
            model: model, tenant: tenant.id, usesPlatformKeys: tenant.usesPlatformKeys, dialect: dialect)
        if let known = prepared.withLock({ $0[key] }) { return known }
        let route = route(for: model, tenant, dialect)
        let fresh = PreparedRoute(route: route, standing: standingPlan(of: route, for: tenant))
        guard !route.choices.isEmpty else { return fresh }
        prepared.withLock { prepared in
            if prepared.count < Self.preparedMost { prepared[key] = fresh }
        }
        return fresh
    }

    /// A route of that name first; else `PROVIDER/MODEL`; else a bare name through the price table, at providers that the
    /// tenant has a key for (names in alphabetical order, so that the answer does not change from call to call).
    private func route(for model: ModelName, _ tenant: TenantRecord, _ dialect: Dialect) -> Route {
        guard let route = routes[model] else { return compose(model, tenant, dialect) }
        let served = route.choices.filter { serves($0.target.provider, dialect) }
        return served.count == route.choices.count ? route : route.with(served)
    }

    private func compose(_ model: ModelName, _ tenant: TenantRecord, _ dialect: Dialect) -> Route {
        let isQualified = Self.isQualified(model)
        if let target = target(named: model) {
            return Route(
                model: model,
                choices: serves(target.provider, dialect) ? [Route.Choice(target: target)] : [])
        }
        let owned = owned(by: tenant)
        let names = prices.providers(for: model).filter { owned.contains($0) && serves($0, dialect) }
        if names.isEmpty, !isQualified, let only = onlyProvider(among: owned, for: dialect) {
            return Route(
                model: model, choices: [Route.Choice(target: Target(provider: only, model: model))])
        }
        return Route(
            model: model,
            choices: names.sorted().map { Route.Choice(target: Target(provider: $0, model: model)) })
    }

    /// Whether a model's name may lead to several targets, of which one can suit a call better than another.
    public func mayChoose(for model: ModelName) -> Bool {
        if let route = routes[model] { return route.choices.count > 1 }
        return target(named: model) == nil && prices.providers(for: model).count > 1
    }

    /// The target that a name of the form `PROVIDER/MODEL` names.
    private func target(named model: ModelName) -> Target? {
        // Most names are bare; asking for a target first would compose a refusal for each.
        guard Self.isQualified(model), let target = try? Target(model.text),
            providers[target.provider] != nil
        else { return nil }
        return target
    }

    private static func isQualified(_ model: ModelName) -> Bool {
        model.text.utf8.contains(UInt8(ascii: "/"))
    }

    /// The providers that a tenant can call with some key.
    private func owned(by tenant: TenantRecord) -> Set<ProviderName> {
        var names = Set((keys[tenant.id] ?? [:]).keys)
        if tenant.usesPlatformKeys, let platform { names.formUnion((keys[platform] ?? [:]).keys) }
        return names
    }

    /// Where a bare name goes that no price table knows (a new model, a dated snapshot): to the one provider it can be
    /// meant for, which is the tenant's only one, or the only one that speaks the format, or the only one that made it.
    private func onlyProvider(among owned: some Sequence<ProviderName>, for dialect: Dialect) -> ProviderName?
    {
        let able = owned.filter { serves($0, dialect) }
        if able.count == 1 { return able[0] }
        let speaking = able.filter { providers[$0].map { dialect.passage(to: $0.kind) == .asItIs } ?? false }
        if speaking.count == 1 { return speaking[0] }
        let native = speaking.filter { providers[$0].map { $0.kind != .openaiCompatible } ?? false }
        return native.count == 1 ? native[0] : nil
    }

    /// Names a tenant may put into `model`: routes, and what the price table lists for providers it has keys for.
    public func modelNames(for tenant: TenantRecord) -> [(name: ModelName, owner: String)] {
        var names = routes.keys.sorted().map { (name: $0, owner: "gatehouse") }
        for provider in owned(by: tenant).sorted() {
            for model in prices.models(of: provider) {
                guard let name = try? ModelName("\(provider)/\(model)") else { continue }
                names.append((name: name, owner: provider.text))
            }
        }
        return names
    }

    func serves(_ provider: ProviderName, _ dialect: Dialect) -> Bool {
        providers[provider].map { dialect.passage(to: $0.kind) != nil } ?? false
    }
}

/// The ceilings that stand in no tenant's or virtual key's own record, found by whom they are for.
public struct OwnLimits: Sendable {
    private let scopes: [LimitScope: LimitSet]

    public init(_ records: [LimitRecord]) {
        var scopes: [LimitScope: LimitSet] = [:]
        for record in records {
            switch record.owner {
            case .team(let name): scopes[.team(record.tenant, name)] = record.limits
            case .user(let name): scopes[.user(record.tenant, name)] = record.limits
            case .providerKey(let key): scopes[.providerKey(key)] = record.limits
            case .tenant, .virtualKey: break
            }
        }
        self.scopes = scopes
    }

    /// Nearly every gateway has none: then nothing is hashed.
    @inline(__always)
    subscript(_ scope: @autoclosure () -> LimitScope) -> LimitSet? {
        scopes.isEmpty ? nil : scopes[scope()]
    }
}

extension [ProviderKeyRecord] {
    /// Two lists in the directory's order as one.
    fileprivate func merged(with others: Self) -> Self {
        var merged: Self = []
        merged.reserveCapacity(count + others.count)
        var rest = others[...]
        for key in self {
            while let other = rest.first, Directory.isBefore(other, key) {
                merged.append(other)
                rest.removeFirst()
            }
            merged.append(key)
        }
        return merged + rest
    }
}

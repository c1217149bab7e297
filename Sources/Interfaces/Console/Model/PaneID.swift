/// The panes, in the order of their digits.
package enum PaneID: Int, Sendable, Hashable, CaseIterable {
    case overview = 1
    case traffic, providers, tenants, keys, cache, costs, audit

    package var title: String {
        switch self {
        case .overview: "Overview"
        case .traffic: "Traffic"
        case .providers: "Providers"
        case .tenants: "Tenants"
        case .keys: "Keys"
        case .cache: "Cache"
        case .costs: "Costs"
        case .audit: "Audit"
        }
    }

    /// What the palette and the command line call it.
    package var word: String { title.lowercased() }
}

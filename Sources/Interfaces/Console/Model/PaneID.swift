/// The panes, in the order of their digits.
public enum PaneID: Int, Sendable, Hashable, CaseIterable {
    case overview = 1
    case traffic, providers, tenants, keys, cache, costs, audit

    public var title: String {
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
    public var word: String { title.lowercased() }
}

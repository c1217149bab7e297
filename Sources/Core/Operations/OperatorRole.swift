/// What an operator may do; each role holds the one before it.
public enum OperatorRole: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
    /// Listings, reports, status, explanations, the console's panes.
    case viewer
    /// Also what an engineer on call needs: breakers, drains, drills, the cache, suspending tenants.
    case `operator`
    /// Everything: keys, virtual keys, tenants, limits, vault, rotation, backups, the audit's export, the configuration.
    case admin

    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .operator: 1
        case .admin: 2
        }
    }
}

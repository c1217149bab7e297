public import Domain

/// Whom a limit is for.
public enum LimitScope: Sendable, Hashable {
    case tenant(TenantID)
    case team(TenantID, Label)
    case user(TenantID, Label)
    case virtualKey(VirtualKeyID)
    case providerKey(ProviderKeyID)

    /// As an error names it to its own caller.
    var phrase: String {
        switch self {
        case .tenant: "this tenant"
        case .team(_, let name): "team \(name)"
        case .user(_, let name): "user \(name)"
        case .virtualKey: "this virtual key"
        case .providerKey: "the provider key"
        }
    }
}

/// What one call asks of the limits: the scopes it counts in, and how many tokens it will use by estimate.
///
/// Scopes without any limit are left out and cost nothing. Holds four parts in place, without an allocation.
public struct Demand: Sendable {
    /// One scope with its ceilings as the directory states them now.
    public struct Part: Sendable {
        public let scope: LimitScope
        public let limits: LimitSet
    }

    /// Virtual key, user, team, tenant. A provider key is asked for by itself, when it is its turn.
    private static var most: Int { 4 }

    /// Tokens the call is expected to use, input and output.
    public let tokens: Int64
    private(set) public var count = 0
    private var parts = InlineArray<4, Part?>(repeating: nil)

    public init(tokens: Int64) { self.tokens = tokens }

    /// Adds a scope; each scope once, four at most.
    public mutating func add(_ scope: LimitScope, _ limits: LimitSet) {
        guard !limits.isEmpty else { return }
        precondition(count < Self.most, "a call counts in \(Self.most) scopes at most")
        parts[count] = Part(scope: scope, limits: limits)
        count += 1
    }

    public subscript(_ place: Int) -> Part? { place < count ? parts[place] : nil }
}

/// Whose use inside one tenant a ceiling is for.
public enum LimitOwner: Hashable, Sendable, Codable {
    /// The tenant's calls together.
    case tenant
    /// The calls of all virtual keys issued to a team.
    case team(Label)
    /// The calls of all virtual keys issued to a user.
    case user(Label)
    case virtualKey(VirtualKeyID)
    /// What the tenant sends to a provider with one of its keys; a key at its ceiling is passed over for another.
    case providerKey(ProviderKeyID)
}

/// Ceilings that do not stand in a record of their own: a team's, a user's, a provider key's.
public struct LimitRecord: Hashable, Sendable, Codable {
    public let tenant: TenantID
    public let owner: LimitOwner
    public var limits: LimitSet

    public init(tenant: TenantID, owner: LimitOwner, limits: LimitSet) {
        self.tenant = tenant
        self.owner = owner
        self.limits = limits
    }

    /// Tenants and virtual keys keep their ceilings in their own records.
    public var hasPlace: Bool {
        switch owner {
        case .team, .user, .providerKey: true
        case .tenant, .virtualKey: false
        }
    }
}

/// Which calls give way when there is not room for all.
public enum CallClass: String, Hashable, Sendable, Codable, CaseIterable {
    /// Somebody waits for the answer.
    case interactive
    /// Nobody does: refused or kept waiting before the others.
    case batch
}

/// The rate-limit facts of a call, each of the scope that has least left.
public struct LimitFacts: Sendable, Hashable {
    /// One `x-ratelimit-*` triple.
    public struct Fact: Sendable, Hashable {
        public let limit: Int
        public let remaining: Int
        /// Until all of it is there again, as OpenAI's `x-ratelimit-reset-*` means it.
        public let reset: Duration

        public init(limit: Int, remaining: Int, reset: Duration) {
            self.limit = limit
            self.remaining = remaining
            self.reset = reset
        }
    }

    public var requests: Fact?
    public var tokens: Fact?

    public init(requests: Fact? = nil, tokens: Fact? = nil) {
        self.requests = requests
        self.tokens = tokens
    }
}

public import Domain

/// Where a tenant's call for a model would go now: each candidate in its order, with the reason.
public struct RouteExplanation: Sendable, Hashable, Codable {
    public var model: ModelName
    public var tenant: TenantName
    /// The strategy's name, such as `priority`.
    public var strategy: String
    /// Those that would be tried in their order, then those that are left out; at most 64.
    public var candidates: [Candidate]
    /// Why there is no candidate, or what else to know; may be empty.
    public var note: String

    public init(
        model: ModelName, tenant: TenantName, strategy: String, candidates: [Candidate] = [],
        note: String = ""
    ) {
        self.model = model
        self.tenant = tenant
        self.strategy = strategy
        self.candidates = candidates
        self.note = note
    }

    /// A target with the key it would be called with.
    public struct Candidate: Sendable, Hashable, Codable {
        /// 1 is tried first; nil = left out.
        public var place: Int?
        public var target: String
        /// The provider key's label; nil = the target takes none, or there is none.
        public var key: String?
        /// Whose key it is: `tenant` or `platform`.
        public var payer: String
        /// Why it stands where it stands, or why it is left out.
        public var reason: String
        /// The price of a call like the last ones, such as `$0.0121`; nil = not known.
        public var price: String?
        /// Milliseconds until the first token, as measured of late; nil = not known.
        public var firstToken: Double?
        /// Calls that are on their way there now.
        public var running: Int

        public init(
            place: Int?, target: String, key: String? = nil, payer: String = "tenant", reason: String,
            price: String? = nil, firstToken: Double? = nil, running: Int = 0
        ) {
            self.place = place
            self.target = target
            self.key = key
            self.payer = payer
            self.reason = reason
            self.price = price
            self.firstToken = firstToken
            self.running = running
        }
    }
}

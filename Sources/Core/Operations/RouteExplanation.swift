package import Domain

/// Where a tenant's call for a model would go now: each candidate in its order, with the reason.
package struct RouteExplanation: Sendable, Hashable, Codable {
    package var model: ModelName
    package var tenant: TenantName
    /// The strategy's name, such as `priority`.
    package var strategy: String
    /// Those that would be tried in their order, then those that are left out; at most 64.
    package var candidates: [Candidate]
    /// Why there is no candidate, or what else to know; may be empty.
    package var note: String

    package init(
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
    package struct Candidate: Sendable, Hashable, Codable {
        /// 1 is tried first; nil = left out.
        package var place: Int?
        package var target: String
        /// The provider key's label; nil = the target takes none, or there is none.
        package var key: String?
        /// Whose key it is: `tenant` or `platform`.
        package var payer: String
        /// Why it stands where it stands, or why it is left out.
        package var reason: String
        /// The price of a call like the last ones, such as `$0.0121`; nil = not known.
        package var price: String?
        /// Milliseconds until the first token, as measured of late; nil = not known.
        package var firstToken: Double?
        /// Calls that are on their way there now.
        package var running: Int

        package init(
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

public import Domain
import Routing

/// A route as one tenant's calls of one format meet it, and the plan that most of them get: worked out once for as long
/// as the directory is in force.
final class PreparedRoute: Sendable {
    let route: Route
    /// What is tried, in order, while all of it is well; nil where that depends on the call.
    let standing: StandingPlan?

    init(route: Route, standing: StandingPlan?) {
        self.route = route
        self.standing = standing
    }
}

/// A plan that is the same for every call: what `RoutePlanner` makes of candidates that no breaker and no key's health
/// stands in the way of.
struct StandingPlan: Sendable {
    let candidates: [Candidate]
    let keys: [ProviderKeyID: KeyEntry]
    let plan: RoutePlan
}

/// A provider as the directory has it. A class: a call hands it on a dozen times, and the definition has many texts.
public final class ProviderEntry: Sendable {
    public let definition: ProviderDefinition

    init(_ definition: ProviderDefinition) { self.definition = definition }
}

/// A provider key as the directory has it, by reference for the same reason.
final class KeyEntry: Sendable {
    let record: ProviderKeyRecord

    init(_ record: ProviderKeyRecord) { self.record = record }
}

package import Domain

/// A drill that is on: one tenant's calls meet a made fault, marked DRILL wherever they are shown.
package struct DrillView: Sendable, Hashable, Codable {
    package var tenant: TenantName
    package var fault: DrillFault
    /// How many of a hundred calls meet it.
    package var percent: Int
    package var since: WallTime
    package var until: WallTime
    package var owner: String
    package var reason: String
    /// Calls that have met it so far.
    package var calls: Int
    package init(
        tenant: TenantName, fault: DrillFault, percent: Int = 100, since: WallTime, until: WallTime,
        owner: String = "", reason: String = "", calls: Int = 0
    ) {
        self.tenant = tenant
        self.fault = fault
        self.percent = percent
        self.since = since
        self.until = until
        self.owner = owner
        self.reason = reason
        self.calls = calls
    }
}

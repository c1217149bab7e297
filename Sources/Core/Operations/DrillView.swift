public import Domain

/// A drill that is on: one tenant's calls meet a made fault, marked DRILL wherever they are shown.
public struct DrillView: Sendable, Hashable, Codable {
    public var tenant: TenantName
    public var fault: DrillFault
    /// How many of a hundred calls meet it.
    public var percent: Int
    public var since: WallTime
    public var until: WallTime
    public var owner: String
    public var reason: String
    /// Calls that have met it so far.
    public var calls: Int
    public init(
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

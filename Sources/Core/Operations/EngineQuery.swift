package import Domain

/// A question whose answer is not in the snapshot: read from storage, or worked out when asked.
package enum EngineQuery: Sendable, Hashable, Codable {
    case usageReport(UsageQuery)
    /// Newest first.
    case audit(before: Int64?, limit: Int)
    case verifyAudit
    case calls(tenant: TenantName, limit: Int)
    /// Every ceiling of a tenant, with what is used of it now.
    case limits(tenant: TenantName)
    /// What a change would do to the calls of the last 60 seconds. Changes nothing.
    case blastRadius(BlastChange)
    /// Where a tenant's call for a model would go now, and why.
    case route(model: ModelName, tenant: TenantName)
    /// The routes of the configuration, by model.
    case routes
}

/// One ceiling and its use.
package struct LimitView: Sendable, Hashable, Codable {
    /// `tenant`, `team`, `user`, `virtual key`, `provider key`.
    package let kind: String
    package let name: String
    package let limits: LimitSet
    /// nil = nothing was counted since the start.
    package let requestsLeft: Int?
    package let tokensLeft: Int?
    package let inFlight: Int

    package init(
        kind: String, name: String, limits: LimitSet, requestsLeft: Int?, tokensLeft: Int?, inFlight: Int
    ) {
        self.kind = kind
        self.name = name
        self.limits = limits
        self.requestsLeft = requestsLeft
        self.tokensLeft = tokensLeft
        self.inFlight = inFlight
    }
}

/// What a usage report is about.
package struct UsageQuery: Sendable, Hashable, Codable {
    /// `tenant` and the names of the ledger's dimensions, in the order of the columns.
    package var by: [String]
    package var since: WallTime
    package var until: WallTime
    /// nil = every tenant.
    package var tenant: TenantName?
    package init(by: [String], since: WallTime, until: WallTime, tenant: TenantName? = nil) {
        self.by = by
        self.since = since
        self.until = until
        self.tenant = tenant
    }
}

/// One line of a usage report, over all tenants asked for.
package struct UsageLine: Sendable, Hashable, Codable {
    package let keys: [String]
    package let calls: Int64
    package let failed: Int64
    package let usage: Usage
    package let cost: Money
    /// Calls whose price is not known; they are in no sum.
    package let unpriced: Int64
    package let saved: Money
    package init(
        keys: [String], calls: Int64, failed: Int64, usage: Usage, cost: Money, unpriced: Int64, saved: Money
    ) {
        self.keys = keys
        self.calls = calls
        self.failed = failed
        self.usage = usage
        self.cost = cost
        self.unpriced = unpriced
        self.saved = saved
    }
}

/// The answer to a query, case by case.
package enum EngineAnswer: Sendable, Hashable, Codable {
    case usage([UsageLine])
    case audit([AuditRecord])
    case auditIntact(records: Int64, head: String)
    case auditBroken(at: Int64, what: String)
    case calls([LedgerRow])
    case limits([LimitView])
    case blastRadius(BlastRadius)
    case route(RouteExplanation)
    case routes([RouteView])
}

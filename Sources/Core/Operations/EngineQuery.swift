public import Domain

/// A question whose answer is not in the snapshot: read from storage, or worked out when asked.
public enum EngineQuery: Sendable, Hashable, Codable {
    case usageReport(UsageQuery)
    /// Newest first.
    case audit(before: Int64?, limit: Int)
    /// Oldest first.
    case auditFrom(sequence: Int64, limit: Int)
    /// Signed checkpoints, oldest first.
    case checkpoints(after: Int64, limit: Int)
    /// Which log the audit is, its key, and how far it is signed.
    case auditLog
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
public struct LimitView: Sendable, Hashable, Codable {
    /// `tenant`, `team`, `user`, `virtual key`, `provider key`.
    public let kind: String
    public let name: String
    public let limits: LimitSet
    /// nil = nothing was counted since the start.
    public let requestsLeft: Int?
    public let tokensLeft: Int?
    public let inFlight: Int

    public init(
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

/// Which log the audit is, and how far it is signed.
public struct AuditLogView: Sendable, Hashable, Codable {
    /// `gatehouse/VAULT/LOG`; empty while there is no key.
    public var origin: String
    /// The public key as c2sp.org/signed-note writes one.
    public var verifierKey: String
    /// SHA-256 of the public key, hexadecimal.
    public var fingerprint: String
    public var records: Int64
    public var head: String
    public var root: String
    /// How many records the newest checkpoint covers, and when it was signed.
    public var signed: Int64
    public var signedAt: WallTime?
    /// What stands in the way of signing, or of the copy outside; empty while all is well.
    public var trouble: String

    public init(
        origin: String = "", verifierKey: String = "", fingerprint: String = "", records: Int64 = 0,
        head: String = "", root: String = "", signed: Int64 = 0, signedAt: WallTime? = nil,
        trouble: String = ""
    ) {
        self.origin = origin
        self.verifierKey = verifierKey
        self.fingerprint = fingerprint
        self.records = records
        self.head = head
        self.root = root
        self.signed = signed
        self.signedAt = signedAt
        self.trouble = trouble
    }
}

/// What a usage report is about.
public struct UsageQuery: Sendable, Hashable, Codable {
    /// `tenant` and the names of the ledger's dimensions, in the order of the columns.
    public var by: [String]
    public var since: WallTime
    public var until: WallTime
    /// nil = every tenant.
    public var tenant: TenantName?
    public init(by: [String], since: WallTime, until: WallTime, tenant: TenantName? = nil) {
        self.by = by
        self.since = since
        self.until = until
        self.tenant = tenant
    }
}

/// One line of a usage report, over all tenants asked for.
public struct UsageLine: Sendable, Hashable, Codable {
    public let keys: [String]
    public let calls: Int64
    public let failed: Int64
    public let usage: Usage
    public let cost: Money
    /// Calls whose price is not known; they are in no sum.
    public let unpriced: Int64
    public let saved: Money
    public init(
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
public enum EngineAnswer: Sendable, Hashable, Codable {
    case usage([UsageLine])
    case audit([AuditRecord])
    case checkpoints([StoredCheckpoint])
    case auditLog(AuditLogView)
    case auditIntact(records: Int64, head: String)
    case auditBroken(at: Int64, what: String)
    case calls([LedgerRow])
    case limits([LimitView])
    case blastRadius(BlastRadius)
    case route(RouteExplanation)
    case routes([RouteView])
}

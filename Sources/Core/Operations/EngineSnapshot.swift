public import Domain

/// An immutable picture of the gateway at one moment: all that the console's panes and the listings show.
///
/// Every figure is kept up to date as calls finish; making a picture scans nothing.
public struct EngineSnapshot: Sendable, Hashable, Codable {
    public var instance: String
    public var version: String
    /// Simulated providers and traffic: said on every screen.
    public var demo: Bool
    public var readOnly: Bool
    /// What whoever looks may do; nil = not even look, so that the rest is empty.
    public var role: OperatorRole? = .admin
    public var at: WallTime
    public var started: WallTime
    /// The number of the newest event that this picture knows of.
    public var sequence: UInt64
    public var listening: String
    public var health: HealthView
    public var vault: VaultView
    public var totals: TrafficFigures
    public var series: TrafficSeries
    public var targets: [TargetView]
    public var providers: [ProviderView]
    public var tenants: [TenantView]
    public var providerKeys: [ProviderKeyView]
    public var virtualKeys: [VirtualKeyView]
    public var cache: CacheView
    public var costs: CostView
    /// Newest first, at most 200.
    public var audit: [AuditRecord]
    public var auditVerified: String
    public var alerts: [AlertView]
    /// Drills that are on, at most one a tenant.
    public var drills: [DrillView]
    /// The tenant whose provider keys serve also those that use platform keys; nil = there is none.
    public var platform: TenantName?

    public init(
        instance: String = "gatehouse", version: String = "", demo: Bool = false, readOnly: Bool = false,
        at: WallTime = WallTime(milliseconds: 0), started: WallTime = WallTime(milliseconds: 0),
        sequence: UInt64 = 0,
        listening: String = "", health: HealthView = .init(), vault: VaultView = .init(),
        totals: TrafficFigures = .init(), series: TrafficSeries = .init(), targets: [TargetView] = [],
        providers: [ProviderView] = [], tenants: [TenantView] = [], providerKeys: [ProviderKeyView] = [],
        virtualKeys: [VirtualKeyView] = [], cache: CacheView = .init(), costs: CostView = .init(),
        audit: [AuditRecord] = [], auditVerified: String = "", alerts: [AlertView] = [],
        drills: [DrillView] = [], platform: TenantName? = nil
    ) {
        self.instance = instance
        self.version = version
        self.demo = demo
        self.readOnly = readOnly
        self.at = at
        self.started = started
        self.sequence = sequence
        self.listening = listening
        self.health = health
        self.vault = vault
        self.totals = totals
        self.series = series
        self.targets = targets
        self.providers = providers
        self.tenants = tenants
        self.providerKeys = providerKeys
        self.virtualKeys = virtualKeys
        self.cache = cache
        self.costs = costs
        self.audit = audit
        self.auditVerified = auditVerified
        self.alerts = alerts
        self.drills = drills
        self.platform = platform
    }
}

/// Whether calls can be served, and what stands in the way.
public struct HealthView: Sendable, Hashable, Codable {
    /// What a load balancer would be told.
    public enum State: String, Sendable, Codable { case ready, degraded, notReady = "not_ready" }
    public var state: State
    /// A sentence each; empty when ready.
    public var reasons: [String]
    public var journalUsed: Int
    public var journalCapacity: Int
    public var eventsLost: UInt64
    /// The configuration in force, or why the newest file was refused.
    public var configuration: String

    public init(
        state: State = .ready, reasons: [String] = [], journalUsed: Int = 0, journalCapacity: Int = 0,
        eventsLost: UInt64 = 0, configuration: String = ""
    ) {
        self.state = state
        self.reasons = reasons
        self.journalUsed = journalUsed
        self.journalCapacity = journalCapacity
        self.eventsLost = eventsLost
        self.configuration = configuration
    }
}

/// The vault as it may be shown.
public struct VaultView: Sendable, Hashable, Codable {
    public var unlocked: Bool
    /// `passphrase`, `keyfile`: the kinds of its slots.
    public var slots: [String]
    public var rootVersion: UInt32
    public var sealedKeys: Int
    public var damagedKeys: Int
    /// Lines on rows that decide access and were changed by something else: they are not used.
    public var distrusted: [String] = []
    public var slotList: [SlotView]
    /// The rotation that is under way.
    public var work: VaultWorkView?
    public init(
        unlocked: Bool = false, slots: [String] = [], rootVersion: UInt32 = 0, sealedKeys: Int = 0,
        damagedKeys: Int = 0, slotList: [SlotView] = [],
        work: VaultWorkView? = nil
    ) {
        self.work = work
        self.slotList = slotList
        self.unlocked = unlocked
        self.slots = slots
        self.rootVersion = rootVersion
        self.sealedKeys = sealedKeys
        self.damagedKeys = damagedKeys
    }
}

/// How far a rotation is.
public struct VaultWorkView: Sendable, Hashable, Codable {
    /// Tenants' keys wrapped by a new root, or provider keys sealed with new tenants' keys.
    public enum What: String, Sendable, Codable { case root, keys }
    public let what: What
    public let done: Int
    public let total: Int
    public init(what: What, done: Int, total: Int) {
        self.what = what
        self.done = done
        self.total = total
    }
}

/// One way to open the vault.
public struct SlotView: Sendable, Hashable, Codable {
    public let id: SlotID
    public let kind: SlotKind
    public let created: WallTime
    /// Which key outside keeps the slot's; nil where none does.
    public let keptBy: String?
    public init(id: SlotID, kind: SlotKind, created: WallTime, keptBy: String? = nil) {
        self.keptBy = keptBy
        self.id = id
        self.kind = kind
        self.created = created
    }
}

/// Figures of the last 60 seconds.
public struct TrafficFigures: Sendable, Hashable, Codable {
    public var requestsPerSecond: Double
    /// 0 to 100; caller's faults are not errors.
    public var errorPercent: Double
    /// nil = no call in the window.
    public var p50Milliseconds: Double?
    public var p95Milliseconds: Double?
    public var inFlight: Int
    public var costPerHour: Money
    /// Share of calls answered from our cache, 0 to 100.
    public var hitPercent: Double
    public var calls: Int64

    public init(
        requestsPerSecond: Double = 0, errorPercent: Double = 0, p50Milliseconds: Double? = nil,
        p95Milliseconds: Double? = nil, inFlight: Int = 0, costPerHour: Money = .zero, hitPercent: Double = 0,
        calls: Int64 = 0
    ) {
        self.requestsPerSecond = requestsPerSecond
        self.errorPercent = errorPercent
        self.p50Milliseconds = p50Milliseconds
        self.p95Milliseconds = p95Milliseconds
        self.inFlight = inFlight
        self.costPerHour = costPerHour
        self.hitPercent = hitPercent
        self.calls = calls
    }
}

/// Figures over the last 15 minutes, oldest first, one point each ten seconds (at most 90).
public struct TrafficSeries: Sendable, Hashable, Codable {
    public static let secondsPerPoint = 10
    public static let points = 90
    public var requestsPerSecond: [Double]
    public var errorPercent: [Double]
    public var p95Milliseconds: [Double]
    /// Dollars per hour.
    public var costPerHour: [Double]
    public var hitPercent: [Double]
    public init(
        requestsPerSecond: [Double] = [], errorPercent: [Double] = [], p95Milliseconds: [Double] = [],
        costPerHour: [Double] = [], hitPercent: [Double] = []
    ) {
        self.requestsPerSecond = requestsPerSecond
        self.errorPercent = errorPercent
        self.p95Milliseconds = p95Milliseconds
        self.costPerHour = costPerHour
        self.hitPercent = hitPercent
    }
}

/// One target: its breaker and its traffic.
public struct TargetView: Sendable, Hashable, Codable {
    public var target: Target
    public var position: BreakerPosition
    public var hold: BreakerHold?
    /// When the breaker came into this position.
    public var since: WallTime
    /// One sentence: rule, numbers, what happens next.
    public var why: String
    public var figures: TrafficFigures
    /// 15 minutes as in `TrafficSeries`.
    public var requestSeries: [Double]
    public var errorSeries: [Double]
    /// Newest first, at most 20.
    public var history: [BreakerMoment]
    /// Keys that can serve it now, and all.
    public var keysUsable: Int
    public var keysTotal: Int
    /// Newest first, at most 20: the last attempts here that failed.
    public var lastErrors: [ErrorMoment]
    /// The health of the keys that could serve it, as last seen.
    public var credentials: CredentialTally
    /// Tenants whose calls it served or should have served of late, most calls first, at most 20.
    public var dependents: [String]
    /// Where the calls went that failed or were not let in here, most first, at most 10.
    public var wentTo: [TrafficShare]
    /// Calls of the last 60 seconds here were met by a drill.
    public var drilled: Bool

    public init(
        target: Target, position: BreakerPosition = .closed, hold: BreakerHold? = nil,
        since: WallTime = WallTime(milliseconds: 0), why: String = "", figures: TrafficFigures = .init(),
        requestSeries: [Double] = [], errorSeries: [Double] = [], history: [BreakerMoment] = [],
        keysUsable: Int = 0,
        keysTotal: Int = 0, lastErrors: [ErrorMoment] = [], credentials: CredentialTally = .init(),
        dependents: [String] = [], wentTo: [TrafficShare] = [], drilled: Bool = false
    ) {
        self.target = target
        self.position = position
        self.hold = hold
        self.since = since
        self.why = why
        self.figures = figures
        self.requestSeries = requestSeries
        self.errorSeries = errorSeries
        self.history = history
        self.keysUsable = keysUsable
        self.keysTotal = keysTotal
        self.lastErrors = lastErrors
        self.credentials = credentials
        self.dependents = dependents
        self.wentTo = wentTo
        self.drilled = drilled
    }
}

/// A past move of a breaker.
public struct BreakerMoment: Sendable, Hashable, Codable {
    public let at: WallTime
    public let position: BreakerPosition
    public let held: Bool
    public let why: String
    public init(at: WallTime, position: BreakerPosition, held: Bool, why: String) {
        self.at = at
        self.position = position
        self.held = held
        self.why = why
    }
}

/// A past failure at a target, and where the call went then.
public struct ErrorMoment: Sendable, Hashable, Codable {
    public let at: WallTime
    public let tenant: String
    public let model: String
    public let status: Int?
    public let failure: String
    public let then: String
    public init(at: WallTime, tenant: String, model: String, status: Int?, failure: String, then: String) {
        self.at = at
        self.tenant = tenant
        self.model = model
        self.status = status
        self.failure = failure
        self.then = then
    }
}

/// One provider of the configuration.
public struct ProviderView: Sendable, Hashable, Codable {
    public var name: ProviderName
    public var kind: ProviderKind
    public var origin: String
    public var targets: Int
    public var keys: Int
    /// Where it computes, as the configuration says, such as `eu-west-1`; nil = not said.
    public var region: String?
    /// How long it keeps what is sent, as the configuration says; nil = not said.
    public var retention: String?
    /// nil = it is not probed, or was not yet.
    public var probe: ProbeView?
    public init(
        name: ProviderName, kind: ProviderKind, origin: String, targets: Int, keys: Int,
        region: String? = nil, retention: String? = nil, probe: ProbeView? = nil
    ) {
        self.name = name
        self.kind = kind
        self.origin = origin
        self.targets = targets
        self.keys = keys
        self.region = region
        self.retention = retention
        self.probe = probe
    }
}

/// One tenant: status, limits and traffic.
public struct TenantView: Sendable, Hashable, Codable {
    public var id: TenantID
    public var name: TenantName
    public var status: TenantStatus
    public var limits: LimitSet
    public var created: WallTime
    public var figures: TrafficFigures
    public var requestSeries: [Double]
    public var errorSeries: [Double]
    public var costSeries: [Double]
    /// Tokens in the last 60 s.
    public var tokensPerMinute: Int64
    public var costToday: Money
    public var unpricedToday: Int64
    /// By model, busiest first, at most 20.
    public var models: [ModelFigures]
    /// Its calls may go out with the platform's keys where its own do not serve.
    public var usesPlatformKeys: Bool
    public init(
        id: TenantID, name: TenantName, status: TenantStatus, limits: LimitSet = .init(),
        created: WallTime = WallTime(milliseconds: 0), figures: TrafficFigures = .init(),
        requestSeries: [Double] = [],
        errorSeries: [Double] = [], costSeries: [Double] = [], tokensPerMinute: Int64 = 0,
        costToday: Money = .zero,
        unpricedToday: Int64 = 0, models: [ModelFigures] = [], usesPlatformKeys: Bool = false
    ) {
        self.id = id
        self.name = name
        self.status = status
        self.limits = limits
        self.created = created
        self.figures = figures
        self.requestSeries = requestSeries
        self.errorSeries = errorSeries
        self.costSeries = costSeries
        self.tokensPerMinute = tokensPerMinute
        self.costToday = costToday
        self.unpricedToday = unpricedToday
        self.models = models
        self.usesPlatformKeys = usesPlatformKeys
    }
}

/// A tenant's traffic with one model over the last 15 minutes.
public struct ModelFigures: Sendable, Hashable, Codable {
    public var model: String
    public var target: String
    public var calls: Int64
    public var errors: Int64
    public var tokens: Int64
    public var hits: Int64
    public var cost: Money
    public init(
        model: String, target: String, calls: Int64, errors: Int64, tokens: Int64, hits: Int64, cost: Money
    ) {
        self.model = model
        self.target = target
        self.calls = calls
        self.errors = errors
        self.tokens = tokens
        self.hits = hits
        self.cost = cost
    }
}

/// One provider key as it may be shown.
public struct ProviderKeyView: Sendable, Hashable, Codable {
    public var id: ProviderKeyID
    public var tenant: TenantName
    public var provider: ProviderName
    public var label: Label
    public var fingerprint: String
    public var state: ProviderKeyState
    public var health: CredentialMark
    /// When it is tried again; nil = it is well, or the next call tries it.
    public var healthUntil: WallTime?
    public var created: WallTime
    public var drainEnds: WallTime?
    public var predecessor: ProviderKeyID?
    public var successor: ProviderKeyID?
    public var verdict: KeyVerdict
    public var verdictAt: WallTime?
    public var lastUsed: WallTime?
    public var requestsPerSecond: Double
    public var rateLimitedPercent: Double
    /// The last call that the provider answered well with it.
    public var lastSuccess: WallTime?
    /// The last 401 or 403.
    public var lastRejected: WallTime?
    /// The last 429.
    public var lastRateLimited: WallTime?
    /// What the provider's rate-limit headers left, such as `req 480/500 · tok 28k/30k`; empty = nothing heard.
    public var headroom: String
    /// Models where it stands otherwise than `health` says, at most 20.
    public var modelMarks: [ModelMark]
    /// Its share of the calls among the tenant's keys for the provider; nil = none stated.
    public var weight: Int?
    /// The models it is for, in the provider's words; empty = all.
    public var models: [ModelName]
    /// The trial of a successor; nil but in the state `canary`.
    public var canary: KeyCanary?

    /// Whether calls may use it at all.
    public var isUsable: Bool { state == .active || state == .canary || state == .draining }

    public init(
        id: ProviderKeyID, tenant: TenantName, provider: ProviderName, label: Label, fingerprint: String,
        state: ProviderKeyState, health: CredentialMark = .ok, healthUntil: WallTime? = nil,
        created: WallTime, drainEnds: WallTime? = nil,
        predecessor: ProviderKeyID? = nil, successor: ProviderKeyID? = nil, verdict: KeyVerdict = .unknown,
        verdictAt: WallTime? = nil, lastUsed: WallTime? = nil, requestsPerSecond: Double = 0,
        rateLimitedPercent: Double = 0, lastSuccess: WallTime? = nil, lastRejected: WallTime? = nil,
        lastRateLimited: WallTime? = nil, headroom: String = "", modelMarks: [ModelMark] = [],
        weight: Int? = nil, models: [ModelName] = [], canary: KeyCanary? = nil
    ) {
        self.canary = canary
        self.id = id
        self.tenant = tenant
        self.provider = provider
        self.label = label
        self.fingerprint = fingerprint
        self.state = state
        self.health = health
        self.healthUntil = healthUntil
        self.created = created
        self.drainEnds = drainEnds
        self.predecessor = predecessor
        self.successor = successor
        self.verdict = verdict
        self.verdictAt = verdictAt
        self.lastUsed = lastUsed
        self.requestsPerSecond = requestsPerSecond
        self.rateLimitedPercent = rateLimitedPercent
        self.lastSuccess = lastSuccess
        self.lastRejected = lastRejected
        self.lastRateLimited = lastRateLimited
        self.headroom = headroom
        self.modelMarks = modelMarks
        self.weight = weight
        self.models = models
    }
}

/// One virtual key as it may be shown.
public struct VirtualKeyView: Sendable, Hashable, Codable {
    public var id: VirtualKeyID
    public var tenant: TenantName
    public var name: Label
    public var fingerprint: String
    public var user: Label?
    public var team: Label?
    public var models: [ModelName]
    public var limits: LimitSet
    public var created: WallTime
    public var expires: WallTime?
    public var revoked: WallTime?
    public var successor: VirtualKeyID?
    public var lastUsed: WallTime?
    public var requestsPerSecond: Double
    /// Which of its calls give way under overload.
    public var callClass: CallClass
    public init(
        id: VirtualKeyID, tenant: TenantName, name: Label, fingerprint: String, user: Label? = nil,
        team: Label? = nil,
        models: [ModelName] = [], limits: LimitSet = .init(), created: WallTime, expires: WallTime? = nil,
        revoked: WallTime? = nil, successor: VirtualKeyID? = nil, lastUsed: WallTime? = nil,
        requestsPerSecond: Double = 0, callClass: CallClass = .interactive
    ) {
        self.callClass = callClass
        self.id = id
        self.tenant = tenant
        self.name = name
        self.fingerprint = fingerprint
        self.user = user
        self.team = team
        self.models = models
        self.limits = limits
        self.created = created
        self.expires = expires
        self.revoked = revoked
        self.successor = successor
        self.lastUsed = lastUsed
        self.requestsPerSecond = requestsPerSecond
    }

    /// `active`, `OVERLAP`, `EXPIRED` or `REVOKED`.
    public func word(at now: WallTime) -> String {
        if revoked != nil { return "REVOKED" }
        if let expires, expires <= now { return "EXPIRED" }
        return successor == nil ? "active" : "OVERLAP"
    }
}

/// The exact cache: store and use.
public struct CacheView: Sendable, Hashable, Codable {
    public var entries: Int
    public var bytes: Int
    public var bytesMax: Int
    public var hits: Int64
    public var misses: Int64
    public var evicted: Int64
    public var timeToLiveSeconds: Int
    public var saved: Money
    public var tenants: [CacheTenantView]
    public init(
        entries: Int = 0, bytes: Int = 0, bytesMax: Int = 0, hits: Int64 = 0, misses: Int64 = 0,
        evicted: Int64 = 0,
        timeToLiveSeconds: Int = 0, saved: Money = .zero, tenants: [CacheTenantView] = []
    ) {
        self.entries = entries
        self.bytes = bytes
        self.bytesMax = bytesMax
        self.hits = hits
        self.misses = misses
        self.evicted = evicted
        self.timeToLiveSeconds = timeToLiveSeconds
        self.saved = saved
        self.tenants = tenants
    }
}

/// One tenant's part of the cache.
public struct CacheTenantView: Sendable, Hashable, Codable {
    public var tenant: TenantName
    public var enabled: Bool
    public var entries: Int
    public var bytes: Int
    public var hits: Int64
    public var misses: Int64
    public var saved: Money
    public init(
        tenant: TenantName, enabled: Bool, entries: Int, bytes: Int, hits: Int64, misses: Int64, saved: Money
    ) {
        self.tenant = tenant
        self.enabled = enabled
        self.entries = entries
        self.bytes = bytes
        self.hits = hits
        self.misses = misses
        self.saved = saved
    }
}

/// What was spent since midnight UTC and over the last 24 hours.
public struct CostView: Sendable, Hashable, Codable {
    /// 24 hours, oldest first; the last is the hour now running. Dollars.
    public var byHour: [Double]
    /// The hour of day (UTC) of the last entry of `byHour`.
    public var lastHour: Int
    public var total: Money
    public var saved: Money
    public var unpriced: Int64
    public var priceVersion: String
    /// Dearest first, at most 200.
    public var lines: [CostLine]
    public init(
        byHour: [Double] = [], lastHour: Int = 0, total: Money = .zero, saved: Money = .zero,
        unpriced: Int64 = 0,
        priceVersion: String = "", lines: [CostLine] = []
    ) {
        self.byHour = byHour
        self.lastHour = lastHour
        self.total = total
        self.saved = saved
        self.unpriced = unpriced
        self.priceVersion = priceVersion
        self.lines = lines
    }
}

/// The last 24 hours of one tenant with one provider and model.
public struct CostLine: Sendable, Hashable, Codable {
    public var tenant: TenantName
    public var provider: String
    public var model: String
    public var calls: Int64
    public var unpriced: Int64
    public var usage: Usage
    public var cost: Money
    public var saved: Money
    public init(
        tenant: TenantName, provider: String, model: String, calls: Int64, unpriced: Int64, usage: Usage,
        cost: Money,
        saved: Money
    ) {
        self.tenant = tenant
        self.provider = provider
        self.model = model
        self.calls = calls
        self.unpriced = unpriced
        self.usage = usage
        self.cost = cost
        self.saved = saved
    }
}

/// Something an operator should look at.
public struct AlertView: Sendable, Hashable, Codable {
    /// How much it matters.
    public enum Level: String, Sendable, Codable { case critical = "CRIT", warning = "WARN", info = "INFO" }
    /// Where `enter` leads.
    public enum Subject: Sendable, Hashable, Codable {
        case target(Target)
        case providerKey(ProviderKeyID)
        case tenant(TenantID)
        case health
    }
    public var level: Level
    public var subject: Subject
    public var title: String
    public var text: String
    public var since: WallTime
    public init(level: Level, subject: Subject, title: String, text: String, since: WallTime) {
        self.level = level
        self.subject = subject
        self.title = title
        self.text = text
        self.since = since
    }
}

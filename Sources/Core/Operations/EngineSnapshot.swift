package import Domain

/// An immutable picture of the gateway at one moment: all that the console's panes and the listings show.
///
/// Every figure is kept up to date as calls finish; making a picture scans nothing.
package struct EngineSnapshot: Sendable, Hashable, Codable {
    package var instance: String
    package var version: String
    /// Simulated providers and traffic: said on every screen.
    package var demo: Bool
    package var readOnly: Bool
    /// What whoever looks may do; nil = not even look, so that the rest is empty.
    package var role: OperatorRole? = .admin
    package var at: WallTime
    package var started: WallTime
    /// The number of the newest event that this picture knows of.
    package var sequence: UInt64
    package var listening: String
    package var health: HealthView
    package var vault: VaultView
    package var totals: TrafficFigures
    package var series: TrafficSeries
    package var targets: [TargetView]
    package var providers: [ProviderView]
    package var tenants: [TenantView]
    package var providerKeys: [ProviderKeyView]
    package var virtualKeys: [VirtualKeyView]
    package var cache: CacheView
    package var costs: CostView
    /// Newest first, at most 200.
    package var audit: [AuditRecord]
    package var auditVerified: String
    package var alerts: [AlertView]
    /// Drills that are on, at most one a tenant.
    package var drills: [DrillView]
    /// The tenant whose provider keys serve also those that use platform keys; nil = there is none.
    package var platform: TenantName?

    package init(
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
package struct HealthView: Sendable, Hashable, Codable {
    /// What a load balancer would be told.
    package enum State: String, Sendable, Codable { case ready, degraded, notReady = "not_ready" }
    package var state: State
    /// A sentence each; empty when ready.
    package var reasons: [String]
    package var journalUsed: Int
    package var journalCapacity: Int
    package var eventsLost: UInt64
    /// The configuration in force, or why the newest file was refused.
    package var configuration: String

    package init(
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
package struct VaultView: Sendable, Hashable, Codable {
    package var unlocked: Bool
    /// `passphrase`, `keyfile`: the kinds of its slots.
    package var slots: [String]
    package var rootVersion: UInt32
    package var sealedKeys: Int
    package var damagedKeys: Int
    /// Lines on rows that decide access and were changed by something else: they are not used.
    package var distrusted: [String] = []
    package var slotList: [SlotView]
    /// The rotation that is under way.
    package var work: VaultWorkView?
    package init(
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
package struct VaultWorkView: Sendable, Hashable, Codable {
    /// Tenants' keys wrapped by a new root, or provider keys sealed with new tenants' keys.
    package enum What: String, Sendable, Codable { case root, keys }
    package let what: What
    package let done: Int
    package let total: Int
    package init(what: What, done: Int, total: Int) {
        self.what = what
        self.done = done
        self.total = total
    }
}

/// One way to open the vault.
package struct SlotView: Sendable, Hashable, Codable {
    package let id: SlotID
    package let kind: SlotKind
    package let created: WallTime
    /// Which key outside keeps the slot's; nil where none does.
    package let keptBy: String?
    package init(id: SlotID, kind: SlotKind, created: WallTime, keptBy: String? = nil) {
        self.keptBy = keptBy
        self.id = id
        self.kind = kind
        self.created = created
    }
}

/// Figures of the last 60 seconds.
package struct TrafficFigures: Sendable, Hashable, Codable {
    package var requestsPerSecond: Double
    /// 0 to 100; caller's faults are not errors.
    package var errorPercent: Double
    /// nil = no call in the window.
    package var p50Milliseconds: Double?
    package var p95Milliseconds: Double?
    package var inFlight: Int
    package var costPerHour: Money
    /// Share of calls answered from our cache, 0 to 100.
    package var hitPercent: Double
    package var calls: Int64

    package init(
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
package struct TrafficSeries: Sendable, Hashable, Codable {
    package static let secondsPerPoint = 10
    package static let points = 90
    package var requestsPerSecond: [Double]
    package var errorPercent: [Double]
    package var p95Milliseconds: [Double]
    /// Dollars per hour.
    package var costPerHour: [Double]
    package var hitPercent: [Double]
    package init(
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
package struct TargetView: Sendable, Hashable, Codable {
    package var target: Target
    package var position: BreakerPosition
    package var hold: BreakerHold?
    /// When the breaker came into this position.
    package var since: WallTime
    /// One sentence: rule, numbers, what happens next.
    package var why: String
    package var figures: TrafficFigures
    /// 15 minutes as in `TrafficSeries`.
    package var requestSeries: [Double]
    package var errorSeries: [Double]
    /// Newest first, at most 20.
    package var history: [BreakerMoment]
    /// Keys that can serve it now, and all.
    package var keysUsable: Int
    package var keysTotal: Int
    /// Newest first, at most 20: the last attempts here that failed.
    package var lastErrors: [ErrorMoment]
    /// The health of the keys that could serve it, as last seen.
    package var credentials: CredentialTally
    /// Tenants whose calls it served or should have served of late, most calls first, at most 20.
    package var dependents: [String]
    /// Where the calls went that failed or were not let in here, most first, at most 10.
    package var wentTo: [TrafficShare]
    /// Calls of the last 60 seconds here were met by a drill.
    package var drilled: Bool

    package init(
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
package struct BreakerMoment: Sendable, Hashable, Codable {
    package let at: WallTime
    package let position: BreakerPosition
    package let held: Bool
    package let why: String
    package init(at: WallTime, position: BreakerPosition, held: Bool, why: String) {
        self.at = at
        self.position = position
        self.held = held
        self.why = why
    }
}

/// A past failure at a target, and where the call went then.
package struct ErrorMoment: Sendable, Hashable, Codable {
    package let at: WallTime
    package let tenant: String
    package let model: String
    package let status: Int?
    package let failure: String
    package let then: String
    package init(at: WallTime, tenant: String, model: String, status: Int?, failure: String, then: String) {
        self.at = at
        self.tenant = tenant
        self.model = model
        self.status = status
        self.failure = failure
        self.then = then
    }
}

/// One provider of the configuration.
package struct ProviderView: Sendable, Hashable, Codable {
    package var name: ProviderName
    package var kind: ProviderKind
    package var origin: String
    package var targets: Int
    package var keys: Int
    /// Where it computes, as the configuration says, such as `eu-west-1`; nil = not said.
    package var region: String?
    /// How long it keeps what is sent, as the configuration says; nil = not said.
    package var retention: String?
    /// nil = it is not probed, or was not yet.
    package var probe: ProbeView?
    package init(
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
package struct TenantView: Sendable, Hashable, Codable {
    package var id: TenantID
    package var name: TenantName
    package var status: TenantStatus
    package var limits: LimitSet
    package var created: WallTime
    package var figures: TrafficFigures
    package var requestSeries: [Double]
    package var errorSeries: [Double]
    package var costSeries: [Double]
    /// Tokens in the last 60 s.
    package var tokensPerMinute: Int64
    package var costToday: Money
    package var unpricedToday: Int64
    /// By model, busiest first, at most 20.
    package var models: [ModelFigures]
    /// Its calls may go out with the platform's keys where its own do not serve.
    package var usesPlatformKeys: Bool
    package init(
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
package struct ModelFigures: Sendable, Hashable, Codable {
    package var model: String
    package var target: String
    package var calls: Int64
    package var errors: Int64
    package var tokens: Int64
    package var hits: Int64
    package var cost: Money
    package init(
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
package struct ProviderKeyView: Sendable, Hashable, Codable {
    package var id: ProviderKeyID
    package var tenant: TenantName
    package var provider: ProviderName
    package var label: Label
    package var fingerprint: String
    package var state: ProviderKeyState
    package var health: CredentialMark
    /// When it is tried again; nil = it is well, or the next call tries it.
    package var healthUntil: WallTime?
    package var created: WallTime
    package var drainEnds: WallTime?
    package var predecessor: ProviderKeyID?
    package var successor: ProviderKeyID?
    package var verdict: KeyVerdict
    package var verdictAt: WallTime?
    package var lastUsed: WallTime?
    package var requestsPerSecond: Double
    package var rateLimitedPercent: Double
    /// The last call that the provider answered well with it.
    package var lastSuccess: WallTime?
    /// The last 401 or 403.
    package var lastRejected: WallTime?
    /// The last 429.
    package var lastRateLimited: WallTime?
    /// What the provider's rate-limit headers left, such as `req 480/500 · tok 28k/30k`; empty = nothing heard.
    package var headroom: String
    /// Models where it stands otherwise than `health` says, at most 20.
    package var modelMarks: [ModelMark]
    /// Its share of the calls among the tenant's keys for the provider; nil = none stated.
    package var weight: Int?
    /// The models it is for, in the provider's words; empty = all.
    package var models: [ModelName]
    /// The trial of a successor; nil but in the state `canary`.
    package var canary: KeyCanary?

    /// Whether calls may use it at all.
    package var isUsable: Bool { state == .active || state == .canary || state == .draining }

    package init(
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
package struct VirtualKeyView: Sendable, Hashable, Codable {
    package var id: VirtualKeyID
    package var tenant: TenantName
    package var name: Label
    package var fingerprint: String
    package var user: Label?
    package var team: Label?
    package var models: [ModelName]
    package var limits: LimitSet
    package var created: WallTime
    package var expires: WallTime?
    package var revoked: WallTime?
    package var successor: VirtualKeyID?
    package var lastUsed: WallTime?
    package var requestsPerSecond: Double
    /// Which of its calls give way under overload.
    package var callClass: CallClass
    package init(
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
    package func word(at now: WallTime) -> String {
        if revoked != nil { return "REVOKED" }
        if let expires, expires <= now { return "EXPIRED" }
        return successor == nil ? "active" : "OVERLAP"
    }
}

/// The exact cache: store and use.
package struct CacheView: Sendable, Hashable, Codable {
    package var entries: Int
    package var bytes: Int
    package var bytesMax: Int
    package var hits: Int64
    package var misses: Int64
    package var evicted: Int64
    package var timeToLiveSeconds: Int
    package var saved: Money
    package var tenants: [CacheTenantView]
    package init(
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
package struct CacheTenantView: Sendable, Hashable, Codable {
    package var tenant: TenantName
    package var enabled: Bool
    package var entries: Int
    package var bytes: Int
    package var hits: Int64
    package var misses: Int64
    package var saved: Money
    package init(
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
package struct CostView: Sendable, Hashable, Codable {
    /// 24 hours, oldest first; the last is the hour now running. Dollars.
    package var byHour: [Double]
    /// The hour of day (UTC) of the last entry of `byHour`.
    package var lastHour: Int
    package var total: Money
    package var saved: Money
    package var unpriced: Int64
    package var priceVersion: String
    /// Dearest first, at most 200.
    package var lines: [CostLine]
    package init(
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
package struct CostLine: Sendable, Hashable, Codable {
    package var tenant: TenantName
    package var provider: String
    package var model: String
    package var calls: Int64
    package var unpriced: Int64
    package var usage: Usage
    package var cost: Money
    package var saved: Money
    package init(
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
package struct AlertView: Sendable, Hashable, Codable {
    /// How much it matters.
    package enum Level: String, Sendable, Codable { case critical = "CRIT", warning = "WARN", info = "INFO" }
    /// Where `enter` leads.
    package enum Subject: Sendable, Hashable, Codable {
        case target(Target)
        case providerKey(ProviderKeyID)
        case tenant(TenantID)
        case health
    }
    package var level: Level
    package var subject: Subject
    package var title: String
    package var text: String
    package var since: WallTime
    package init(level: Level, subject: Subject, title: String, text: String, since: WallTime) {
        self.level = level
        self.subject = subject
        self.title = title
        self.text = text
        self.since = since
    }
}

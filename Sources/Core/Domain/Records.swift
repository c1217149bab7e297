/// Ceilings on use; nil means no ceiling.
public struct LimitSet: Hashable, Sendable, Codable {
    public var requestsPerMinute: Int?
    public var tokensPerMinute: Int?
    public var parallel: Int?

    public init(requestsPerMinute: Int? = nil, tokensPerMinute: Int? = nil, parallel: Int? = nil) {
        self.requestsPerMinute = requestsPerMinute
        self.tokensPerMinute = tokensPerMinute
        self.parallel = parallel
    }

    public var isEmpty: Bool { requestsPerMinute == nil && tokensPerMinute == nil && parallel == nil }
}

/// Whether a tenant's calls are served.
public enum TenantStatus: String, Sendable, Codable {
    case active
    case suspended
}

/// A tenant as stored in the control schema.
public struct TenantRecord: Hashable, Sendable, Codable {
    public let id: TenantID
    public let name: TenantName
    public var status: TenantStatus
    public var limits: LimitSet
    /// Whether answers may be cached for this tenant at all.
    public var cacheEnabled: Bool
    /// Whether its calls may go out with the platform's keys, at the platform's cost, where its own do not serve.
    public var usesPlatformKeys: Bool
    public let created: WallTime

    public init(
        id: TenantID, name: TenantName, status: TenantStatus = .active, limits: LimitSet = .init(),
        cacheEnabled: Bool = true, usesPlatformKeys: Bool = false, created: WallTime
    ) {
        self.id = id
        self.name = name
        self.status = status
        self.limits = limits
        self.cacheEnabled = cacheEnabled
        self.usesPlatformKeys = usesPlatformKeys
        self.created = created
    }
}

/// A virtual key as stored: its hash, never the key.
public struct VirtualKeyRecord: Hashable, Sendable, Codable {
    public let id: VirtualKeyID
    public let tenant: TenantID
    public let name: Label
    /// HMAC-SHA-256, under the vault's pepper, of the SHA-256 of the whole token text; in a vault whose rows carry no
    /// codes yet, the SHA-256 alone.
    public let hash: [UInt8]
    public var user: Label?
    public var team: Label?
    /// Models (as callers name them) this key may use; empty = all.
    public var models: [ModelName]
    public var limits: LimitSet
    public let created: WallTime
    public var expires: WallTime?
    public var revoked: WallTime?
    /// The key that replaces this one; this one then expires at the end of the overlap.
    public var successor: VirtualKeyID?
    /// Which calls give way under overload; a call may say `batch` for itself.
    public var callClass: CallClass

    public init(
        id: VirtualKeyID, tenant: TenantID, name: Label, hash: [UInt8], user: Label? = nil,
        team: Label? = nil,
        models: [ModelName] = [], limits: LimitSet = .init(), created: WallTime, expires: WallTime? = nil,
        revoked: WallTime? = nil, successor: VirtualKeyID? = nil, callClass: CallClass = .interactive
    ) {
        self.id = id
        self.tenant = tenant
        self.name = name
        self.hash = hash
        self.user = user
        self.team = team
        self.models = models
        self.limits = limits
        self.created = created
        self.expires = expires
        self.revoked = revoked
        self.successor = successor
        self.callClass = callClass
    }

    /// The first four bytes of the hash as digits: safe to show, says nothing about the key.
    public var fingerprint: String { "vk " + hexadecimalText(of: hash.prefix(4)) }
}

/// Where a provider key stands in its life.
public enum ProviderKeyState: String, Sendable, Codable {
    /// Used for new calls.
    case active
    /// A successor on trial: it takes a share of its predecessor's calls, until `canary` says.
    case canary
    /// Replaced; kept for calls in flight and for undo until `drainEnds`.
    case draining
    /// Never used again; its sealed record is gone.
    case revoked
    /// Its sealed record does not open. Shown, never skipped in silence.
    case damaged
}

/// What the last check with the provider said of a key.
public enum KeyVerdict: String, Sendable, Codable {
    case verified
    case refused
    /// The provider could not be asked, or its answer says nothing about the key.
    case unknown
}

/// A provider key as stored in its tenant's schema: the sealed secret and what may be shown of it.
public struct ProviderKeyRecord: Hashable, Sendable, Codable {
    public let id: ProviderKeyID
    public let tenant: TenantID
    public let provider: ProviderName
    public let label: Label
    public var state: ProviderKeyState
    /// HMAC of the secret under a key of the vault, six bytes as digits: tells two keys apart, cannot be checked
    /// against a guess without the vault.
    public let fingerprint: String
    /// The GWE1 record; empty once revoked.
    public var sealed: [UInt8]
    /// The row's write counter, also inside the sealed record.
    public var counter: UInt32
    public let created: WallTime
    public var drainEnds: WallTime?
    public var predecessor: ProviderKeyID?
    public var verdict: KeyVerdict
    public var verdictAt: WallTime?
    /// Its share of the calls among the tenant's active keys for the provider, 0 to 10,000; nil = none stated.
    public var weight: Int?
    /// Models in the provider's words that it may be used for; a `*` at the end stands for anything. Empty = all.
    public var models: [ModelName]
    /// What the trial of a successor is; nil but in the state `canary`.
    public var canary: KeyCanary?

    public init(
        id: ProviderKeyID, tenant: TenantID, provider: ProviderName, label: Label, state: ProviderKeyState,
        fingerprint: String, sealed: [UInt8], counter: UInt32, created: WallTime, drainEnds: WallTime? = nil,
        predecessor: ProviderKeyID? = nil, verdict: KeyVerdict = .unknown, verdictAt: WallTime? = nil,
        weight: Int? = nil, models: [ModelName] = [], canary: KeyCanary? = nil
    ) {
        self.canary = canary
        self.id = id
        self.tenant = tenant
        self.provider = provider
        self.label = label
        self.state = state
        self.fingerprint = fingerprint
        self.sealed = sealed
        self.counter = counter
        self.created = created
        self.drainEnds = drainEnds
        self.predecessor = predecessor
        self.verdict = verdict
        self.verdictAt = verdictAt
        self.weight = weight
        self.models = models
    }

    /// Whether calls may use it at all.
    public var isUsable: Bool {
        switch state {
        case .active, .canary, .draining: true
        case .revoked, .damaged: false
        }
    }

    /// Whether it may be used for a model.
    public func serves(_ model: ModelName) -> Bool {
        models.isEmpty
            || models.contains { pattern in
                pattern.text.utf8.last == UInt8(ascii: "*")
                    ? model.text.utf8.starts(with: pattern.text.utf8.dropLast())
                    : model.text.utf8.elementsEqual(pattern.text.utf8)
            }
    }
}

/// Who pays a provider for a call.
public enum Payer: String, Sendable, Codable {
    /// The tenant: it went out with its own key, or with none.
    case tenant
    /// The one whose keys serve tenants that have none.
    case platform
}

/// How a call met the cache.
public enum CacheOutcome: String, Sendable, Codable {
    case miss
    case hit = "hit-exact"
    case bypass
}

/// How a call ended.
public enum CallEnd: String, Sendable, Codable {
    case answered
    case refused
    case failed
    /// The stream was cut after its first piece.
    case cut
    case cancelled
}

/// One finished call: the row of the usage ledger and the payload of the event that says so.
public struct LedgerRow: Hashable, Sendable, Codable {
    public let call: CallID
    public let tenant: TenantID
    public let virtualKey: VirtualKeyID
    public let at: WallTime
    public let dialect: Dialect
    /// The model as the caller named it.
    public let model: String
    /// Where the answer came from; nil when no attempt was made or the cache answered.
    public let target: Target?
    public let providerKey: ProviderKeyID?
    public let payer: Payer
    public let user: String
    public let team: String
    /// `name=value` pairs as the caller sent them, checked and bounded.
    public let tags: String
    public let status: Int
    public let end: CallEnd
    public let failure: CallFailure.Code?
    public let cache: CacheOutcome
    public let attempts: Int
    public let usage: Usage
    public let usageSource: UsageSource
    /// nil = the price is not known; never written as zero.
    public let cost: Money?
    /// What the call would have cost, where our cache answered it.
    public let saved: Money?
    public let priceVersion: String
    /// From the request's last byte to the answer's last byte.
    public let latencyMicroseconds: Int64
    /// From the request's last byte to the answer's first byte; 0 when none came.
    public let firstByteMicroseconds: Int64

    public init(
        call: CallID, tenant: TenantID, virtualKey: VirtualKeyID, at: WallTime, dialect: Dialect,
        model: String,
        target: Target?, providerKey: ProviderKeyID?, user: String, team: String, tags: String, status: Int,
        end: CallEnd, failure: CallFailure.Code?, cache: CacheOutcome, attempts: Int, usage: Usage,
        usageSource: UsageSource, cost: Money?, saved: Money?, priceVersion: String,
        latencyMicroseconds: Int64,
        firstByteMicroseconds: Int64, payer: Payer = .tenant
    ) {
        self.call = call
        self.tenant = tenant
        self.virtualKey = virtualKey
        self.at = at
        self.dialect = dialect
        self.model = model
        self.target = target
        self.providerKey = providerKey
        self.payer = payer
        self.user = user
        self.team = team
        self.tags = tags
        self.status = status
        self.end = end
        self.failure = failure
        self.cache = cache
        self.attempts = attempts
        self.usage = usage
        self.usageSource = usageSource
        self.cost = cost
        self.saved = saved
        self.priceVersion = priceVersion
        self.latencyMicroseconds = latencyMicroseconds
        self.firstByteMicroseconds = firstByteMicroseconds
    }
}

public import Domain

/// What finds an answer: the tenant, then a digest of dialect, model and body made by the caller.
///
/// The tenant is a part of its own, compared apart from the digest: an equal digest of another tenant finds nothing.
/// There is no default key. Whoever wants narrower sharing (a team, a user) puts it into the digest.
public struct CacheKey: Hashable, Sendable {
    public let tenant: TenantID
    public let digest: Digest256

    public init(tenant: TenantID, digest: Digest256) {
        self.tenant = tenant
        self.digest = digest
    }

    /// Folds first: a digest is evenly spread already, and hashing its 48 bytes would be most of a look-up's cost.
    public func hash(into hasher: inout Hasher) {
        let words = digest.words
        hasher.combine(tenant.high ^ tenant.low)
        hasher.combine(words.0 ^ words.1 ^ words.2 ^ words.3)
    }
}

/// One answer as it went to a caller; never changed, so it is handed out by reference.
public final class CachedAnswer: Sendable {
    public let status: Int
    public let contentType: String
    public let body: [UInt8]
    public let usage: Usage
    /// What it cost, and so what a hit saves; nil = unknown.
    public let cost: Money?
    /// When it was stored: its age and its end count from here.
    public let stored: Instant
    public let model: String
    /// Whether `body` is an event stream.
    public let streamed: Bool

    public init(
        status: Int, contentType: String, body: [UInt8], usage: Usage, cost: Money?, stored: Instant,
        model: String,
        streamed: Bool
    ) {
        self.status = status
        self.contentType = contentType
        self.body = body
        self.usage = usage
        self.cost = cost
        self.stored = stored
        self.model = model
        self.streamed = streamed
    }
}

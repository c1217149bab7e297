public import Domain

/// A target a call may go to, with what routing needs to know of it.
public struct Candidate: Sendable, Hashable {
    public let target: Target
    /// Its share under `weighted` and `sticky`; 0 = last resort.
    public let weight: Int
    /// Keys for it, the preferred first.
    public let keys: [ProviderKeyID]
    /// How many of them, from the first on, are the tenant's own: all of those are tried before any other.
    public let ownKeys: Int
    /// Whether it may be called without any key.
    public let keyless: Bool
    /// What the call costs there by estimate; nil = not known, or nobody asks.
    public let cost: Money?
    /// How it has been doing.
    public let gauge: TargetReading

    public init(
        target: Target, weight: Int = 1, keys: [ProviderKeyID], ownKeys: Int? = nil, keyless: Bool = false,
        cost: Money? = nil,
        gauge: TargetReading = TargetReading()
    ) {
        self.target = target
        self.weight = weight
        self.keys = keys
        self.ownKeys = ownKeys ?? keys.count
        self.keyless = keyless
        self.cost = cost
        self.gauge = gauge
    }
}

/// How a target has been doing, at one moment.
public struct TargetReading: Sendable, Hashable {
    /// Smoothed time to the first token; nil = not measured lately.
    public var firstToken: Duration?
    /// Smoothed output tokens a second; nil = not measured lately.
    public var tokensPerSecond: Double?
    /// Attempts under way.
    public var running: Int

    public init(firstToken: Duration? = nil, tokensPerSecond: Double? = nil, running: Int = 0) {
        self.firstToken = firstToken
        self.tokensPerSecond = tokensPerSecond
        self.running = running
    }
}

package import Domain

/// A target a call may go to, with what routing needs to know of it.
package struct Candidate: Sendable, Hashable {
    package let target: Target
    /// Its share under `weighted` and `sticky`; 0 = last resort.
    package let weight: Int
    /// Keys for it, the preferred first.
    package let keys: [ProviderKeyID]
    /// How many of them, from the first on, are the tenant's own: all of those are tried before any other.
    package let ownKeys: Int
    /// Whether it may be called without any key.
    package let keyless: Bool
    /// What the call costs there by estimate; nil = not known, or nobody asks.
    package let cost: Money?
    /// How it has been doing.
    package let gauge: TargetReading

    package init(
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
package struct TargetReading: Sendable, Hashable {
    /// Smoothed time to the first token; nil = not measured lately.
    package var firstToken: Duration?
    /// Smoothed output tokens a second; nil = not measured lately.
    package var tokensPerSecond: Double?
    /// Attempts under way.
    package var running: Int

    package init(firstToken: Duration? = nil, tokensPerSecond: Double? = nil, running: Int = 0) {
        self.firstToken = firstToken
        self.tokensPerSecond = tokensPerSecond
        self.running = running
    }
}

/// Bounds of the answer cache.
public struct CacheOptions: Sendable, Hashable {
    /// Memory for all answers together, with what it takes to keep them.
    public var bytesMax = 64 << 20
    /// Answers kept, whatever their size.
    public var entriesMax = 65_536
    /// The largest body worth keeping.
    public var bodyBytesMax = 256 << 10
    /// The most of bytes and entries one tenant may hold, in percent: nobody crowds the others out.
    public var tenantSharePercent = 50
    /// How long an answer is kept when the caller does not say (as OpenRouter and Bifrost do: five minutes).
    public var timeToLive = Duration.seconds(300)
    /// The longest a caller may ask for.
    public var timeToLiveMax = Duration.seconds(86_400)

    public init() {}
}

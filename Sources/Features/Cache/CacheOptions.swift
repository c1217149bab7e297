/// Bounds of the answer cache.
package struct CacheOptions: Sendable, Hashable {
    /// Memory for all answers together, with what it takes to keep them.
    package var bytesMax = 64 << 20
    /// Answers kept, whatever their size.
    package var entriesMax = 65_536
    /// The largest body worth keeping.
    package var bodyBytesMax = 256 << 10
    /// The most of bytes and entries one tenant may hold, in percent: nobody crowds the others out.
    package var tenantSharePercent = 50
    /// How long an answer is kept when the caller does not say (as OpenRouter and Bifrost do: five minutes).
    package var timeToLive = Duration.seconds(300)
    /// The longest a caller may ask for.
    package var timeToLiveMax = Duration.seconds(86_400)

    package init() {}
}

/// The trial of a provider key that is to take another's place: some of that one's calls, for a time, before all of them.
public struct KeyCanary: Hashable, Sendable, Codable {
    /// Of a hundred calls, 1 to 99.
    public let percent: Int
    public let ends: WallTime
    /// How long the predecessor drains after the switch.
    public let drainSeconds: Int

    public init(percent: Int, ends: WallTime, drainSeconds: Int) {
        self.percent = percent
        self.ends = ends
        self.drainSeconds = drainSeconds
    }

    /// Whether a call is one of its share.
    ///
    /// - Parameter draw: a random number, or the same one for every call of a conversation, which so keeps its key.
    public func takes(_ draw: UInt64, as key: ProviderKeyID) -> Bool {
        // With the key's own bits: the lot that puts several keys in order must not decide this too.
        var lot = SplitMix(seed: draw ^ key.low)
        return lot.next() % 100 < UInt64(max(0, percent))
    }
}

/// How many calls that failed at one target went to another in the last 60 seconds.
public struct TrafficShare: Sendable, Hashable, Codable {
    /// Where they went; empty = nowhere, they failed.
    public var target: String
    public var calls: Int
    public init(target: String, calls: Int) {
        self.target = target
        self.calls = calls
    }
}

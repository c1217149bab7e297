/// How many calls that failed at one target went to another in the last 60 seconds.
package struct TrafficShare: Sendable, Hashable, Codable {
    /// Where they went; empty = nowhere, they failed.
    package var target: String
    package var calls: Int
    package init(target: String, calls: Int) {
        self.target = target
        self.calls = calls
    }
}

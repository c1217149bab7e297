public import Domain

/// What the last free call to a provider showed, where the configuration asks for such calls.
public struct ProbeView: Sendable, Hashable, Codable {
    public var reachable: Bool
    /// How long the answer's head took; nil = none came.
    public var milliseconds: Double?
    /// What came: `status 401`, or why nothing did.
    public var words: String
    public var at: WallTime
    /// Calls in a row that had no answer.
    public var failures: Int
    /// How often it is asked while it answers.
    public var everySeconds: Int

    public init(
        reachable: Bool, milliseconds: Double? = nil, words: String, at: WallTime, failures: Int = 0,
        everySeconds: Int
    ) {
        self.reachable = reachable
        self.milliseconds = milliseconds
        self.words = words
        self.at = at
        self.failures = failures
        self.everySeconds = everySeconds
    }
}

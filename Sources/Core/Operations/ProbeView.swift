package import Domain

/// What the last free call to a provider showed, where the configuration asks for such calls.
package struct ProbeView: Sendable, Hashable, Codable {
    package var reachable: Bool
    /// How long the answer's head took; nil = none came.
    package var milliseconds: Double?
    /// What came: `status 401`, or why nothing did.
    package var words: String
    package var at: WallTime
    /// Calls in a row that had no answer.
    package var failures: Int
    /// How often it is asked while it answers.
    package var everySeconds: Int

    package init(
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

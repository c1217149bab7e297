import Domain

/// A line that tells what just happened, until its time is over.
struct Flash: Sendable, Hashable {
    /// How the line is meant.
    enum Kind: Sendable { case told, warning, failure }
    let text: String
    let kind: Kind
    let until: Instant

    /// How long a line stays: enough to read two lines twice.
    static var stay: Duration { .seconds(8) }
}

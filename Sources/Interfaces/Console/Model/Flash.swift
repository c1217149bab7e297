import Domain
import Operations

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

/// A command that takes the last one back, while that is possible.
struct UndoOffer: Sendable, Hashable {
    let command: EngineCommand
    let words: String
    let until: WallTime
}

/// A command on its way; one at a time.
struct PendingCommand: Sendable, Hashable {
    let id: Int
    let words: String
    /// Whether the dialog on top waits for it.
    let byDialog: Bool
}

/// What the screen shows while time stands still on it.
struct PausedView: Sendable {
    let snapshot: EngineSnapshot
    let names: NameBook
    let calls: CallRing
    let at: WallTime
}

public import Domain
public import Events
public import Operations

/// All that can happen to the console: what a person did, time, and what the engine says.
public enum ConsoleInput: Sendable {
    /// What a person did. A `tick` with the time of the input goes before it, so that time bounds hold.
    case input(Input)
    case tick(WallTime, Instant)
    case snapshot(EngineSnapshot)
    /// What the feed gave, and how many events it lost.
    case events([NumberedEvent], lost: UInt64)
    /// How a command ended that a `perform` effect asked for.
    case commandDone(id: Int, Result<CommandOutcome, CommandRefusal>)
    /// The answer to a question that an `ask` effect put.
    case answered(id: Int, Result<EngineAnswer, CommandRefusal>)
    /// The names of the themes there are, and of the one in use.
    case themes([String], current: String)
    /// Something the terminal has to say, such as how many bytes were copied.
    case notice(String)
}

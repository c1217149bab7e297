public import Operations

/// What the console asks of the one who runs it.
public enum ConsoleEffect: Sendable {
    /// Carry out a command and answer with `commandDone` of the same id. The runner owns the draft and wipes it.
    case perform(id: Int, EngineCommand, secret: SecretDraft?)
    /// Put a question to the engine and answer with `answered` of the same id.
    case ask(id: Int, EngineQuery)
    case refreshSnapshot
    /// Change to the theme after the present one, and tell with `themes`.
    case nextTheme
    case selectTheme(String)
    /// Forget what is on the screen and draw all of it.
    case redraw
    /// Hand text to the terminal's clipboard (OSC 52).
    case copy(String)
    case mouseCapture(Bool)
    case quit
}

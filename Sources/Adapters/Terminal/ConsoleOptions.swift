/// What a console is started with.
public struct ConsoleOptions: Sendable {
    /// A theme's name or path; nil = the library's first.
    public var theme: String?
    public var ascii: Bool
    public var readOnly: Bool
    /// Where standard error goes while the console owns the screen; nil leaves it alone.
    public var logDescriptor: Int32?
    /// The terminal; nil = `/dev/tty`.
    public var terminal: Int32?

    public init(
        theme: String? = nil, ascii: Bool = false, readOnly: Bool = false, logDescriptor: Int32? = nil,
        terminal: Int32? = nil
    ) {
        self.theme = theme
        self.ascii = ascii
        self.readOnly = readOnly
        self.logDescriptor = logDescriptor
        self.terminal = terminal
    }
}

/// How a console ended.
public enum ConsoleEnding: Sendable, Equatable {
    /// The operator left.
    case quit
    /// The terminal is gone; the engine is not concerned.
    case hungUp
    /// It was asked to stop.
    case stopped
    /// There is no terminal to draw on.
    case noTerminal(String)
    /// There is one, but it cannot be drawn on.
    case unusableTerminal(String)
}

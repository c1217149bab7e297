/// What a console is started with.
package struct ConsoleOptions: Sendable {
    /// A theme's name or path; nil = the library's first.
    package var theme: String?
    package var ascii: Bool
    package var readOnly: Bool
    /// Where standard error goes while the console owns the screen; nil leaves it alone.
    package var logDescriptor: Int32?
    /// The terminal; nil = `/dev/tty`.
    package var terminal: Int32?

    package init(
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
package enum ConsoleEnding: Sendable, Equatable {
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

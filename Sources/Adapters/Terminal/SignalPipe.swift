import Glibc

/// Turns signals into bytes on a pipe that the console's thread polls.
enum SignalPipe {
    // Safe because it is written once before the handlers that read it are installed.
    nonisolated(unsafe) private static var writeEnd: Int32 = -1
    private static let signals = [SIGWINCH, SIGCONT, SIGHUP]

    /// Makes the pipe and installs the handlers; returns the end to read.
    static func open() -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return (-1, -1) }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        writeEnd = ends[1]
        for number in signals {
            signal(number) { number in
                var byte = UInt8(truncatingIfNeeded: number)
                let before = errno
                _ = write(SignalPipe.writeEnd, &byte, 1)
                errno = before
            }
        }
        return (ends[0], ends[1])
    }

    /// What stands for the signals that ncurses takes where nobody else did. Its handlers draw and end the process on
    /// whatever thread the signal reaches: they are put back once it has a screen.
    static func handlersOfNcurses() -> [(signal: Int32, action: sigaction)] {
        [SIGINT, SIGTERM, SIGTSTP, SIGWINCH].map { number in
            var action = sigaction()
            sigaction(number, nil, &action)
            return (number, action)
        }
    }

    static func restore(_ handlers: [(signal: Int32, action: sigaction)]) {
        for var handler in handlers { sigaction(handler.signal, &handler.action, nil) }
    }

    static func close(_ ends: (read: Int32, write: Int32)) {
        for number in signals { signal(number, number == SIGHUP ? SIG_IGN : SIG_DFL) }
        writeEnd = -1
        Glibc.close(ends.read)
        Glibc.close(ends.write)
    }
}

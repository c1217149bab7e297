import Glibc

/// Puts the terminal right when the process dies by a signal: only `poll`, `write`, `tcsetattr` and `raise` are used
/// there, which signal-safety(7) lists.
enum CrashRestore {
    private static let signals = [SIGSEGV, SIGABRT, SIGILL, SIGBUS, SIGFPE, SIGTRAP]
    private static let bytesMost = 512

    // Safe because it is written by the console's thread before a handler that reads it is installed, and a signal
    // handler can reach nothing but globals.
    nonisolated(unsafe) private static var descriptor: Int32 = -1
    // Safe because it is written before a handler that reads it is installed.
    nonisolated(unsafe) private static var saved = termios()
    // Safe because it is allocated once, filled before a handler that reads it is installed, and never freed.
    nonisolated(unsafe) private static let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: bytesMost)
    // Safe because it is written before a handler that reads it is installed.
    nonisolated(unsafe) private static var count = 0

    // Safe because only the thread that arms and disarms uses it.
    nonisolated(unsafe) private static var armed: [Int32] = []

    /// - Parameter found: the terminal's modes before anybody changed them.
    /// - Parameter alsoEnding: further signals that end the process while this is armed.
    static func arm(_ terminal: Int32, _ found: termios, bytes: [UInt8], alsoEnding: [Int32] = []) {
        saved = found
        armed = signals + alsoEnding
        count = min(bytes.count, bytesMost)
        for index in 0..<count { buffer[index] = bytes[index] }
        descriptor = terminal
        for number in armed {
            signal(number) { number in
                CrashRestore.restore()
                signal(number, SIG_DFL)
                raise(number)
            }
        }
    }

    static func disarm() {
        descriptor = -1
        for number in armed { signal(number, SIG_DFL) }
        armed = []
    }

    /// Writes what restores the terminal, without waiting for one that does not read.
    static func restore() {
        guard descriptor >= 0 else { return }
        // Linux says yes here only when a pseudo-terminal has room for some kilobytes (measured: no at 1000 bytes).
        var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        if poll(&ready, 1, 0) == 1 { _ = write(descriptor, buffer, count) }
        tcsetattr(descriptor, TCSANOW, &saved)
    }
}

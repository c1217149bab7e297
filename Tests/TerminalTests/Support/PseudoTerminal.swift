import Glibc
import Testing

/// A real terminal of the kernel's: the console is at one end, the test reads and types at the other.
final class PseudoTerminal {
    let master: Int32
    let slave: Int32
    private(set) var picture: TerminalPicture
    /// What came since `forget` was called.
    private(set) var bytes: [UInt8] = []
    private var marks = 0

    init(width: Int = 80, height: Int = 24) throws {
        var ends: (Int32, Int32) = (-1, -1)
        var size = winsize(ws_row: UInt16(height), ws_col: UInt16(width), ws_xpixel: 0, ws_ypixel: 0)
        try #require(openpty(&ends.0, &ends.1, nil, nil, &size) == 0)
        (master, slave) = ends
        _ = fcntl(master, F_SETFL, O_NONBLOCK)
        picture = TerminalPicture(width: width, height: height)
    }

    func forget() { bytes = [] }

    /// The next picture begins blank, as that of a terminal which lost what it showed.
    func lose() { picture = TerminalPicture(width: picture.width, height: picture.height) }

    func resize(_ width: Int, _ height: Int) {
        var size = winsize(ws_row: UInt16(height), ws_col: UInt16(width), ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
        picture.resize(width, height)
    }

    /// Makes it the terminal of this process, which becomes the leader of a session of its own.
    func takeControl() throws {
        try #require(setsid() > 0)
        try #require(ioctl(slave, UInt(TIOCSCTTY), 0) == 0)
    }

    func type(_ text: String) {
        let bytes = Array(text.utf8)
        #expect(write(master, bytes, bytes.count) == bytes.count)
    }

    /// Reads all that was written so far: up to a mark that is written now.
    @discardableResult
    func settle() throws -> TerminalPicture {
        marks += 1
        let mark = "_mark \(marks)"
        let sent = Array("\u{1b}\(mark)\u{1b}\\".utf8)
        try #require(write(slave, sent, sent.count) == sent.count)
        try wait("the mark") { $0.strings.last == mark }
        picture.strings.removeLast()
        bytes.removeLast(sent.count)
        return picture
    }

    /// Reads until the picture is as wanted; ten seconds are more than any machine needs.
    func wait(_ what: String, until isThere: (TerminalPicture) -> Bool) throws {
        let end = ContinuousClock.now + .seconds(10)
        while !isThere(picture) {
            if ContinuousClock.now > end {
                Issue.record("\(what) did not come; the terminal shows:\n\(picture.text)")
                throw Late()
            }
            var source = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
            if poll(&source, 1, 100) > 0 { take() }
        }
    }

    struct Late: Error {}

    private func take() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(master, &buffer, buffer.count)
        guard count > 0 else { return }
        bytes += buffer[..<count]
        picture.feed(buffer[..<count])
    }

    /// How the kernel treats what is typed and shown, as numbers that can be compared.
    var modes: [UInt32] {
        var now = termios()
        tcgetattr(slave, &now)
        let characters = withUnsafeBytes(of: now.c_cc) { $0.map { UInt32($0) } }
        return [now.c_iflag, now.c_oflag, now.c_cflag, now.c_lflag, now.c_ispeed, now.c_ospeed] + characters
    }

    var echoes: Bool { modes[3] & UInt32(ECHO) != 0 }

    /// Changes the modes, so that giving back the usual ones would be noticed.
    func makeUnusual() {
        var now = termios()
        tcgetattr(slave, &now)
        now.c_iflag ^= tcflag_t(IXANY | IXON)
        now.c_lflag ^= tcflag_t(ECHOK)
        withUnsafeMutableBytes(of: &now.c_cc) { $0[Int(VERASE)] = 0x08 }
        tcsetattr(slave, TCSANOW, &now)
    }
}

import CNcurses
import Glibc
import Locking
import Testing

@testable import Terminal

/// A real terminal of the kernel's: the console is at one end, the test reads and types at the other.
final class PseudoTerminal {
    let master: Int32
    let slave: Int32
    private(set) var picture: TerminalPicture
    /// What came since `forget` was called.
    private(set) var bytes: [UInt8] = []
    private var marks = 0
    private let reader: Reader

    /// - Parameter isStalled: nobody reads at the other end until `resume`.
    init(width: Int = 80, height: Int = 24, isStalled: Bool = false) throws {
        var ends: (Int32, Int32) = (-1, -1)
        var size = winsize(ws_row: UInt16(height), ws_col: UInt16(width), ws_xpixel: 0, ws_ypixel: 0)
        try #require(openpty(&ends.0, &ends.1, nil, nil, &size) == 0)
        (master, slave) = ends
        picture = TerminalPicture(width: width, height: height)
        reader = try Reader(master)
        if !isStalled { reader.start() }
    }

    /// Reads at last.
    func resume() { reader.start() }

    /// The window is closed, the connection is lost.
    func hangUp() { reader.end() }

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

    /// Reads until the picture is as wanted; three minutes are more than any machine needs.
    func wait(_ what: String, until isThere: (TerminalPicture) -> Bool) throws {
        let end = ContinuousClock.now + .seconds(180)
        while !isThere(picture) {
            if ContinuousClock.now > end {
                Issue.record("\(what) did not come; the terminal shows:\n\(picture.text)")
                throw Late()
            }
            let new = reader.take()
            bytes += new
            picture.feed(new)
        }
    }

    struct Late: Error {}

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

/// Reads a terminal on a thread of its own, as a terminal program does: who draws never waits for the test.
private final class Reader: Sendable {
    private let master: Int32
    private let bytes = Locked<[UInt8]>([])
    private let news: (read: Int32, write: Int32)
    private let stop: (read: Int32, write: Int32)

    init(_ master: Int32) throws {
        self.master = master
        func ends() throws -> (Int32, Int32) {
            var ends: [Int32] = [-1, -1]
            try #require(pipe(&ends) == 0)
            for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
            return (ends[0], ends[1])
        }
        news = try ends()
        stop = try ends()
    }

    func start() { PlainThread.start { self.run() } }

    /// Closes the terminal's end; the thread does it, so that none reads what is closed.
    func end() { ring(stop.write) }

    /// What came; waits a little if nothing did.
    func take() -> [UInt8] {
        var source = pollfd(fd: news.read, events: Int16(POLLIN), revents: 0)
        _ = poll(&source, 1, 100)
        var bell = [UInt8](repeating: 0, count: 4_096)
        _ = read(news.read, &bell, bell.count)
        return bytes.withLock { bytes in
            defer { bytes = [] }
            return bytes
        }
    }

    private func run() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            var sources = [
                pollfd(fd: master, events: Int16(POLLIN), revents: 0),
                pollfd(fd: stop.read, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&sources, 2, -1) > 0, sources[1].revents == 0 else { break }
            let count = read(master, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes.withLock { $0 += buffer[..<count] }
            ring(news.write)
        }
        close(master)
    }

    private func ring(_ end: Int32) {
        var byte: UInt8 = 1
        _ = write(end, &byte, 1)
    }
}

import CNcurses
import Console
import Glibc
import TestTraits
import Testing

@testable import Terminal

/// What is left of a terminal when the process dies; each test has a process of its own to kill.
@Suite(.serialized, .ownThread) struct CrashRestoreTests {
    @Test(arguments: [SIGSEGV, SIGABRT, SIGILL, SIGBUS, SIGFPE, SIGTRAP])
    func `a crash writes what restores the terminal and dies of its signal`(number: Int32) async {
        // Standard output stands for the terminal: it is what outlives the process here.
        let result = await #expect(
            processExitsWith: .signal(number), observing: [\.standardOutputContent]
        ) { [number = number as Int32] in
            CrashRestore.arm(1, termios(), bytes: Array("<restored>".utf8))
            // The runtime's threads block SIGABRT; abort() opens it.
            if number == SIGABRT { abort() } else { raise(number) }
        }
        let written = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
        #expect(written.contains("<restored>"))
    }

    @Test func `once disarmed a crash writes nothing`() async {
        let result = await #expect(
            processExitsWith: .signal(SIGABRT), observing: [\.standardOutputContent]
        ) {
            CrashRestore.arm(1, termios(), bytes: Array("<restored>".utf8))
            CrashRestore.disarm()
            abort()
        }
        let written = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
        #expect(!written.contains("<restored>"))
    }

    @Test func `the terminal of a session is as it was found`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            let terminal = try PseudoTerminal()
            terminal.makeUnusual()
            let before = terminal.modes
            let session = try TerminalSession(terminal.slave)
            var writer = ScreenWriter(session, theme: .builtIn)
            writer.show(Frame(width: 80, height: 24))
            session.captureMouse(true)
            #expect(try terminal.settle().modes.isSuperset(of: [1000, 1006, 1049, 2004]))
            #expect(terminal.modes != before)
            CrashRestore.restore()
            #expect(terminal.modes == before)
            #expect(try terminal.settle().modes == [7, 25])
            #expect(terminal.picture.strange == [])
        }
    }

    @Test func `a terminal that does not read is not waited for`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            // How much a terminal takes that nobody reads.
            let other = try PseudoTerminal(isStalled: true)
            _ = fcntl(other.slave, F_SETFL, O_RDWR | O_NONBLOCK)
            var room = 0
            while case let count = write(other.slave, " ", 1), count > 0 { room += count }
            let terminal = try PseudoTerminal(isStalled: true)
            let before = terminal.modes
            let session = try TerminalSession(terminal.slave)
            let flags = fcntl(terminal.slave, F_GETFL)
            _ = fcntl(terminal.slave, F_SETFL, flags | O_NONBLOCK)
            // Full but for a few bytes: room enough to begin, and not to end.
            for _ in 0..<max(0, room - 40) { _ = write(terminal.slave, " ", 1) }
            _ = fcntl(terminal.slave, F_SETFL, flags)
            let clock = ContinuousClock()
            let taken = clock.measure { CrashRestore.restore() }
            #expect(taken < .seconds(1))
            #expect(terminal.modes == before)
            #expect(fcntl(session.descriptor, F_GETFL) == flags, "others have the terminal too")
        }
    }
}

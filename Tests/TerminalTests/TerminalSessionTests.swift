import CNcurses
import Domain
import Glibc
import TestTraits
import Testing

@testable import Terminal

/// ncurses holds one screen in the whole process: each test has a process of its own.
@Suite(.serialized, .ownThread) struct TerminalSessionTests {
    @Test func `a session takes the terminal over and gives it back exactly`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            let terminal = try PseudoTerminal()
            terminal.makeUnusual()
            let before = terminal.modes
            let session = try TerminalSession(terminal.slave)
            // Nothing of ncurses is sent before the first frame.
            erase()
            refresh()
            try terminal.settle()
            #expect(terminal.picture.modes.isSuperset(of: [1049, 2004]))
            #expect(!terminal.picture.modes.contains(25), "the cursor is hidden")
            #expect(!terminal.echoes && terminal.modes[3] & UInt32(ICANON | ISIG) == 0)

            session.deactivate()
            try terminal.settle()
            #expect(terminal.modes == before)
            #expect(terminal.picture.modes == [7, 25])
            terminal.forget()
            session.deactivate()
            session.close()
            try terminal.settle()
            #expect(terminal.bytes == [], "a second time says nothing")
            #expect(terminal.modes == before)
            #expect(terminal.picture.strange == [] && terminal.picture.strings == [])
            #expect(fcntl(terminal.slave, F_GETFD) >= 0, "the caller's descriptor stays open")
        }
    }

    @Test func `after a pause the session takes the terminal over again`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            let terminal = try PseudoTerminal()
            let before = terminal.modes
            let session = try TerminalSession(terminal.slave)
            let raw = terminal.modes
            for _ in 0..<3 {
                session.deactivate()
                #expect(terminal.modes == before)
                session.activate()
                #expect(terminal.modes == raw)
                refresh()
                try terminal.settle()
                #expect(terminal.picture.modes.isSuperset(of: [1049, 2004]))
            }
            session.captureMouse(true)
            session.close()
            try terminal.settle()
            #expect(terminal.modes == before && terminal.picture.modes == [7, 25])
        }
    }

    @Test func `a session takes no signal`() async {
        await #expect(processExitsWith: .signal(SIGTERM)) {
            Surroundings.set(term: "xterm-256color")
            for number in [SIGINT, SIGTERM, SIGTSTP, SIGWINCH] { signal(number, SIG_DFL) }
            let session = try TerminalSession(try PseudoTerminal().slave)
            // ncurses would draw and end the process with code 1, on whatever thread this reaches.
            kill(getpid(), SIGTERM)
            var none = pollfd(fd: -1, events: 0, revents: 0)
            _ = poll(&none, 1, 10_000)
            session.close()
        }
    }

    @Test func `what is no terminal is refused`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            var ends: [Int32] = [-1, -1]
            try #require(pipe(&ends) == 0)
            #expect(throws: TerminalSession.Refusal.self) { try TerminalSession(ends[1]) }
            #expect(throws: TerminalSession.Refusal.self) { try TerminalSession(-1) }
            setsid()
            do {
                _ = try TerminalSession(nil)
                Issue.record("there is no /dev/tty")
            } catch TerminalSession.Refusal.none(let why) {
                #expect(why.contains("gatehouse serve"))
            }
        }
    }

    @Test(arguments: ["nonesuch", "dumb", ""])
    func `a terminal that cannot be drawn on is refused and left as it was`(term: String) async {
        await #expect(processExitsWith: .success) { [term = term as String] in
            Surroundings.set(term: term)
            let terminal = try PseudoTerminal()
            terminal.makeUnusual()
            let before = terminal.modes
            do {
                _ = try TerminalSession(terminal.slave)
                Issue.record("\(term) is none that can be used")
            } catch TerminalSession.Refusal.unusable(let why) {
                #expect(why.contains("\"\(term)\""))
            }
            try terminal.settle()
            #expect(terminal.modes == before)
            #expect(terminal.picture.text.allSatisfy { $0 == "\n" } && terminal.picture.modes == [7, 25])
        }
    }

    @Test func `the colours that can be had come from the terminal's type and the environment`() async {
        await #expect(processExitsWith: .success) {
            func check(
                _ expected: TerminalSession.Depth, _ term: String, _ colorterm: String? = nil,
                noColor: String? = nil
            ) throws {
                Surroundings.set(term: term, colorterm: colorterm, noColor: noColor)
                let terminal = try PseudoTerminal()
                let session = try TerminalSession(terminal.slave)
                let depth = session.depth
                session.close()
                close(terminal.slave)
                #expect(depth == expected, "\(term) \(colorterm ?? "") \(noColor ?? "") has \(depth)")
            }
            try check(.indexed, "xterm-256color")
            try check(.indexed, "xterm-256color", noColor: "")
            try check(.mono, "xterm-256color", noColor: "1")
            try check(.sixteen, "xterm")
            try check(.sixteen, "linux")
            try check(.mono, "vt220")
            try check(.indexed, "tmux-256color")
            try check(.indexed, "xterm-unheard-of")
            try check(.indexed, "unheard-of", "truecolor")
            let folder = try Surroundings.addDescriptions()
            try check(.direct, "xterm-256color", "truecolor")
            try check(.direct, "xterm-direct")
            try check(.mono, "xterm-256color", "truecolor", noColor: "1")
            try check(.indexed, "screen-256color", "truecolor")
            try check(.sixteen, "xterm-16color")
            try Surroundings.remove(folder)
        }
    }

    @Test(arguments: ["C.UTF-8", "C"])
    func `the locale says whether text beyond ASCII can be shown`(locale: String) async {
        await #expect(processExitsWith: .success) { [locale = locale as String] in
            Surroundings.set(term: "xterm-256color", locale: locale)
            let session = try TerminalSession(try PseudoTerminal().slave)
            #expect(session.unicode == (locale == "C.UTF-8"))
            session.close()
        }
    }

    @Test func `the size is the kernel's, and 80x24 where it has none`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            let terminal = try PseudoTerminal(width: 132, height: 50)
            let session = try TerminalSession(terminal.slave)
            #expect(session.size == (132, 50))
            terminal.resize(40, 12)
            #expect(session.size == (40, 12))
            terminal.resize(0, 0)
            #expect(session.size == (80, 24))
            session.close()
        }
    }

    @Test func `the mouse and the clipboard are asked for in the terminal's words`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            let terminal = try PseudoTerminal()
            let session = try TerminalSession(terminal.slave)
            session.captureMouse(true)
            #expect(try terminal.settle().modes.isSuperset(of: [1000, 1006]))
            session.captureMouse(false)
            #expect(try terminal.settle().modes.isDisjoint(with: [1000, 1006]))
            // What is copied is encoded: nothing in it can end the string early.
            session.copy("key\u{7}\u{1b}\\é")
            #expect(try terminal.settle().strings == ["]52;c;a2V5Bxtcw6k="])
            session.close()
        }
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ]) func `base64 gives the values of RFC 4648 section 10`(text: String, encoded: String) {
        #expect(Base64.text(of: Array(text.utf8)) == encoded)
    }
}

import Console
import Glibc
import Locking
import Operations
import TestTraits
import Testing

@testable import Terminal

/// The console as a whole on a real terminal, with an engine that is a stub; each test in a process of its own.
@Suite(.serialized, .ownThread) struct ConsoleRunnerTests {
    /// A console that runs on a terminal, and how it ended.
    final class Running: Sendable {
        let port = StubPort()
        private let runner: ConsoleRunner
        private let ending = Locked<ConsoleEnding?>(nil)
        private let ended: (read: Int32, write: Int32)

        init(_ terminal: PseudoTerminal, options: ConsoleOptions? = nil) throws {
            var ends: [Int32] = [-1, -1]
            try #require(pipe(&ends) == 0)
            ended = (ends[0], ends[1])
            var options = options ?? ConsoleOptions()
            options.terminal = terminal.slave
            runner = ConsoleRunner(
                port: port, operatorID: OperatorID(name: "mira", via: "console"), options: options,
                library: ThemeLibrary(files: []))
            Task {
                let result = await self.runner.runOnOwnThread()
                self.ending.withLock { $0 = result }
                var byte: UInt8 = 1
                _ = write(self.ended.write, &byte, 1)
            }
        }

        func requestStop() { runner.requestStop() }

        /// Waits for the end, at most ten seconds; nil when it did not come.
        func wait() -> ConsoleEnding? {
            var source = pollfd(fd: ended.read, events: Int16(POLLIN), revents: 0)
            _ = poll(&source, 1, 10_000)
            return ending.withLock { $0 }
        }

        var hasEnded: Bool { ending.withLock { $0 != nil } }
    }

    @Test func `the console draws, takes keys, and leaves the terminal as it was`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            let terminal = try PseudoTerminal()
            terminal.makeUnusual()
            let before = terminal.modes
            let console = try Running(terminal)
            try terminal.wait("the first picture") {
                $0.text.contains("stub-engine") && $0.text.contains("? help")
            }
            #expect(terminal.picture.modes.isSuperset(of: [1049, 2004]))
            terminal.type("?")
            try terminal.wait("help") { $0.text.contains("ANYWHERE") || $0.text.contains("redraw") }
            terminal.type("\u{1b}")
            try terminal.wait("the end of help") { !$0.text.contains("redraw") }
            console.port.change { $0.instance = "renamed-engine" }
            try terminal.wait("news") { $0.text.contains("renamed-engine") }
            terminal.type("q")
            #expect(console.wait() == .quit)
            try terminal.settle()
            #expect(terminal.modes == before && terminal.picture.modes == [7, 25])
            #expect(terminal.picture.strange == [] && terminal.picture.strings == [])
        }
    }

    @Test func `an engine's hostile name does not reach the terminal raw`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            let terminal = try PseudoTerminal()
            let console = try Running(terminal)
            console.port.change { $0.instance = "evil\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}31m" }
            try terminal.wait("the name") { $0.text.contains("evil?]0;title??[2J?31m") }
            #expect(terminal.picture.strings == [] && terminal.picture.strange == [])
            terminal.type("q")
            #expect(console.wait() == .quit)
        }
    }

    @Test func `a console that is asked to stop gives the terminal back`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            let terminal = try PseudoTerminal()
            let before = terminal.modes
            let console = try Running(terminal)
            try terminal.wait("the first picture") { $0.text.contains("? help") }
            let clock = ContinuousClock()
            let start = clock.now
            console.requestStop()
            #expect(console.wait() == .stopped)
            #expect(clock.now - start < .seconds(2))
            try terminal.settle()
            #expect(terminal.modes == before && terminal.picture.modes == [7, 25])
        }
    }

    @Test func `there is no console without a terminal that can be drawn on`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "nonesuch")
            let console = try Running(try PseudoTerminal())
            guard case .unusableTerminal = console.wait() else {
                Issue.record("the terminal type is unknown")
                return
            }
        }
    }

    // MARK: Terminals that go away

    @Test func `a terminal that is closed ends the console`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            let terminal = try PseudoTerminal()
            let console = try Running(terminal)
            try terminal.wait("the first picture") { $0.text.contains("? help") }
            terminal.hangUp()
            #expect(console.wait() == .hungUp)
        }
    }

    @Test func `a controlling terminal that is closed ends the console and not the process`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            let terminal = try PseudoTerminal()
            try terminal.takeControl()
            let console = try Running(terminal)
            try terminal.wait("the first picture") { $0.text.contains("? help") }
            terminal.hangUp()
            #expect(console.wait() == .hungUp)
            // A second hang-up, as shells send one: the engine goes on serving.
            kill(getpid(), SIGHUP)
        }
    }

    @Test func `a hang-up by signal leaves a terminal that is still there usable`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            let terminal = try PseudoTerminal()
            try terminal.takeControl()
            let before = terminal.modes
            let console = try Running(terminal)
            try terminal.wait("the first picture") { $0.text.contains("? help") }
            kill(getpid(), SIGHUP)
            #expect(console.wait() == .hungUp)
            try terminal.settle()
            #expect(terminal.modes == before)
            #expect(
                terminal.picture.modes.isDisjoint(with: [1049, 2004]) && terminal.picture.modes.contains(25))
        }
    }

    // MARK: Pauses

    @Test func `control-Z does not stop the engine's process, and says why`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            let terminal = try PseudoTerminal()
            try terminal.takeControl()
            let console = try Running(terminal)
            try terminal.wait("the first picture") { $0.text.contains("? help") }
            terminal.type("\u{1a}")
            try terminal.wait("the reason") { $0.text.contains("would stop the engine") }
            terminal.type("q")
            #expect(console.wait() == .quit)
        }
    }

    @Test func `a process that was stopped and goes on takes the terminal again and draws it whole`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            let terminal = try PseudoTerminal()
            let before = terminal.modes
            let console = try Running(terminal)
            try terminal.wait("the first picture") { $0.text.contains("? help") }
            let raw = terminal.modes
            // What a shell does meanwhile: its own modes, and text over everything.
            terminal.makeUnusual()
            terminal.lose()
            kill(getpid(), SIGCONT)
            try terminal.wait("the picture anew") {
                $0.text.contains("stub-engine") && $0.text.contains("? help") && $0.modes.contains(2004)
            }
            #expect(terminal.modes == raw)
            terminal.type("q")
            #expect(console.wait() == .quit)
            try terminal.settle()
            #expect(terminal.modes == before)
        }
    }

    // MARK: Terminals that do not read

    /// Changes the picture until the console has filled all there is between it and a terminal that does not read.
    private static func fill(_ terminal: PseudoTerminal, _ console: Running) throws {
        let end = ContinuousClock.now + .seconds(60)
        var calm = 0
        var index = 0
        // Full is what stays full: the console looks for news four times a second.
        while calm < 8 {
            try #require(ContinuousClock.now < end, "the terminal never fills")
            index += 1
            let name = String(repeating: index % 2 == 0 ? "ab" : "cd", count: 20)
            console.port.change { $0.instance = name }
            for key in ["1", "2", "3", "4", "5", "~"] { terminal.type(key) }
            var source = pollfd(fd: terminal.slave, events: Int16(POLLOUT), revents: 0)
            var none = pollfd(fd: -1, events: 0, revents: 0)
            _ = poll(&none, 1, 50)
            calm = poll(&source, 1, 0) == 0 ? calm + 1 : 0
        }
    }

    @Test func `a terminal that does not read cannot keep the console from stopping`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            let terminal = try PseudoTerminal(width: 250, height: 80, isStalled: true)
            let before = terminal.modes
            let console = try Running(terminal)
            try Self.fill(terminal, console)
            #expect(!console.hasEnded)
            let clock = ContinuousClock()
            let start = clock.now
            console.requestStop()
            #expect(console.wait() == .stopped)
            #expect(clock.now - start < .seconds(2), "it took \(clock.now - start)")
            #expect(terminal.modes == before)
        }
    }

    @Test func `a terminal that reads again gets the newest picture, whole`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            let terminal = try PseudoTerminal(width: 250, height: 80, isStalled: true)
            let console = try Running(terminal)
            try Self.fill(terminal, console)
            console.port.change { $0.instance = "newest-engine" }
            terminal.resume()
            terminal.type("1")
            try terminal.wait("the newest picture") { $0.text.contains("newest-engine") }
            // Asked for anew it is the same: nothing was lost on the way.
            let shown = try terminal.settle().text
            terminal.lose()
            terminal.type("\u{c}")
            try terminal.wait("the picture anew") { $0.text.contains("? help") }
            let again = try terminal.settle().text
            #expect(Self.withoutClock(again) == Self.withoutClock(shown), "\(shown)\n\(again)")
            terminal.type("q")
            #expect(console.wait() == .quit)
        }
    }

    private static func withoutClock(_ text: String) -> String { String(text.filter { !$0.isNumber }) }

    @Test func `a terminal that is closed while it does not read ends the console`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            let terminal = try PseudoTerminal(width: 250, height: 80, isStalled: true)
            let console = try Running(terminal)
            try Self.fill(terminal, console)
            close(terminal.master)
            #expect(console.wait() == .hungUp)
        }
    }

    // MARK: Sizes, errors

    @Test func `another size of the window is drawn at once, through a storm of them`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            let terminal = try PseudoTerminal()
            try terminal.takeControl()
            let console = try Running(terminal)
            try terminal.wait("the first picture") { $0.text.contains("? help") }
            for (width, height) in [(1, 1), (2, 5), (300, 80), (5, 2), (3, 40), (120, 40)] {
                terminal.resize(width, height)
            }
            try terminal.wait("120x40") { picture in
                let rows = picture.text.split(separator: "\n", omittingEmptySubsequences: false)
                return rows.count == 40 && rows[39].contains("? help") && rows[0].contains("stub-engine")
            }
            terminal.resize(40, 12)
            try terminal.wait("40x12") { picture in
                let rows = picture.text.split(separator: "\n", omittingEmptySubsequences: false)
                return rows.count == 12 && rows[11].contains("? help")
            }
            terminal.type("q")
            #expect(console.wait() == .quit)
            try terminal.settle()
            #expect(terminal.picture.strange == [])
        }
    }

    @Test func `what is printed to standard error meanwhile goes to the log`() async {
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardErrorContent]
        ) {
            Surroundings.set(term: "xterm-256color")
            let terminal = try PseudoTerminal()
            var log: [Int32] = [-1, -1]
            try #require(pipe(&log) == 0)
            let console = try Running(terminal, options: ConsoleOptions(logDescriptor: log[1]))
            try terminal.wait("the first picture") { $0.text.contains("? help") }
            let meanwhile = Array("a library complains\n".utf8)
            _ = write(2, meanwhile, meanwhile.count)
            terminal.type("q")
            #expect(console.wait() == .quit)
            var kept = [UInt8](repeating: 0, count: 100)
            let count = read(log[0], &kept, kept.count)
            #expect(kept.prefix(max(0, count)).elementsEqual(meanwhile))
            let after = Array("after the console\n".utf8)
            _ = write(2, after, after.count)
        }
        let errors = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(errors.contains("after the console") && !errors.contains("complains"))
    }
}

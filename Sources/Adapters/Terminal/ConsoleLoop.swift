import Console
import Domain
import Events
import Glibc
import Operations

/// The console's loop: waits for keys, time and news, updates the model, draws.
struct ConsoleLoop {
    /// A fresh picture of the engine at most this often.
    private static let pictureMilliseconds: Int64 = 250
    /// News is drawn at most this often; an answer to a key at once.
    private static let newsMilliseconds: Int64 = 100
    /// A console that nobody looks at closely costs next to nothing: without news it wakes this often.
    private static let idleMilliseconds: Int64 = 250
    private static let feedDepth = 4_096

    private let session: TerminalSession
    private let port: any EnginePort
    private let operatorID: OperatorID
    private let inbox: CommandInbox
    private let wake: Int32
    private let library: ThemeLibrary
    private let feed: EventFeed
    private let glyphs: Glyphs
    private var theme: Theme
    private var model: ConsoleModel
    private var writer: ScreenWriter
    private var decoder = InputDecoder()
    private var ending: ConsoleEnding?
    private var changed = true
    private var urgent = true
    private var lastPicture: Int64 = 0
    private var lastDraw: Int64 = 0
    private var lastSecond: Int64 = 0

    init(
        session: TerminalSession, port: any EnginePort, operatorID: OperatorID, options: ConsoleOptions,
        library: ThemeLibrary, inbox: CommandInbox, wake: Int32
    ) {
        self.session = session
        self.port = port
        self.operatorID = operatorID
        self.inbox = inbox
        self.wake = wake
        self.library = library
        feed = port.feed(depth: Self.feedDepth)
        let ascii = options.ascii || !session.unicode
        glyphs = Glyphs(ascii: ascii)
        theme =
            options.theme.flatMap { library.theme(named: $0) } ?? library.theme(named: "ops-dark") ?? .builtIn
        if session.depth == .mono, let mono = library.theme(named: "mono") { theme = mono }
        let size = session.size
        model = ConsoleModel(
            operatorName: operatorID.name, width: size.width, height: size.height, theme: theme.name,
            themes: library.themes.map(\.name), ascii: ascii, readOnly: options.readOnly, wall: Self.wall,
            now: Self.now)
        writer = ScreenWriter(session, theme: theme)
        if let asked = options.theme, library.theme(named: asked) == nil {
            _ = model.update(.notice("there is no theme \(asked); see: gatehouse theme list"))
        }
    }

    mutating func run() -> ConsoleEnding {
        tell(.snapshot(port.snapshot(for: operatorID)))
        draw()
        while ending == nil {
            wait()
            let answered = inbox.take()
            if answered.stop { ending = .stopped }
            for input in answered.inputs {
                tell(input)
                urgent = true
            }
            takeNews()
            for input in decoder.idle(at: Self.now) { take(input) }
            if shouldDraw { draw() }
        }
        feed.close()
        return ending ?? .quit
    }

    // MARK: Waiting

    private mutating func wait() {
        var sources = [
            pollfd(fd: session.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
        ]
        let timeout = decoder.isWaiting ? 20 : changed ? Self.newsMilliseconds : Self.idleMilliseconds
        guard poll(&sources, 2, Int32(timeout)) > 0 else { return }
        if sources[1].revents != 0 { takeSignals() }
        let revents = Int32(sources[0].revents)
        if revents & (POLLHUP | POLLERR | POLLNVAL) != 0 {
            ending = .hungUp
        } else if revents & POLLIN != 0 {
            readKeys()
        }
    }

    private mutating func readKeys() {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = read(session.descriptor, &bytes, bytes.count)
        if count == 0 { return ending = .hungUp }
        guard count > 0 else {
            if errno == EIO { ending = .hungUp }
            return
        }
        let now = Self.now
        for byte in bytes[..<count] {
            for input in decoder.feed(byte, at: now) { take(input) }
        }
        // Typed and pasted secrets pass through here.
        explicit_bzero(&bytes, bytes.count)
    }

    private mutating func takeSignals() {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(wake, &bytes, bytes.count)
        guard count > 0 else { return }
        for number in bytes[..<count] {
            switch Int32(number) {
            case SIGHUP: ending = .hungUp
            case SIGWINCH: resize()
            case SIGCONT:
                session.activate()
                resize()
            default: break
            }
        }
    }

    private mutating func resize() {
        let size = session.size
        session.resize(size.width, size.height)
        writer.forget()
        take(.resized(width: size.width, height: size.height))
    }

    // MARK: The model

    private mutating func take(_ input: Input) {
        tell(.tick(Self.wall, Self.now))
        tell(.input(input))
        urgent = true
    }

    private mutating func takeNews() {
        let milliseconds = Self.now.nanoseconds / 1_000_000
        let (events, lost) = feed.take()
        if !events.isEmpty || lost > 0 { tell(.events(events, lost: lost)) }
        if milliseconds - lastPicture >= Self.pictureMilliseconds {
            lastPicture = milliseconds
            let next = port.snapshot(for: operatorID)
            if lost > 0 || next.sequence != shownSequence || next.at != shownAt {
                shownSequence = next.sequence
                shownAt = next.at
                tell(.snapshot(next))
            }
        }
        if milliseconds / 1_000 != lastSecond {
            lastSecond = milliseconds / 1_000
            tell(.tick(Self.wall, Self.now))
        }
    }

    private var shownSequence: UInt64 = 0
    private var shownAt = WallTime(milliseconds: 0)

    private mutating func tell(_ input: ConsoleInput) {
        changed = true
        for effect in model.update(input) { carryOut(effect) }
    }

    private mutating func carryOut(_ effect: ConsoleEffect) {
        switch effect {
        case .perform(let id, let command, let secret): perform(id, command, secret)
        case .ask(let id, let query): ask(id, query)
        case .refreshSnapshot: tell(.snapshot(port.snapshot(for: operatorID)))
        case .nextTheme: use(library.next(after: theme.name))
        case .selectTheme(let name):
            if let next = library.theme(named: name) {
                use(next)
            } else {
                tell(.notice("there is no theme \(name)"))
            }
        case .redraw: writer.forget()
        case .copy(let text):
            session.copy(text)
            tell(.notice("copied \(text.utf8.count) bytes"))
        case .mouseCapture(let wanted): session.captureMouse(wanted)
        case .quit: ending = .quit
        }
    }

    private mutating func use(_ next: Theme) {
        theme = next
        writer.use(next)
        tell(.themes(library.themes.map(\.name), current: next.name))
    }

    /// Runs a command elsewhere: providers may take seconds, keys must not.
    private func perform(_ id: Int, _ command: EngineCommand, _ secret: SecretDraft?) {
        let port = port
        let inbox = inbox
        let who = operatorID
        Task {
            let result: Result<CommandOutcome, CommandRefusal>
            do throws(CommandRefusal) {
                result = .success(try await port.perform(command, secret: secret, by: who))
            } catch {
                result = .failure(error)
            }
            secret?.wipe()
            inbox.post(.commandDone(id: id, result))
        }
    }

    private func ask(_ id: Int, _ query: EngineQuery) {
        let port = port
        let inbox = inbox
        let who = operatorID
        Task {
            let result: Result<EngineAnswer, CommandRefusal>
            do throws(CommandRefusal) {
                result = .success(try await port.ask(query, by: who))
            } catch {
                result = .failure(error)
            }
            inbox.post(.answered(id: id, result))
        }
    }

    // MARK: Drawing

    private var shouldDraw: Bool {
        guard changed else { return false }
        return urgent || Self.now.nanoseconds / 1_000_000 - lastDraw >= Self.newsMilliseconds
    }

    private mutating func draw() {
        changed = false
        urgent = false
        lastDraw = Self.now.nanoseconds / 1_000_000
        writer.show(ConsoleView.draw(model, glyphs))
    }

    // MARK: Clocks

    private static var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    private static var wall: WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

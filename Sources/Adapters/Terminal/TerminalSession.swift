import CNcurses
import Domain
import Glibc

/// One terminal in the hands of ncurses: taken over, drawn on, given back.
///
/// ncurses is used for output only, by one thread; input is read from the descriptor by our own decoder.
final class TerminalSession {
    /// Why a terminal cannot be used.
    enum Refusal: Error {
        case none(String)
        case unusable(String)
    }

    /// How many colours can be had.
    enum Depth: Sendable { case mono, sixteen, indexed, direct }

    let descriptor: Int32
    let depth: Depth
    /// Whether the terminal takes text beyond ASCII.
    let unicode: Bool
    private let stream: UnsafeMutablePointer<FILE>
    private let screen: OpaquePointer
    private var mouse = true
    private var isActive = false

    /// Bracketed paste and focus reports, which ncurses does not know.
    private static let modesOn = "\u{1b}[?2004h"
    private static let modesOff = "\u{1b}[?2004l\u{1b}[?1000l\u{1b}[?1006l\u{1b}[?2026l"
    private static let mouseOn = "\u{1b}[?1000h\u{1b}[?1006h"
    private static let mouseOff = "\u{1b}[?1006l\u{1b}[?1000l"

    /// Takes the terminal over. A descriptor that is given stays the caller's; it is duplicated.
    init(_ given: Int32?) throws {
        setlocale(LC_ALL, "")
        let opened = given.map { dup($0) } ?? open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard opened >= 0, isatty(opened) == 1 else {
            if opened >= 0 { Glibc.close(opened) }
            throw Refusal.none("there is no terminal to draw on; start it from one, or run: gatehouse serve")
        }
        guard let stream = fdopen(opened, "r+") else {
            Glibc.close(opened)
            throw Refusal.none("the terminal cannot be opened")
        }
        descriptor = opened
        self.stream = stream
        let name = getenv("TERM").map { String(cString: $0) } ?? ""
        // Before ncurses touches it: what a crash has to put back.
        var found = termios()
        tcgetattr(opened, &found)
        let handlers = SignalPipe.handlersOfNcurses()
        let (made, direct) = Self.make(name, stream)
        SignalPipe.restore(handlers)
        guard let made else {
            fclose(stream)
            throw Refusal.unusable(
                "the terminal type TERM=\"\(name)\" is not known here; try: TERM=xterm-256color gatehouse")
        }
        screen = made
        set_term(screen)
        guard gh_capability("cup") != nil, gh_capability("clear") != nil else {
            endwin()
            delscreen(screen)
            fclose(stream)
            throw Refusal.unusable(
                "the terminal \"\(name)\" cannot place the cursor; use another, or: gatehouse serve")
        }
        unicode = String(cString: nl_langinfo(Int32(CODESET))) == "UTF-8"
        depth = Self.depth(direct: direct)
        if depth != .mono {
            start_color()
            use_default_colors()
        }
        CrashRestore.arm(descriptor, found, bytes: Self.restoreBytes())
        activate()
    }

    /// A screen for the terminal's type; unknown xterm-like ones are driven as xterm-256color.
    private static func make(
        _ name: String, _ stream: UnsafeMutablePointer<FILE>
    ) -> (OpaquePointer?, direct: Bool) {
        let truecolor = getenv("COLORTERM").map { String(cString: $0) } == "truecolor"
        if truecolor, name == "xterm-256color", noColor == false,
            let screen = newterm("xterm-direct", stream, stream)
        {
            return (screen, true)
        }
        guard !name.isEmpty else { return (nil, false) }
        if let screen = newterm(name, stream, stream) { return (screen, tigetflag("RGB") > 0) }
        guard truecolor || name.hasPrefix("xterm") else { return (nil, false) }
        return (newterm("xterm-256color", stream, stream), false)
    }

    /// no-color.org: set and not empty.
    private static var noColor: Bool { getenv("NO_COLOR").map { $0.pointee != 0 } ?? false }

    private static func depth(direct: Bool) -> Depth {
        guard !noColor else { return .mono }
        // ncurses' own COLORS is 0 until start_color().
        let colors = tigetnum("colors")
        if direct, colors > 256 { return .direct }
        if colors >= 256 { return .indexed }
        return colors >= 8 ? .sixteen : .mono
    }

    // MARK: On and off

    /// Puts the terminal into our modes.
    func activate() {
        set_term(screen)
        raw()
        noecho()
        nonl()
        intrflush(gh_stdscr(), false)
        leaveok(gh_stdscr(), false)
        curs_set(0)
        send(Self.modesOn + (mouse ? Self.mouseOn : ""))
        let flags = fcntl(descriptor, F_GETFD)
        _ = fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC)
        isActive = true
    }

    /// Gives the terminal back as it was found; may be called twice.
    func deactivate() {
        guard isActive else { return }
        isActive = false
        send(Self.modesOff)
        curs_set(1)
        endwin()
    }

    /// Lets go of a terminal that has hung up; where it is there all the same, it is restored without waiting.
    func abandon() {
        isActive = false
        // A process in the background that changes its terminal is stopped: then it is left alone.
        if tcgetpgrp(descriptor) == getpgrp() { CrashRestore.restore() }
    }

    func close() {
        deactivate()
        CrashRestore.disarm()
        delscreen(screen)
        fclose(stream)
    }

    func captureMouse(_ wanted: Bool) {
        mouse = wanted
        send(wanted ? Self.mouseOn : Self.mouseOff)
    }

    /// OSC 52: hands text to the terminal's clipboard.
    func copy(_ text: String) { send("\u{1b}]52;c;\(Base64.text(of: Array(text.utf8)))\u{07}") }

    /// Bytes that ncurses does not know, in order with what it wrote.
    func send(_ text: String) {
        fflush(stream)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// What makes any terminal usable again: attributes off, cursor on, main screen, our modes off.
    private static func restoreBytes() -> [UInt8] {
        var text = modesOff
        for name in ["sgr0", "rmkx", "cnorm", "rmcup"] {
            if let capability = gh_capability(name) { text += withoutPadding(String(cString: capability)) }
        }
        return Array((text + "\r\n").utf8)
    }

    /// terminfo puts delays into texts as `$<5>`.
    private static func withoutPadding(_ text: String) -> String {
        var out = ""
        var inside = false
        for character in text {
            if character == "$" { inside = true } else if !inside { out.append(character) }
            if character == ">" { inside = false }
        }
        return out
    }

    // MARK: Size

    /// Columns and rows as the kernel knows them.
    var size: (width: Int, height: Int) {
        var window = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(window.ws_col), Int(window.ws_row))
    }

    func resize(_ width: Int, _ height: Int) {
        resizeterm(Int32(height), Int32(width))
        clear()
    }
}

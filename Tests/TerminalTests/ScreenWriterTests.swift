import CNcurses
import Domain
import Glibc
import TestTraits
import Testing

@testable import Console
@testable import Terminal

/// What frames become on a terminal, byte by byte; each test has a process of its own.
@Suite(.serialized, .ownThread) struct ScreenWriterTests {
    /// A terminal, a session on it and a writer.
    struct Desk {
        let terminal: PseudoTerminal
        let session: TerminalSession
        var writer: ScreenWriter

        init(_ theme: Theme = .builtIn, width: Int = 80, height: Int = 24) throws {
            terminal = try PseudoTerminal(width: width, height: height)
            session = try TerminalSession(terminal.slave)
            writer = ScreenWriter(session, theme: theme)
            try terminal.settle()
        }

        /// Shows a frame; gives what the terminal shows then.
        @discardableResult
        mutating func show(_ frame: Frame) throws -> TerminalPicture {
            terminal.forget()
            writer.show(frame)
            return try terminal.settle()
        }

        /// What was sent for the last frame, apart from the beginning and end of it.
        var payload: [UInt8] { Array(terminal.bytes.dropFirst(8).dropLast(8)) }

        func close() throws {
            session.close()
            try terminal.settle()
            #expect(terminal.picture.strange == [], "\(terminal.picture.strange)")
        }
    }

    /// A frame in which every slot, ground, width and kind of letter occurs.
    private static func patchwork(_ width: Int = 80, _ height: Int = 24, seed: UInt64) -> Frame {
        var random = SplitMix(seed: seed)
        var canvas = Canvas(width: width, height: height, glyphs: .unicode)
        let words = ["openai", "漢字かな", "e\u{301}tat", "─┬│", "▁▄█", "😀ok", "⣿⡀", "안녕", "~", "  ", "Ω"]
        let grounds: [Style.Ground] = [.base, .raised, .selected, .danger]
        for row in 0..<height {
            var column = 0
            while column < width {
                let style = Style(
                    Slot.allCases[Int.random(in: Slot.allCases.indices, using: &random)],
                    on: grounds[Int.random(in: grounds.indices, using: &random)])
                column += max(
                    1,
                    canvas.put(words[Int.random(in: words.indices, using: &random)], column, row, style))
                column += Int.random(in: 0...2, using: &random)
            }
        }
        return canvas.frame
    }

    private static func line(_ text: String, _ style: Style = Style(.text), row: Int = 0) -> Frame {
        var canvas = Canvas(width: 80, height: 24, glyphs: .unicode)
        canvas.put(text, 0, row, style)
        return canvas.frame
    }

    @Test func `the terminal shows the frame, letter by letter, whatever was there before`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            var desk = try Desk()
            for seed in UInt64(0)..<60 {
                let frame = Self.patchwork(seed: seed)
                let picture = try desk.show(frame)
                #expect(picture.text == frame.text, "seed \(seed)\n\(picture.text)")
                for (spot, cell) in zip(picture.spots, frame.cells) where spot.text != cell.text {
                    Issue.record("seed \(seed): \"\(spot.text)\" is not \"\(cell.text)\"")
                    return
                }
            }
            try desk.close()
        }
    }

    @Test func `every frame comes between the marks of a whole one`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            var desk = try Desk()
            try desk.show(Self.line("one"))
            #expect(desk.terminal.bytes.starts(with: "\u{1b}[?2026h".utf8))
            #expect(desk.terminal.bytes.suffix(8).elementsEqual("\u{1b}[?2026l".utf8))
            try desk.close()
            #expect(!desk.terminal.picture.modes.contains(2026))
        }
    }

    @Test func `only what changed is written`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            var desk = try Desk()
            var frame = Self.patchwork(seed: 1)
            try desk.show(frame)
            let first = desk.terminal.bytes.count
            // The same again: nothing, not even the marks.
            try desk.show(frame)
            #expect(desk.terminal.bytes == [])
            // One number in one place.
            frame[40, 12] = Cell("7", style: Style(.statusOK))
            frame[41, 12] = Cell("3", style: Style(.statusOK))
            let before = desk.terminal.picture
            let after = try desk.show(frame)
            #expect(
                after.written - before.written <= 6, "\(after.written - before.written) cells were written")
            #expect(
                desk.terminal.bytes.count < 200 && first > 2_000, "\(desk.terminal.bytes.count) of \(first)")
            let changed = zip(before.spots, after.spots).enumerated().filter { $0.element.0 != $0.element.1 }
            #expect(
                changed.allSatisfy { (39...43).contains($0.offset - 12 * 80) }, "\(changed.map(\.offset))")
            // Only the cursor: no cell.
            frame.cursor = Frame.Position(column: 5, row: 6)
            #expect(try desk.show(frame).written == after.written)
            try desk.close()
        }
    }

    @Test func `the cursor stands where the frame says, and is hidden where it says nothing`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            var desk = try Desk()
            var frame = Self.line("name [acme]")
            #expect(!(try desk.show(frame).modes.contains(25)))
            for (column, row) in [(6, 0), (79, 23), (0, 23)] {
                frame.cursor = Frame.Position(column: column, row: row)
                let picture = try desk.show(frame)
                #expect(picture.modes.contains(25) && picture.column == column && picture.row == row)
            }
            frame.cursor = nil
            #expect(!(try desk.show(frame).modes.contains(25)))
            try desk.close()
        }
    }

    @Test func `wide letters take two cells, and half of one that is overwritten goes`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            var desk = try Desk()
            let texts = [
                "漢字漢字", "a漢字漢", "漢abc字", "ab", "😀😀", "x😀", "e\u{301}\u{302}漢", "",
                String(repeating: "漢", count: 40), "a" + String(repeating: "漢", count: 40),
            ]
            for (index, text) in (texts + texts.reversed()).enumerated() {
                let frame = Self.line(text)
                let picture = try desk.show(frame)
                #expect(picture.text == frame.text, "\(index): \(picture.text)")
                desk.terminal.forget()
            }
            try desk.close()
        }
    }

    // MARK: Colours

    /// What a cell of a style should look like with so many colours.
    private static func check(
        _ theme: Theme, _ desk: inout Desk, ink: (ThemeColour) -> TerminalPicture.Ink,
        ground: (ThemeColour) -> TerminalPicture.Ink, reverses: Bool = false
    ) throws {
        let grounds: [(Style.Ground, Slot)] = [
            (.base, .baseBackground), (.raised, .baseRaised), (.selected, .selectBackground),
            (.danger, .dangerBackground),
        ]
        var frame = Frame(width: 80, height: 24)
        for (row, slot) in Slot.allCases.enumerated() where row < 24 {
            for (column, on) in grounds.enumerated() {
                frame[column, row] = Cell("x", style: Style(slot, on: on.0))
            }
        }
        let picture = try desk.show(frame)
        for (row, slot) in Slot.allCases.enumerated() where row < 24 {
            for (column, on) in grounds.enumerated() {
                let front: Slot = on.0 == .selected && slot == .text ? .selectForeground : slot
                let look = picture[column, row].look
                let place = "\(theme.name) \(slot.rawValue) on \(on.0): \(look)"
                #expect(look.foreground == ink(theme.colour(of: front)), "\(place)")
                #expect(look.background == ground(theme.colour(of: on.1)), "\(place)")
                #expect(look.bold == [.textStrong, .title].contains(slot), "\(place)")
                #expect(look.reverse == (reverses && on.0 == .selected) && !look.dim, "\(place)")
            }
        }
    }

    private static func palette(_ index: Int?) -> TerminalPicture.Ink {
        index.map { .palette($0) } ?? .terminals
    }

    private static let themes: [Theme] = {
        let own = "name = own\nbase.bg = default\ntext = #000003, 3, red\nrule = #000000"
        return [.builtIn] + [own].compactMap { try? ThemeParser.parse($0, path: "") }
    }()

    @Test func `with 256 colours each slot has the theme's index`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            for theme in Self.themes {
                var desk = try Desk(theme)
                let index = { (colour: ThemeColour) in
                    Self.palette(colour.isDefault ? nil : colour.index256)
                }
                try Self.check(theme, &desk, ink: index, ground: index)
                try desk.close()
            }
        }
    }

    @Test func `with direct colours each slot has the theme's own`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color", colorterm: "truecolor")
            let folder = try Surroundings.addDescriptions()
            for theme in Self.themes {
                var desk = try Desk(theme)
                let direct = { (colour: ThemeColour) -> TerminalPicture.Ink in
                    guard !colour.isDefault, let rgb = colour.rgb else { return .terminals }
                    // 0 to 7 mean the palette there, so they are shown a little greener.
                    let value = Int(rgb.red) << 16 | Int(rgb.green) << 8 | Int(rgb.blue)
                    return .direct(Int(rgb.red), value < 8 ? 8 : Int(rgb.green), Int(rgb.blue))
                }
                try Self.check(theme, &desk, ink: direct, ground: direct)
                try desk.close()
            }
            try Surroundings.remove(folder)
        }
    }

    @Test(arguments: ["xterm-16color", "linux", "xterm"])
    func `with sixteen or eight colours each slot has the theme's name, and a selected row is reversed`(
        term: String
    ) async {
        await #expect(processExitsWith: .success) { [term = term as String] in
            Surroundings.set(term: term)
            let folder = try Surroundings.addDescriptions()
            let most = term == "xterm-16color" ? 16 : 8
            for theme in Self.themes {
                var desk = try Desk(theme)
                let name = { (colour: ThemeColour) in
                    Self.palette(colour.isDefault ? nil : colour.name16.map { $0 % most })
                }
                try Self.check(theme, &desk, ink: name, ground: name, reverses: true)
                desk.session.close()
            }
            try Surroundings.remove(folder)
        }
    }

    @Test(arguments: ["NO_COLOR", "vt220", "mono theme"])
    func `without colours each slot has the theme's attributes, and nothing is coloured`(why: String) async {
        await #expect(processExitsWith: .success) { [why = why as String] in
            Surroundings.set(
                term: why == "vt220" ? why : "xterm-256color", noColor: why == "NO_COLOR" ? "1" : nil)
            let mono = try ThemeParser.parse(
                "name = mono\n"
                    + Slot.allCases.map {
                        "\($0.rawValue) = default , , , \($0 == .statusBad ? "bold reverse" : $0 == .match ? "underline" : "none")"
                    }.joined(separator: "\n"), path: "")
            let theme = why == "mono theme" ? mono : .builtIn
            var desk = try Desk(theme)
            var frame = Frame(width: 80, height: 24)
            for (row, slot) in Slot.allCases.enumerated() where row < 24 {
                frame[0, row] = Cell("x", style: Style(slot))
                frame[1, row] = Cell("x", style: Style(slot, on: .selected))
            }
            let picture = try desk.show(frame)
            for (row, slot) in Slot.allCases.enumerated() where row < 24 {
                let marks = theme.mono(of: slot)
                let look = picture[0, row].look
                let place = "\(slot.rawValue) \(look)"
                #expect(look.bold == marks.contains(.bold), "\(place)")
                #expect(look.reverse == marks.contains(.reverse), "\(place)")
                #expect(look.underline == marks.contains(.underline), "\(place)")
                // A VT220 has no dim.
                #expect(look.dim == (marks.contains(.dim) && why != "vt220"), "\(place)")
                #expect(picture[1, row].look.reverse, "the selected row, \(place)")
            }
            #expect(
                picture.spots.allSatisfy {
                    $0.look.foreground == .terminals && $0.look.background == .terminals
                })
            desk.session.close()
        }
    }

    @Test func `another theme draws everything anew in its colours`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            var desk = try Desk()
            let frame = Self.line("text")
            #expect(try desk.show(frame)[0, 0].look.foreground == .palette(253))
            desk.writer.use(try ThemeParser.parse("name = mine\ntext = #ff0000\nbase.bg = #00ff00", path: ""))
            let picture = try desk.show(frame)
            #expect(picture[0, 0].look.foreground == .palette(196))
            #expect(picture.spots.allSatisfy { $0.look.background == .palette(46) })
            try desk.close()
        }
    }

    @Test func `a terminal that lost its picture gets the whole of it after forget`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            var desk = try Desk()
            let frame = Self.patchwork(seed: 9)
            try desk.show(frame)
            desk.terminal.lose()
            desk.writer.forget()
            #expect(try desk.show(frame).text == frame.text)
            try desk.close()
        }
    }

    @Test func `frames of any size follow the terminal through a storm of sizes`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            var desk = try Desk()
            let sizes = [(80, 24), (1, 1), (2, 5), (300, 80), (5, 2), (40, 12), (120, 40), (3, 1), (80, 24)]
            for (index, (width, height)) in sizes.enumerated() {
                desk.terminal.resize(width, height)
                desk.session.resize(width, height)
                desk.writer.forget()
                let frame = Self.patchwork(width, height, seed: UInt64(index))
                let picture = try desk.show(frame)
                #expect(picture.text == frame.text, "\(width)x\(height)\n\(picture.text)")
            }
            try desk.close()
        }
    }

    // MARK: Hostile text

    private static let hostile = [
        "\u{1b}[31mred", "\u{1b}[2J\u{1b}[H", "\u{9b}2J", "\u{1b}]52;c;cm0gLXJm\u{7}",
        "\u{1b}]0;title\u{1b}\\",
        "\u{1b}P+q544e\u{1b}\\", "\u{1b}c", "\u{e}\u{f}\u{5}", "a\rb\nc\td\u{8}e", "\u{202e}gpj.exe",
        "\u{200b}\u{200d}\u{feff}", String(repeating: "e\u{301}\u{302}\u{303}\u{304}", count: 40),
        "\u{1b}[?1049l\u{1b}[?25h", "\u{0}\u{7f}\u{85}", "🏴\u{e0067}\u{e0062}", "\u{2028}x\u{2029}",
    ]

    @Test func `hostile text never reaches the terminal as it is`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            var desk = try Desk()
            for text in Self.hostile {
                let frame = Self.line(text, row: 3)
                let picture = try desk.show(frame)
                #expect(picture.text == frame.text, "\(text.unicodeScalars.map(\.value))")
                #expect(picture.strings == [] && picture.modes.contains(1049) && !picture.modes.contains(25))
                #expect(
                    frame.text.unicodeScalars.allSatisfy { $0.value >= 0x20 || $0 == "\n" }
                        && !frame.text.unicodeScalars.contains { (0x7f..<0xa0).contains($0.value) })
                let red = picture.spots.contains { $0.look.foreground == .palette(1) }
                #expect(!red && picture.text.split(separator: "\n").count <= 1)
            }
            try desk.close()
        }
    }

    @Test func `a cell that holds a control character all the same is not sent raw`() async {
        await #expect(processExitsWith: .success) {
            Surroundings.set(term: "xterm-256color")
            var desk = try Desk()
            for text in Self.hostile + ["\u{1b}", "\u{9b}", "\u{7}", "\u{202e}"] {
                var frame = Frame(width: 80, height: 24)
                frame[10, 10] = Cell(text, style: Style(.text))
                let picture = try desk.show(frame)
                #expect(
                    picture.strings == [] && picture.strange == [] && picture.modes.contains(1049),
                    "\(text.unicodeScalars.map(\.value)): \(picture.strings) \(picture.strange)")
                #expect(!desk.payload.contains { $0 < 0x20 && ![0x08, 0x0a, 0x0d, 0x1b].contains($0) })
            }
            try desk.close()
        }
    }
}

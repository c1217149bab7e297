import Domain
import Foundation
import Testing

@testable import Console

@Suite struct ThemeTests {
    private func problem(_ lines: String) -> ThemeProblem? {
        do throws(ThemeProblem) {
            _ = try ThemeParser.parse(lines, path: "my.theme")
            return nil
        } catch {
            return error
        }
    }

    // MARK: What is wrong, and where

    @Test(arguments: [
        ("red", "\"red\" is no colour"), ("#12345", "\"#12345\" is no colour"),
        ("#1234567", "\"#1234567\" is no colour"), ("#12345g", "\"#12345g\" is no colour"),
        ("#+12345", "\"#+12345\" is no colour"), ("#-12345", "\"#-12345\" is no colour"),
        ("#１２", "\"#１２\" is no colour"), ("123456", "\"123456\" is no colour"), ("#", "\"#\" is no colour"),
        ("Default", "\"Default\" is no colour"),
    ]) func `a bad colour is refused with file, line and slot`(colour: String, what: String) throws {
        let found = try #require(problem("name = mine\n\n# mine\ntext = \(colour) , 12\n"))
        #expect(found.file == "my.theme" && found.line == 4 && found.slot == "text")
        #expect(found.what == what + "; write #rrggbb or default")
        #expect("\(found)" == "my.theme:4: text: " + what + "; write #rrggbb or default")
    }

    @Test(arguments: [
        ("#000000, 256", "\"256\" is no index from 0 to 255"),
        ("#000000, -1", "\"-1\" is no index from 0 to 255"),
        ("#000000, x", "\"x\" is no index from 0 to 255"),
        ("#000000, 1, pink", "\"pink\" is none of black red"),
        ("#000000, 1, 7", "\"7\" is none of black red"),
        ("#000000, 1, red, blink", "\"blink\" is none of bold, dim, reverse, underline, none"),
        ("#000000, 1, red, bold, dim", "more than the columns rgb, 256, 16, mono"),
    ]) func `a bad column is refused with file, line and slot`(value: String, what: String) throws {
        let found = try #require(problem("name = mine\nrule = \(value)"))
        #expect(found.file == "my.theme" && found.line == 2 && found.slot == "rule")
        #expect(found.what.hasPrefix(what))
    }

    @Test func `an unknown slot is refused with the nearest that there is`() throws {
        let found = try #require(problem("name = mine\nstatus.wran = #ffffff"))
        #expect(found.line == 2 && found.slot == "status.wran")
        #expect(found.what == "unknown slot; did you mean \"status.warn\"?")
        #expect(try #require(problem("name = mine\n = #ffffff")).line == 2)
    }

    @Test func `a line that is none says what a line is`() throws {
        let found = try #require(problem("name = mine\ntext #ffffff"))
        #expect(found.line == 2 && found.what == "a line is: slot = rgb, 256, 16, mono")
    }

    @Test func `a slot or the name given twice is refused at the second place`() throws {
        let slot = try #require(problem("name = mine\ntext = #ffffff\nrule = #000000\ntext = #eeeeee"))
        #expect(slot.line == 4 && slot.slot == "text" && slot.what.contains("line 2"))
        let name = try #require(problem("name = mine\ntext = #ffffff\nname = yours"))
        #expect(name.line == 3 && name.slot == "name" && name.what.contains("line 1"))
    }

    @Test func `a theme has a name of up to 40 visible characters`() throws {
        for name in ["", " ", "two words", String(repeating: "x", count: 41), "nämé", "a\u{7}"] {
            let found = try #require(problem("name = \(name)\ntext = #ffffff"), "\(name)")
            #expect(found.slot == "name" && found.file == "my.theme")
        }
        #expect(problem("text = #ffffff")?.slot == "name")
        #expect(problem("name = \(String(repeating: "x", count: 40))") == nil)
    }

    // MARK: What is left out

    @Test func `a slot that is left out looks as in ops-dark`() throws {
        let theme = try ThemeParser.parse("name = mine\ntext = #112233, 17, blue, bold", path: "")
        #expect(theme.colour(of: .text) == ThemeColour(rgb: RGB(0x11, 0x22, 0x33), index256: 17, name16: 4))
        #expect(theme.mono(of: .text) == .bold)
        for slot in Slot.allCases where slot != .text {
            #expect(theme.colour(of: slot) == Theme.builtIn.colour(of: slot), "\(slot)")
            #expect(theme.mono(of: slot) == Theme.builtIn.mono(of: slot), "\(slot)")
        }
    }

    @Test func `a column that is left out comes from ops-dark, and an index from the colour`() throws {
        let colour = try ThemeParser.parse("name = mine\nstatus.bad = #ff0000", path: "")
        #expect(colour.colour(of: .statusBad) == ThemeColour(rgb: RGB(255, 0, 0), index256: 196, name16: 9))
        #expect(colour.mono(of: .statusBad) == [.bold, .reverse])
        let sixteen = try ThemeParser.parse("name = mine\nstatus.bad = , , yellow", path: "")
        #expect(
            sixteen.colour(of: .statusBad)
                == ThemeColour(rgb: RGB(0xff, 0x7b, 0x72), index256: 209, name16: 3))
        let mono = try ThemeParser.parse("name = mine\nstatus.bad = , , , underline", path: "")
        #expect(mono.colour(of: .statusBad) == Theme.builtIn.colour(of: .statusBad))
        #expect(mono.mono(of: .statusBad) == .underline)
        let own = try ThemeParser.parse("name = mine\nbase.bg = default", path: "")
        #expect(own.colour(of: .baseBackground) == ThemeColour(isDefault: true))
    }

    @Test func `spaces, tabs, comments and line ends of any kind do not matter`() throws {
        let lines = ["# mine", "", "name = mine", "\ttext=#112233,17 , blue,bold dim  ", "  # text = #x"]
        for end in ["\n", "\r\n"] {
            let theme = try ThemeParser.parse(lines.joined(separator: end), path: "")
            #expect(theme.name == "mine")
            #expect(theme.colour(of: .text).name16 == 4 && theme.mono(of: .text) == [.bold, .dim])
            #expect(problem(lines.joined(separator: end) + end + "x = 1")?.line == 6)
        }
    }

    // MARK: The files that come with it

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Themes")

    private static func file(_ name: String) throws -> String {
        try String(contentsOf: folder.appendingPathComponent("\(name).theme"), encoding: .utf8)
    }

    private static let names = ["high-contrast", "mono", "north", "okabe-ito", "ops-dark", "paper-light"]

    @Test func `the folder holds the six themes and nothing else`() throws {
        let found = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted()
        #expect(found == Self.names.map { "\($0).theme" })
    }

    @Test(arguments: names) func `a theme of the folder names itself and every slot`(name: String) throws {
        // Without a base: what the file does not say is missing.
        let theme = try ThemeParser.parse(try Self.file(name), path: name, base: nil)
        #expect(theme.name == name)
        for slot in Slot.allCases {
            let colour = try #require(theme.colours[slot], "\(slot.rawValue)")
            #expect(theme.attributes[slot] != nil, "\(slot.rawValue)")
            if !colour.isDefault {
                #expect(
                    colour.rgb != nil && colour.index256 != nil && colour.name16 != nil, "\(slot.rawValue)")
            }
        }
    }

    @Test func `the theme compiled in is the folder's ops-dark`() throws {
        let theme = try ThemeParser.parse(try Self.file("ops-dark"), path: "", base: nil)
        #expect(theme == Theme.builtIn)
        #expect(Theme.builtIn.colours.count == Slot.allCases.count)
    }

    @Test(arguments: names) func `an index of the folder is the nearest to its colour`(name: String) throws {
        let theme = try ThemeParser.parse(try Self.file(name), path: "")
        for slot in Slot.allCases {
            guard let rgb = theme.colour(of: slot).rgb, let index = theme.colour(of: slot).index256 else {
                continue
            }
            let computed = Palette256.distance(rgb, rgb.nearest256)
            #expect(
                Palette256.distance(rgb, index) <= computed,
                "\(name) \(slot.rawValue): \(index), but \(rgb.nearest256) is nearer")
        }
    }

    @Test(arguments: names) func `what must be read can be read`(name: String) throws {
        let theme = try ThemeParser.parse(try Self.file(name), path: "")
        guard let lowest = theme.lowestContrast else {
            #expect(theme.isMono && theme.contrastText == "-")
            return
        }
        // WCAG 2.1 AA for text of ordinary size is 4.5.
        #expect(lowest >= (name == "high-contrast" ? 7 : 4.5), "\(name): \(theme.contrastText)")
    }

    @Test func `only mono has no colours, and its states differ by attributes`() throws {
        for name in Self.names {
            #expect(try ThemeParser.parse(try Self.file(name), path: "").isMono == (name == "mono"))
        }
        let mono = try ThemeParser.parse(try Self.file("mono"), path: "")
        let states = [Slot.statusOK, .statusWarn, .statusBad, .statusHeld].map { mono.mono(of: $0).rawValue }
        #expect(Set(states).count == 4)
    }

    // MARK: The library

    @Test func `the first file of a name wins, a bad one is named, ops-dark is always there`() throws {
        let library = ThemeLibrary(files: [
            ("a.theme", "name = mine\ntext = #111111"), ("b.theme", "name = mine\ntext = #222222"),
            ("c.theme", "name = bad\ntext = green"),
        ])
        #expect(library.themes.map(\.name) == ["ops-dark", "mine"])
        #expect(library.theme(named: "mine")?.path == "a.theme")
        #expect(library.theme(named: "a.theme")?.name == "mine")
        #expect(library.theme(named: "") == nil && library.theme(named: "bad") == nil)
        #expect(library.problems.map(\.file) == ["c.theme"] && library.problems.map(\.line) == [2])
        #expect(library.next(after: "ops-dark").name == "mine")
        #expect(library.next(after: "mine").name == "ops-dark")
        #expect(library.next(after: "gone").name == "ops-dark")
        #expect(ThemeLibrary(files: []).themes == [Theme.builtIn])
    }

    @Test func `an ops-dark of one's own replaces the one compiled in`() {
        let library = ThemeLibrary(files: [("o.theme", "name = ops-dark\ntext = #111111")])
        #expect(library.themes.map(\.path) == ["o.theme"])
    }

    // MARK: Colours

    @Test func `the nearest of 256 is the nearest of all that are fixed`() {
        let seed: UInt64 = 256
        var random = SplitMix(seed: seed)
        for round in 0..<1_000 {
            let rgb = RGB(
                .random(in: 0...255, using: &random), .random(in: 0...255, using: &random),
                .random(in: 0...255, using: &random))
            let best = (16...255).map { Palette256.distance(rgb, $0) }.min()
            #expect(
                Palette256.distance(rgb, rgb.nearest256) == best, "seed \(seed), round \(round): \(rgb)")
        }
        #expect(RGB(0, 0, 0).nearest256 == 16 && RGB(255, 255, 255).nearest256 == 231)
        for grey in UInt8(0)...255 { #expect((16...255).contains(RGB(grey, grey, grey).nearest256)) }
    }

    @Test func `contrast is what WCAG says it is`() {
        #expect(abs(RGB(0, 0, 0).contrast(with: RGB(255, 255, 255)) - 21) < 0.001)
        #expect(RGB(9, 9, 9).contrast(with: RGB(9, 9, 9)) == 1)
        // WCAG's own example of the least grey that passes on white.
        let grey = RGB(0x76, 0x76, 0x76).contrast(with: RGB(255, 255, 255))
        #expect(abs(grey - 4.54) < 0.005, "\(grey)")
    }
}

/// xterm's 256-colour palette above the user's own sixteen: a cube of six levels and 24 greys.
private enum Palette256 {
    static func distance(_ rgb: RGB, _ index: Int) -> Int {
        let levels = [0, 95, 135, 175, 215, 255]
        let cube = index - 16
        let grey = 8 + 10 * (index - 232)
        let fixed =
            index >= 232
            ? [grey, grey, grey] : [levels[cube / 36 % 6], levels[cube / 6 % 6], levels[cube % 6]]
        return zip([rgb.red, rgb.green, rgb.blue], fixed).reduce(0) {
            $0 + (Int($1.0) - $1.1) * (Int($1.0) - $1.1)
        }
    }
}

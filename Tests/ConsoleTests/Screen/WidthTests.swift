import Domain
import Glibc
import Testing

@testable import Console

@Suite struct WidthTests {
    @Test(
        arguments: [
            ("a", 1), (" ", 1), ("~", 1), ("é", 1), ("e\u{301}", 1), ("Ω", 1), ("─", 1), ("▁", 1), ("⣿", 1),
            ("漢", 2), ("か", 2), ("안", 2), ("！", 2), ("ｱ", 1), ("😀", 2), ("⌚", 2), ("❤", 1), ("…", 1),
            ("\u{301}", 0), ("\u{200b}", 0), ("\u{1161}", 0),
        ] as [(Character, Int)]) func `a character takes as many cells as a terminal gives it`(
            character: Character, cells: Int
        )
    {
        #expect(Width.cells(of: character) == cells, "U+\(character.unicodeScalars.map(\.value))")
    }

    /// The table says it is glibc 2.36's; other releases know other characters, so a few may differ there.
    @Test func `every scalar that may be shown is as wide as the C library says`() throws {
        let locale = try #require(newlocale(1 << LC_CTYPE, "C.UTF-8", nil), "the locale C.UTF-8 is missing")
        defer { freelocale(locale) }
        let before = uselocale(locale)
        defer { uselocale(before) }
        // glibc shows wcwidth(3) to C alone.
        typealias Cells = @convention(c) (wchar_t) -> Int32
        let wcwidth = unsafeBitCast(try #require(dlsym(nil, "wcwidth")), to: Cells.self)
        var different: [String] = []
        var looked = 0
        for value in UInt32(0x20)...0x3_fffd {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = SafeText.clean(String(Character(scalar)), limit: 4)
            guard text.unicodeScalars.elementsEqual([scalar]), let character = text.first else { continue }
            let cells = wcwidth(wchar_t(value))
            guard cells >= 0 else { continue }
            looked += 1
            if Width.cells(of: character) != Int(cells) {
                different.append("\(String(value, radix: 16)): \(Width.cells(of: character)) not \(cells)")
            }
        }
        #expect(looked > 100_000)
        let most = Self.library == "glibc 2.36" ? 0 : looked / 200
        #expect(different.count <= most, "\(different.count) of \(looked): \(different.prefix(400))")
    }

    private static var library: String {
        var name = [CChar](repeating: 0, count: 64)
        confstr(Int32(_CS_GNU_LIBC_VERSION), &name, name.count)
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    @Test func `a drawn line never holds more cells than it has, and halves no wide character`() {
        let seed: UInt64 = 7
        var random = SplitMix(seed: seed)
        let letters = Array("ab漢字か😀é안~ \u{301}")
        for round in 0..<2_000 {
            let text = String(
                (0..<Int.random(in: 0...12, using: &random)).map { _ in
                    letters[Int.random(in: letters.indices, using: &random)]
                })
            let room = Int.random(in: 1...10, using: &random)
            var canvas = Canvas(width: 10, height: 1, glyphs: .unicode)
            let used = canvas.put(text, 0, 0, Style(.text), width: room)
            #expect(used <= room, "seed \(seed), round \(round)")
            #expect(used == min(room, Canvas.cells(of: text)) || used == room - 1, "round \(round): \(text)")
            let cells = canvas.frame.cells
            #expect(cells.reduce(0) { $0 + $1.width } == 10, "seed \(seed), round \(round): \(text)")
            for (cell, next) in zip(cells, cells.dropFirst()) where cell.width == 2 {
                #expect(next.width == 0 && next.text.isEmpty, "seed \(seed), round \(round): \(text)")
            }
        }
    }
}

import Domain
import Testing

@testable import Console

@Suite struct SafeTextTests {
    private func clean(_ text: String) -> String { SafeText.clean(text, limit: 4_096) }

    @Test func `plain text, letters of any script and wide characters pass as they are`() {
        for text in ["", "openai/gpt-6", "Zürich", "Ωμέγα", "привет", "漢字かな", "안녕", "😀", "a ~ b", "─│┌"] {
            #expect(clean(text).unicodeScalars.elementsEqual(text.unicodeScalars), "\(text)")
        }
    }

    @Test func `no control character passes`() {
        for value in Array(0...0x1f) + Array(0x7f...0x9f) {
            guard let scalar = Unicode.Scalar(UInt32(value)) else { continue }
            #expect(clean("a\(Character(scalar))b") == "a?b", "U+\(String(value, radix: 16))")
        }
        #expect(clean("over\r\nwritten") == "over??written")
    }

    @Test(arguments: [
        ("colour", "\u{1b}[31mred", "?[31mred"),
        ("clear", "\u{1b}[2J\u{1b}[H", "?[2J?[H"),
        ("eight-bit CSI", "\u{9b}31mred", "?31mred"),
        ("clipboard, OSC 52", "\u{1b}]52;c;cm0=\u{7}", "?]52;c;cm0=?"),
        ("link, OSC 8", "\u{1b}]8;;http://x\u{1b}\\x", "?]8;;http://x?\\x"),
        ("device control", "\u{1b}P$q\u{1b}\\", "?P$q?\\"),
        ("title", "\u{1b}]0;pwned\u{9c}", "?]0;pwned?"),
        ("line break", "a\u{2028}b\u{2029}c\nd", "a?b?c?d"),
    ]) func `what steers a terminal comes out as its harmless letters`(
        what: String, text: String, shown: String
    ) {
        #expect(clean(text) == shown, "\(what)")
    }

    @Test func `bidirectional controls cannot reorder what stands around them`() {
        for value: UInt32 in [
            0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069,
        ] {
            guard let scalar = Unicode.Scalar(value) else { continue }
            #expect(clean("exe.\(Character(scalar))gpj") == "exe.?gpj", "U+\(String(value, radix: 16))")
        }
    }

    @Test
    func `nothing invisible passes: what Unicode calls ignorable is dropped or shown as a question mark`() {
        var passed: [String] = []
        for value in UInt32(0x80)...0x10_ffff {
            guard let scalar = Unicode.Scalar(value), scalar.properties.isDefaultIgnorableCodePoint else {
                continue
            }
            let shown = clean("a\(Character(scalar))b").unicodeScalars
            if shown.contains(scalar) || shown.count > 3 { passed.append(String(value, radix: 16)) }
        }
        #expect(passed == [])
    }

    @Test func `a flood of marks is cut to two, and a mark without a base goes`() {
        let flood = "e" + String(repeating: "\u{301}", count: 500) + "f"
        #expect(clean(flood).unicodeScalars.elementsEqual("e\u{301}\u{301}f".unicodeScalars))
        #expect(clean("\u{301}") == "")
        #expect(clean("\u{20dd}x") == "x")
    }

    @Test func `an emoji sequence becomes its plain base`() {
        #expect(clean("👩‍👩‍👧‍👦!") == "👩!")
        #expect(clean("👍🏽!") == "👍!")
        #expect(clean("❤️!") == "❤!")
        #expect(clean("🇩🇪!").unicodeScalars.count == 2)
    }

    @Test func `strange spaces become a space; private and unassigned characters a question mark`() {
        #expect(clean("a\u{a0}b\u{3000}c\u{2003}d") == "a b c d")
        #expect(clean("\u{e000}\u{f8ff}\u{10fffd}\u{378}\u{fffe}") == "?????")
    }

    @Test func `no text, however it is built, gives more than the limit`() {
        #expect(SafeText.clean(String(repeating: "x", count: 9), limit: 4) == "xxxx")
        #expect(SafeText.clean("ééééé", limit: 3) == "ééé")
        #expect(SafeText.clean("漢字", limit: 0) == "")
        // One character to Swift each, many to a reader.
        let joined = "a" + String(repeating: "\u{200c}", count: 1_000)
        #expect(SafeText.clean(joined, limit: 10).count <= 10)
        #expect(SafeText.clean(String(repeating: "\r\n", count: 50), limit: 10).count <= 10)
        let tagged = "\u{1f3f4}" + String(repeating: "\u{e0061}", count: 1_000)
        #expect(SafeText.clean(tagged, limit: 10).count <= 10)
        let jamo = String(repeating: "\u{1100}", count: 5_000) + String(repeating: "\u{1161}", count: 5_000)
        #expect(SafeText.clean(jamo, limit: 10).unicodeScalars.count <= 40)
    }

    @Test func `of any scalars whatever, only what may be shown comes out`() {
        let seed: UInt64 = 0x5afe
        var random = SplitMix(seed: seed)
        // Half from the whole of Unicode, half from the places where trouble lives.
        let trouble: [ClosedRange<UInt32>] = [
            0x00...0x1f, 0x7f...0xa0, 0x300...0x36f, 0x600...0x605, 0x1100...0x11ff, 0x200b...0x206f,
            0xfe00...0xfe0f, 0xfff0...0xffff, 0x1f1e6...0x1f1ff, 0x1f3fb...0x1f3ff, 0xe0000...0xe0fff,
        ]
        for round in 0..<3_000 {
            var text = ""
            for _ in 0..<Int.random(in: 0...24, using: &random) {
                let range =
                    Bool.random(using: &random)
                    ? 0...0x10_ffff : trouble[Int.random(in: trouble.indices, using: &random)]
                if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) {
                    text.unicodeScalars.append(scalar)
                }
            }
            let shown = clean(text)
            let isFit = shown.unicodeScalars.allSatisfy { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
                    .paragraphSeparator:
                    false
                default: !scalar.properties.isDefaultIgnorableCodePoint
                }
            }
            #expect(isFit, "seed \(seed), round \(round): \(text.unicodeScalars.map(\.value))")
            // Cleaning twice may join what was apart, but must let nothing new through.
            #expect(clean(shown).unicodeScalars.count <= shown.unicodeScalars.count, "round \(round)")
            if !isFit { return }
        }
    }
}

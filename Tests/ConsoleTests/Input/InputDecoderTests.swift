import Domain
import Testing

@testable import Console

@Suite struct InputDecoderTests {
    /// Feeds bytes one millisecond apart and then lets a second pass.
    private func decode(_ bytes: [UInt8]) -> [Input] {
        var decoder = InputDecoder()
        var out: [Input] = []
        for (index, byte) in bytes.enumerated() { out += decoder.feed(byte, at: .at(index)) }
        return out + decoder.idle(at: .at(bytes.count + 1_000))
    }

    private func decode(_ text: String) -> [Input] { decode(Array(text.utf8)) }

    // MARK: Keys

    @Test(
        arguments: [
            ("\r", .enter), ("\n", .enter), ("\t", .tab), ("\u{8}", .backspace), ("\u{7f}", .backspace),
            ("a", .character("a")), ("Q", .character("Q")), (" ", .character(" ")), ("~", .character("~")),
            ("\u{1}", .control("a")), ("\u{3}", .control("c")), ("\u{c}", .control("l")),
            ("\u{1a}", .control("z")),
            ("é", .character("é")), ("漢", .character("漢")), ("😀", .character("😀")),
            ("\u{1b}[A", .up), ("\u{1b}[B", .down), ("\u{1b}[C", .right), ("\u{1b}[D", .left),
            ("\u{1b}OA", .up), ("\u{1b}OB", .down), ("\u{1b}OC", .right), ("\u{1b}OD", .left),
            ("\u{1b}[H", .home), ("\u{1b}[F", .end), ("\u{1b}OH", .home), ("\u{1b}OF", .end),
            ("\u{1b}[1~", .home), ("\u{1b}[7~", .home), ("\u{1b}[4~", .end), ("\u{1b}[8~", .end),
            ("\u{1b}[3~", .delete), ("\u{1b}[5~", .pageUp), ("\u{1b}[6~", .pageDown), ("\u{1b}[Z", .backTab),
            ("\u{1b}OM", .enter), ("\u{1b}[1;5A", .up), ("\u{1b}[1;2D", .left), ("\u{1b}[5;5~", .pageUp),
        ] as [(String, Key)]) func `every key is known`(bytes: String, key: Key)
    {
        #expect(decode(bytes) == [.key(key)])
        // Also right after and right before another key.
        #expect(decode("x\(bytes)y") == [.key(.character("x")), .key(key), .key(.character("y"))])
    }

    @Test func `every control byte is a key, the start of one, or nothing`() {
        for byte in UInt8(0)...0x1f where byte != 0x1b {
            let inputs = decode([byte])
            #expect(inputs.count == 1, "byte \(byte)")
            #expect(byte != 0 || inputs == [.unknownSequence])
        }
        for byte in UInt8(ascii: " ")..<0x7f {
            #expect(decode([byte]) == [.key(.character(Character(Unicode.Scalar(byte))))])
        }
    }

    // MARK: Escape

    @Test func `a lone escape is the key after forty milliseconds`() {
        var decoder = InputDecoder()
        #expect(decoder.feed(0x1b, at: .at(100)) == [])
        #expect(decoder.isWaiting)
        #expect(decoder.idle(at: .at(139)) == [])
        #expect(decoder.idle(at: .at(140)) == [.key(.escape)])
        #expect(!decoder.isWaiting)
        #expect(decoder.idle(at: .at(900)) == [])
    }

    @Test func `a key that comes after the wait does not join the escape before it`() {
        var decoder = InputDecoder()
        _ = decoder.feed(0x1b, at: .at(0))
        #expect(decoder.feed(UInt8(ascii: "["), at: .at(60)) == [.key(.escape), .key(.character("["))])
    }

    @Test func `two escapes are two keys, and an arrow after an escape is the arrow`() {
        #expect(decode("\u{1b}\u{1b}") == [.key(.escape), .key(.escape)])
        #expect(decode("\u{1b}\u{1b}[A") == [.key(.escape), .key(.up)])
    }

    @Test func `an unfinished sequence is given up after a quarter of a second, and types nothing`() {
        for start in [
            "\u{1b}[", "\u{1b}[12;3", "\u{1b}O", "\u{1b}]0;title", "\u{1b}Pq", "\u{1b}[M!", "\u{1b}(",
        ] {
            var decoder = InputDecoder()
            var out: [Input] = []
            for byte in start.utf8 { out += decoder.feed(byte, at: .at(0)) }
            #expect(out == [] && decoder.isWaiting)
            #expect(decoder.idle(at: .at(249)) == [])
            #expect(decoder.idle(at: .at(250)) == [.unknownSequence])
            #expect(decoder.feed(UInt8(ascii: "q"), at: .at(251)) == [.key(.character("q"))])
        }
    }

    @Test(arguments: [
        "\u{1b}[9;9~", "\u{1b}[?62;4c", "\u{1b}[?2026;2$y", "\u{1b}[27;5;9~", "\u{1b}[13;5u", "\u{1b}[24;80R",
        "\u{1b}OP", "\u{1b}OS", "\u{1b}[15~", "\u{1b}[2~", "\u{1b}[5A", "\u{1b}[ q", "\u{1b}[!p",
        "\u{1b}[200A",
        "\u{1b}]11;rgb:1010/1414/1818\u{7}", "\u{1b}]11;rgb:1010/1414/1818\u{1b}\\",
        "\u{1b}P1+r524742\u{1b}\\",
        "\u{1b}_Gi=1;OK\u{1b}\\", "\u{1b}^x\u{1b}\\", "\u{1b}Xq\u{1b}\\", "\u{1b}q", "\u{1b}T", "\u{1b}(B",
        "\u{1b} F", "\u{1b}#8",
    ]) func `a sequence that is no key of ours is swallowed whole`(bytes: String) {
        #expect(decode(bytes) == [.unknownSequence])
        #expect(decode(bytes + "j") == [.unknownSequence, .key(.character("j"))])
    }

    @Test func `focus reports are nothing at all`() {
        #expect(decode("\u{1b}[I\u{1b}[O") == [])
    }

    @Test func `an escape inside a sequence begins a new one, and nothing of either is typed`() {
        for start in ["\u{1b}[", "\u{1b}[1;", "\u{1b}[<0;1", "\u{1b}O", "\u{1b}[M", "\u{1b}[M!", "\u{1b}("] {
            #expect(decode(start + "\u{1b}[A") == [.unknownSequence, .key(.up)], "\(start.dropFirst())")
            #expect(decode(start + "\u{1b}") == [.unknownSequence, .key(.escape)], "\(start.dropFirst())")
        }
    }

    @Test func `a sequence of any length types nothing`() {
        for count in [63, 64, 65, 66, 500, 100_000] {
            let numbers = String(repeating: "1", count: count)
            #expect(decode("\u{1b}[\(numbers)~j") == [.unknownSequence, .key(.character("j"))], "\(count)")
            let text = String(repeating: "q", count: count)
            #expect(
                decode("\u{1b}]52;c;\(text)\u{7}j") == [.unknownSequence, .key(.character("j"))], "\(count)")
        }
        #expect(decode("\u{1b}[1\u{3}é~j") == [.unknownSequence, .key(.character("j"))])
    }

    // MARK: Mouse

    @Test func `clicks and the wheel are known, counted from zero`() {
        #expect(decode("\u{1b}[<0;1;1M") == [.click(column: 0, row: 0)])
        #expect(decode("\u{1b}[<0;250;80M\u{1b}[<0;250;80m") == [.click(column: 249, row: 79)])
        #expect(decode("\u{1b}[<64;3;4M") == [.wheel(up: true)])
        #expect(decode("\u{1b}[<65;3;4M") == [.wheel(up: false)])
        #expect(decode("\u{1b}[<2;3;4M\u{1b}[<35;3;4M") == [])
    }

    @Test func `an old mouse report is swallowed with its three bytes`() {
        #expect(decode("\u{1b}[M !!j") == [.key(.character("j"))])
        #expect(decode([0x1b, 0x5b, 0x4d, 0x20, 0xff, 0xff, 0x6a]) == [.key(.character("j"))])
    }

    @Test(arguments: [
        "0;;M", "0;1M", "0;1;1;1M", ";;M", "M", "0;-1;1M", "0;0;1M", "0;1;0M", "0;+1;1M", "0;1;:1M",
        "0;-9223372036854775808;1M", "0;1;-9223372036854775808M", "0;99999999999999999999;1M",
        "-9223372036854775808;1;1M", "0;1;1X", "?;1;1M",
    ]) func `a mouse report that makes no sense is no click`(report: String) {
        let inputs = decode("\u{1b}[<\(report)")
        #expect(inputs == [.unknownSequence] || inputs == [], "\(inputs)")
    }

    // MARK: UTF-8

    @Test func `bytes that are no text are nothing, and eat no key after them`() {
        let bad: [[UInt8]] = [
            [0x80], [0xbf], [0xc0], [0xc1], [0xf5], [0xff], [0xfe],  // never a first byte
            [0xc3], [0xe6, 0xbc], [0xf0, 0x9f, 0x98],  // cut short
            [0xe0, 0x80, 0x80], [0xf0, 0x80, 0x80, 0x80],  // too long a form
            [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80],  // surrogate; beyond Unicode
            [0xc2, 0x9b], [0xc2, 0x85],  // C1 controls
        ]
        for bytes in bad {
            let inputs = decode(bytes + [UInt8(ascii: "j")])
            #expect(inputs.last == .key(.character("j")), "\(bytes)")
            #expect(inputs.dropLast().allSatisfy { $0 == .unknownSequence } && inputs.count > 1, "\(bytes)")
            #expect(decode(bytes + Array("\u{1b}[A".utf8)).last == .key(.up), "\(bytes)")
        }
    }

    @Test func `every character of the Unicode planes comes back as itself`() {
        for value in stride(from: UInt32(0xa0), through: 0x10_ffff, by: 97) {
            guard let scalar = Unicode.Scalar(value), value != 0xfffd else { continue }
            #expect(decode(String(Character(scalar))) == [.key(.character(Character(scalar)))], "\(value)")
        }
    }

    // MARK: Pastes

    private func pasted(_ bytes: [UInt8]) throws -> (text: [UInt8], dropped: Int, after: [Input]) {
        let inputs = decode(Array("\u{1b}[200~".utf8) + bytes + Array("\u{1b}[201~".utf8) + [0x6a])
        guard case .paste(let paste) = try #require(inputs.first) else {
            Issue.record("no paste but \(inputs)")
            return ([], 0, inputs)
        }
        return (paste.withBytes { Array($0) }, paste.dropped, Array(inputs.dropFirst()))
    }

    @Test(arguments: [
        "", "sk-test-1234", "two\nlines\r\n", "q!:~\u{3}\u{1a}", "\u{1b}[A\u{1b}OB\u{1b}", "\u{1b}[200~again",
        "\u{1b}[201\u{1b}[2\u{1b}[20", "\u{1b}\u{1b}\u{1b}[", "\u{1b}]52;c;x\u{7}", "漢字\u{0}",
    ]) func `a paste comes whole, and nothing in it is a key`(text: String) throws {
        let paste = try pasted(Array(text.utf8))
        #expect(paste.text == Array(text.utf8))
        #expect(paste.dropped == 0)
        #expect(paste.after == [.key(.character("j"))])
    }

    @Test func `a paste holds 8 KiB; what is more is dropped and counted`() throws {
        for (count, dropped) in [(8_191, 0), (8_192, 0), (8_193, 1), (100_000, 91_808)] {
            let paste = try pasted((0..<count).map { UInt8(truncatingIfNeeded: $0 % 251) })
            #expect(paste.text.count == min(count, 8_192))
            #expect(paste.text.enumerated().allSatisfy { Int($0.element) == $0.offset % 251 })
            #expect(paste.dropped == dropped)
            #expect(paste.after == [.key(.character("j"))])
        }
    }

    @Test func `a paste waits for its end however long it takes, and the wait types nothing`() {
        var decoder = InputDecoder()
        var out: [Input] = []
        for byte in "\u{1b}[200~q\u{1b}".utf8 { out += decoder.feed(byte, at: .at(0)) }
        out += decoder.idle(at: .at(3_600_000))
        out += decoder.feed(UInt8(ascii: "!"), at: .at(3_600_000))
        #expect(out == [] && !decoder.isWaiting)
        for byte in "\u{1b}[201~".utf8 { out += decoder.feed(byte, at: .at(7_200_000)) }
        #expect(out.count == 1 && out.first?.pasted == Array("q\u{1b}!".utf8))
    }

    @Test func `a paste's end without a beginning is nothing`() {
        #expect(decode("\u{1b}[201~j") == [.unknownSequence, .key(.character("j"))])
    }

    // MARK: However it is cut

    @Test func `a known stream decodes the same cut at every byte`() {
        let text =
            "j\u{1b}[A\u{1b}OB漢\u{1b}[1;5C\u{1b}[<0;12;7M\u{1b}]0;t\u{1b}\\é\u{1b}[200~p\u{1b}[A\u{1b}[201~q"
        let bytes = Array(text.utf8)
        let whole = Stream.read([bytes])
        #expect(
            whole == [
                "key j", "key up", "key down", "key 漢", "key right", "click 11 6", "unknown", "key é",
                "paste \(Array("p\u{1b}[A".utf8)) 0", "key q",
            ])
        for cut in bytes.indices {
            #expect(Stream.read([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole, "cut at \(cut)")
        }
        #expect(Stream.read(bytes.map { [$0] }) == whole)
    }

    @Test func `any stream decodes the same however it is cut`() {
        let seed: UInt64 = 0x1b5b
        var random = SplitMix(seed: seed)
        for round in 0..<1_500 {
            let bytes = Stream.any(&random)
            let whole = Stream.read([bytes])
            for _ in 0..<4 {
                let pieces = Stream.cut(bytes, &random)
                let cut = Stream.read(pieces)
                #expect(cut == whole, "seed \(seed), round \(round): \(bytes) cut \(pieces.map(\.count))")
                if cut != whole { return }
            }
        }
    }

    @Test func `after any stream, a quarter of a second and a paste's end, keys are keys again`() {
        let seed: UInt64 = 0xdec0de
        var random = SplitMix(seed: seed)
        for round in 0..<1_500 {
            var decoder = InputDecoder()
            let bytes = Stream.any(&random)
            for byte in bytes { _ = decoder.feed(byte, at: .at(0)) }
            _ = decoder.idle(at: .at(250))
            for byte in "\u{1b}[201~".utf8 { _ = decoder.feed(byte, at: .at(250)) }
            let inputs = decoder.feed(UInt8(ascii: "j"), at: .at(250))
            #expect(inputs == [.key(.character("j"))], "seed \(seed), round \(round): \(bytes)")
        }
    }
}

/// Streams of bytes for the decoder, and what comes of them as text (pastes are equal only to themselves).
private enum Stream {
    static func read(_ pieces: [[UInt8]]) -> [String] {
        var decoder = InputDecoder()
        var out: [Input] = []
        var now = 0
        for piece in pieces {
            for byte in piece { out += decoder.feed(byte, at: .at(now)) }
            // Less than an escape's wait passes between two pieces, and the loop asks in between.
            now += 19
            out += decoder.idle(at: .at(now))
        }
        return (out + decoder.idle(at: .at(now + 1_000))).map(word)
    }

    /// Pieces of sequences, text and garbage.
    static func any(_ random: inout SplitMix) -> [UInt8] {
        let pieces = [
            "\u{1b}", "[", "O", "A", "~", "\u{1b}[", "\u{1b}[200~", "\u{1b}[201~", "201~", "<0;", "1;", "5",
            "M",
            "\u{1b}]", "\u{1b}P", "\u{7}", "\u{1b}\\", "q", "é", "漢", "😀", "\r", "\u{3}", "\u{1b}[M", "(",
            "?",
        ]
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...24, using: &random) {
            if Int.random(in: 0..<5, using: &random) == 0 {
                bytes.append(UInt8.random(in: 0...255, using: &random))
            } else {
                bytes += pieces[Int.random(in: pieces.indices, using: &random)].utf8
            }
        }
        return bytes
    }

    static func cut(_ bytes: [UInt8], _ random: inout SplitMix) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Int.random(in: 1...min(6, rest.count), using: &random)
            pieces.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return pieces
    }

    private static func word(_ input: Input) -> String {
        switch input {
        case .key(.character(let character)): "key \(character)"
        case .key(let key): "key \(key)"
        case .paste(let paste): "paste \(paste.withBytes { Array($0) }) \(paste.dropped)"
        case .resized(let width, let height): "resized \(width) \(height)"
        case .wheel(let up): "wheel \(up)"
        case .click(let column, let row): "click \(column) \(row)"
        case .unknownSequence: "unknown"
        }
    }
}

extension Instant {
    fileprivate static func at(_ milliseconds: Int) -> Instant {
        Instant(nanoseconds: Int64(milliseconds) * 1_000_000)
    }
}

extension Input {
    fileprivate var pasted: [UInt8]? {
        if case .paste(let paste) = self { paste.withBytes { Array($0) } } else { nil }
    }
}

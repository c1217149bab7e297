import Dialects
import Domain
import Glibc
import Testing

/// The scanner goes through strings eight bytes at a time; here it is compared with a reader that goes byte by byte.
@Suite struct StringSkippingTests {
    /// What strings are made of: good and bad.
    private static let pieces: [[UInt8]] =
        [
            "\\\"", "\\\\", "\\/", "\\b\\f\\n\\r\\t", "\\u0041", "\\uD834\\uDD1E", "\\ud834", "\\u12",
            "\\u12G4", "\\x",
            "\\", "\"", "\" ", "é", "€", "𝄞", "é è", "Всё в порядке", "今日は", "!#$%&", "[]{}:,", "\u{7f}",
        ].map { Array($0.utf8) } + [
            [0x00], [0x1f], [0x20], [0x21], [0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xc2], [0xc3, 0x28],
            [0xdf, 0xbf],
            [0xe0, 0x9f, 0xbf], [0xe0, 0xa0, 0x80], [0xe2, 0x82], [0xec, 0xbf, 0xbf], [0xed, 0x9f, 0xbf],
            [0xed, 0xa0, 0x80], [0xee, 0x80, 0x80], [0xef, 0xbf, 0x7f], [0xf0, 0x8f, 0xbf, 0xbf],
            [0xf0, 0x90, 0x80, 0x80], [0xf0, 0x9f, 0x98], [0xf3, 0xbf, 0xbf, 0xc0], [0xf4, 0x8f, 0xbf, 0xbf],
            [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xff],
        ]

    @Test func `random strings are judged as by a reader of single bytes`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SplitMix(seed: seed)
        let room = try EdgeOfMemory()
        let good = Self.pieces.filter { Self.faultPosition([0x22] + $0 + [0x22]) == nil }
        var accepted = 0
        for _ in 0..<30_000 {
            var text = [UInt8](repeating: 0x20, count: Int.random(in: 0..<8, using: &generator)) + [0x22]
            // Most are short, so that each place within a word comes up often.
            for _ in 0..<Int.random(in: 0..<6, using: &generator) {
                text += [UInt8](repeating: 0x78, count: Int.random(in: 0..<12, using: &generator))
                // Mostly good ones; else no string would be good to its end.
                let some = Int.random(in: 0..<4, using: &generator) == 0 ? Self.pieces : good
                text += some.randomElement(using: &generator) ?? []
            }
            text.append(0x22)
            if Int.random(in: 0..<5, using: &generator) == 0 {
                text.removeLast(Int.random(in: 0..<text.count, using: &generator))
            }
            let expected = Self.faultPosition(text)
            #expect(room.faultPosition(text) == expected, "seed \(seed): \(text)")
            if expected == nil { accepted += 1 }
        }
        #expect(accepted > 5_000)
    }

    @Test func `random bytes are judged as by a reader of single bytes`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SplitMix(seed: seed)
        let room = try EdgeOfMemory()
        let edges: [UInt8] = [
            0x1f, 0x20, 0x21, 0x22, 0x23, 0x5b, 0x5c, 0x5d, 0x7e, 0x7f, 0x80, 0xa2, 0xdc, 0xff,
        ]
        for _ in 0..<30_000 {
            let inner = (0..<Int.random(in: 0..<40, using: &generator)).map { _ -> UInt8 in
                switch Int.random(in: 0..<12, using: &generator) {
                case 0: UInt8.random(in: .min ... .max, using: &generator)
                case 1: edges.randomElement(using: &generator) ?? 0
                default: UInt8.random(in: 0x23..<0x5c, using: &generator)
                }
            }
            let text = [0x22] + inner + [0x22]
            #expect(room.faultPosition(text) == Self.faultPosition(text), "seed \(seed): \(text)")
        }
    }

    @Test func `every byte is judged alike in every place of a word`() throws {
        let room = try EdgeOfMemory()
        for byte in UInt8.min ... .max {
            for place in 0..<17 {
                for behind in 0..<17 {
                    let text =
                        [0x22] + [UInt8](repeating: 0x41, count: place) + [byte]
                        + [UInt8](repeating: 0x42, count: behind) + [0x22]
                    #expect(room.faultPosition(text) == Self.faultPosition(text), "\(text)")
                }
            }
        }
    }

    // MARK: The reader of single bytes

    /// Where a text of one string with blanks around it is at fault; nil if it is good.
    private static func faultPosition(_ text: [UInt8]) -> Int? {
        var index = text.firstIndex { $0 != 0x20 } ?? text.count
        guard index < text.count, text[index] == 0x22 else { return index }
        let start = index
        index += 1
        while true {
            guard index < text.count else { return start }
            switch text[index] {
            case 0x22:
                return text[(index + 1)...].firstIndex {
                    $0 != 0x20 && $0 != 0x09 && $0 != 0x0a && $0 != 0x0d
                }
            case 0x5c:
                guard let length = escapeLength(text[(index + 1)...]) else { return index }
                index += length
            case 0..<0x20: return index
            case 0x20..<0x80: index += 1
            default:
                guard let length = characterLength(text[index...]) else { return index }
                index += length
            }
        }
    }

    private static func escapeLength(_ rest: ArraySlice<UInt8>) -> Int? {
        guard let letter = rest.first else { return nil }
        if "\"\\/bfnrt".utf8.contains(letter) { return 2 }
        let digits = rest.dropFirst().prefix(4)
        let isHexadecimal =
            digits.count == 4 && digits.allSatisfy { "0123456789abcdefABCDEF".utf8.contains($0) }
        return letter == UInt8(ascii: "u") && isHexadecimal ? 6 : nil
    }

    /// By the value that the bits add up to (RFC 3629 section 3), not by a table of bytes.
    private static func characterLength(_ rest: ArraySlice<UInt8>) -> Int? {
        guard let first = rest.first else { return nil }
        let length = (~first).leadingZeroBitCount
        guard (2...4).contains(length), rest.count >= length else { return nil }
        var value = UInt32(first) & (0x7f >> UInt32(length))
        for byte in rest.dropFirst().prefix(length - 1) {
            guard byte >> 6 == 0b10 else { return nil }
            value = value << 6 | UInt32(byte & 0x3f)
        }
        let least: [UInt32] = [0x80, 0x800, 0x10000]
        guard value >= least[length - 2], Unicode.Scalar(value) != nil else { return nil }
        return length
    }
}

/// Room at the very end of readable memory: whoever reads a byte too many is ended by the system.
private final class EdgeOfMemory {
    private let pages: UnsafeMutableRawPointer
    private let size = Int(getpagesize())

    init() throws {
        let mapped = mmap(nil, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        pages = try #require(mapped != MAP_FAILED ? mapped : nil)
        try #require(mprotect(pages + size, size, PROT_NONE) == 0)
    }

    deinit { munmap(pages, 2 * size) }

    func faultPosition(_ text: [UInt8]) -> Int? {
        let lent = UnsafeMutableRawBufferPointer(start: pages + (size - text.count), count: text.count)
        lent.copyBytes(from: text)
        do throws(JSONFault) {
            try JSONScanner.validate(UnsafeRawBufferPointer(lent))
            return nil
        } catch {
            return error.position
        }
    }
}

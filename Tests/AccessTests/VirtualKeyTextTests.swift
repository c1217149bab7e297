import Cipher
import Testing

@testable import Access

@Suite struct VirtualKeyTextTests {
    init() throws { try SecureHeap.start() }

    // The checksums of both were computed with zlib's crc32.
    static let known = [
        "gth_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg1By8Vy",
        "gth_00000000000000000000000000000000000000000002hwiGj",
    ]

    private func isWellFormed(_ text: String) -> Bool {
        Array(text.utf8).withUnsafeBytes { VirtualKeyText.isWellFormed($0) }
    }

    @Test func `the checksum of 123456789 is the catalogue's check value`() {
        #expect(Array("123456789".utf8).withUnsafeBytes { CRC32.checksum($0) } == 0xcbf4_3926)
    }

    @Test(arguments: known) func `a known key is well-formed`(text: String) {
        #expect(isWellFormed(text))
    }

    @Test(arguments: [
        "", "gth_",
        // one character short, one too many, a line end behind
        "gth_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg1By8V",
        "gth_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg1By8Vy0",
        "gth_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg1By8Vy\n",
        // prefix of another case, of another make
        "GTH_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg1By8Vy",
        "sk-_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg1By8Vy",
        // two characters swapped, one changed, the case of one changed
        "gth_1023456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg1By8Vy",
        "gth_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefh1By8Vy",
        "gth_0123456789aBCDEFGHIJKLMNOPQRSTUVWXYZabcdefg1By8Vy",
        // checksum changed, checksum of the second key
        "gth_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg1By8Vz",
        "gth_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg2hwiGj",
        // outside the alphabet: '-', '_', a blank, a zero byte, a letter beyond ASCII
        "gth_0123456789-BCDEFGHIJKLMNOPQRSTUVWXYZabcdefg1By8Vy",
        "gth_0123456789_BCDEFGHIJKLMNOPQRSTUVWXYZabcdefg1By8Vy",
        "gth_0123456789 BCDEFGHIJKLMNOPQRSTUVWXYZabcdefg1By8Vy",
        "gth_0123456789\0BCDEFGHIJKLMNOPQRSTUVWXYZabcdefg1By8Vy",
        "gth_0123456789éCDEFGHIJKLMNOPQRSTUVWXYZabcdefg1By8Vy",
    ]) func `anything else is refused`(text: String) {
        #expect(!isWellFormed(text))
    }

    @Test func `every change of one byte is caught`() {
        var text = Array(Self.known[0].utf8)
        for index in text.indices {
            for bit in 0..<8 {
                text[index] ^= 1 << bit
                #expect(
                    !text.withUnsafeBytes { VirtualKeyText.isWellFormed($0) }, "byte \(index), bit \(bit)")
                text[index] ^= 1 << bit
            }
        }
    }

    @Test func `made keys are well-formed, different, and use every letter about equally`() throws {
        var seen: Set<[UInt8]> = []
        var counts = [UInt8: Int]()
        for _ in 0..<2_000 {
            let text = try VirtualKeyText.make()
            #expect(text.withUnsafeBytes { VirtualKeyText.isWellFormed($0) })
            seen.insert(text)
            for byte in text[4..<47] { counts[byte, default: 0] += 1 }
        }
        #expect(seen.count == 2_000)
        #expect(counts.count == 62)
        // 86,000 draws over 62 letters: 1,387 each with a deviation of 37; six deviations either side.
        #expect(counts.values.allSatisfy { abs($0 - 1_387) < 222 })
    }
}

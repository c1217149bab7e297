import Domain
import Foundation
import Testing

@Suite struct IdentifierTests {
    @Test func `an id reads back from its text, with and without dashes, and from its bytes`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SplitMix(seed: seed)
        for _ in 0..<2_000 {
            let id = TenantID(high: generator.next(), low: generator.next())
            let texts = [id.text, id.text.uppercased(), id.text.replacing("-", with: "")]
            #expect(texts.allSatisfy { TenantID($0) == id }, "seed \(seed): \(id)")
            #expect(TenantID(bytes: id.bytes) == id, "seed \(seed): \(id)")
            #expect(id.bytes.count == 16)
        }
    }

    @Test func `the text has the form of RFC 9562`() {
        let id = CallID(high: 0x0123_4567_89ab_cdef, low: 0x0f1e_2d3c_4b5a_6978)
        #expect(id.text == "01234567-89ab-cdef-0f1e-2d3c4b5a6978")
        #expect(id.short == "01234567")
        #expect("\(id)" == UUID(uuidString: id.text)?.uuidString.lowercased())
    }

    @Test func `a random id says version 4 and variant 10, and no two are alike`() {
        var generator = SplitMix(seed: 4)
        var ids: Set<AuditID> = []
        for round in 0..<2_000 {
            let id = round % 2 == 0 ? AuditID.random() : AuditID.random(using: &generator)
            #expect(id.high >> 12 & 0xf == 4 && id.low >> 62 == 2, "\(id)")
            ids.insert(id)
        }
        #expect(ids.count == 2_000)
    }

    @Test func `the same seed gives the same id`() {
        var one = SplitMix(seed: 9)
        var other = SplitMix(seed: 9)
        #expect(CallID.random(using: &one) == CallID.random(using: &other))
    }

    @Test(arguments: [
        "", "-", "0123", "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdef0",
        "g123456789abcdef0123456789abcdef", " 0123456789abcdef0123456789abcdef",
        "０123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef\n",
    ])
    func `a text of another form is no id`(text: String) {
        #expect(CallID(text) == nil)
    }

    @Test(arguments: [0, 15, 17, 32])
    func `another number of bytes is no id`(count: Int) {
        #expect(CallID(bytes: [UInt8](repeating: 1, count: count)) == nil)
    }

    @Test func `ids sort as their texts do`() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SplitMix(seed: seed)
        for _ in 0..<1_000 {
            let one = CallID(high: generator.next(), low: generator.next())
            let other = CallID(
                high: Bool.random(using: &generator) ? one.high : generator.next(), low: generator.next())
            #expect((one < other) == (one.text < other.text), "seed \(seed): \(one) \(other)")
        }
    }

    @Test func `an id is one JSON text, and another text is refused`() throws {
        let id = VaultID(high: 1, low: 2)
        let data = try JSONEncoder().encode([id])
        #expect(String(decoding: data, as: UTF8.self) == "[\"00000000-0000-0001-0000-000000000002\"]")
        #expect(try JSONDecoder().decode([VaultID].self, from: data) == [id])
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([VaultID].self, from: Data("[\"7\"]".utf8))
        }
    }

    @Test func `hexadecimal digits are read and written byte by byte`() {
        for byte in UInt8.min ... .max {
            let text = hexadecimalText(of: byte)
            #expect(text == String(format: "%02x", Int(byte)))
            let isDigit = Character(UnicodeScalar(byte)).isHexDigit && byte < 0x80
            #expect((hexadecimalValue(of: byte) != nil) == isDigit)
        }
        #expect(hexadecimalText(of: [0, 0x7f, 0xff]) == "007fff")
    }
}

@Suite struct Digest256Tests {
    @Test func `a digest keeps its 32 bytes, and equality looks at all of them`() throws {
        let bytes = (0..<32).map { UInt8($0 * 7) }
        let digest = try #require(Digest256(bytes: bytes))
        #expect(digest.bytes == bytes)
        for index in 0..<32 {
            var other = bytes
            other[index] ^= 1
            #expect(Digest256(bytes: other) != digest, "byte \(index)")
        }
    }

    @Test(arguments: [0, 31, 33])
    func `another length is no digest`(count: Int) {
        #expect(Digest256(bytes: [UInt8](repeating: 0, count: count)) == nil)
    }

    @Test func `ids that begin with the time sort by it and say their version`() {
        var generator = SplitMix(seed: 7)
        let ids = (0..<1_000).map {
            CallID.ordered(at: WallTime(milliseconds: 1_790_000_000_000 + Int64($0)), using: &generator)
        }
        #expect(ids == ids.sorted() && Set(ids).count == ids.count)
        // RFC 9562 section 5.7: version 7, variant 10, the first 48 bits are milliseconds.
        for (index, id) in ids.enumerated() {
            #expect(id.high >> 12 & 0xf == 7 && id.low >> 62 == 2)
            #expect(id.high >> 16 == 1_790_000_000_000 + UInt64(index))
        }
    }
}

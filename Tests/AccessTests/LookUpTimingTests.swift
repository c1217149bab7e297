import Cipher
import Domain
import Foundation
import Testing

@testable import Access

/// What the time of a look-up says of virtual keys: nothing that a caller could build a key from.
@Suite struct LookUpTimingTests {
    /// Another well-formed key that shares as many of the first characters as are asked for.
    private func like(_ text: [UInt8], sharing count: Int) throws -> [UInt8] {
        var other = Array(try VirtualKeyText.make().prefix(VirtualKeyText.make().count - 6))
        for place in 0..<min(count, other.count) { other[place] = text[place] }
        var crc = UInt32.max
        for byte in other {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? 0xedb8_8320 ^ crc >> 1 : crc >> 1 }
        }
        let letters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        var (rest, end) = (~crc, [UInt8]())
        for _ in 0..<6 {
            end.insert(letters[Int(rest % 62)], at: 0)
            rest /= 62
        }
        return other + end
    }

    @Test
    func `what is looked up is a code of the whole key: keys that share their beginning share nothing of it`()
        throws
    {
        let fixture = try AccessFixture()
        let good = fixture.text("good")
        for count in [8, 16, 32, 46] {
            let near = try like(good, sharing: count)
            #expect(near.withUnsafeBytes { VirtualKeyText.isWellFormed($0) })
            let codes = [good, near].map { AccessFixture.hash($0, fixture.pepper).bytes }
            let same = zip(codes[0], codes[1]).prefix { $0 == $1 }.count
            // 2^-32 by chance.
            #expect(same < 4 && codes[0] != codes[1], "\(count) characters shared")
            #expect(fixture.directory.entry(for: AccessFixture.hash(near, fixture.pepper)) == nil)
        }
    }

    @Test func `the time of a refusal does not follow how much of a key is right`() throws {
        let fixture = try AccessFixture(extraTenants: 1_000)
        let good = fixture.text("good")
        let kinds: [(String, [UInt8])] = [
            ("unknown", try VirtualKeyText.make()), ("8 characters right", try like(good, sharing: 8)),
            ("all but 1 right", try like(good, sharing: 46)), ("revoked", fixture.text("revoked")),
            ("of nobody", fixture.text("stranger")),
        ]
        let clock = ContinuousClock()
        var took = [[Double]](repeating: [], count: kinds.count)
        // In turns, so that the machine's moods meet all alike.
        for _ in 0..<400 {
            for (kind, (_, text)) in kinds.enumerated() {
                let time = clock.measure {
                    for _ in 0..<10 {
                        _ = text.withUnsafeBytes { bytes in
                            Result {
                                try Authenticator.identify(
                                    .init(xAPIKey: bytes), directory: fixture.directory,
                                    pepper: fixture.pepper, at: AccessFixture.now)
                            }
                        }
                    }
                }
                took[kind].append(Double(time.components.attoseconds) / 1e12 / 10)
            }
        }
        // Printed to be looked at: a bound on it would be one on the machine.
        let figures = zip(kinds, took).map { kind, times in
            let sorted = times.sorted()
            return "\(kind.0) \(Int(sorted[200] * 1_000)) ns (quartiles \(Int(sorted[100] * 1_000)), "
                + "\(Int(sorted[300] * 1_000)))"
        }
        print("look-up of virtual keys, medians of 400: \(figures.joined(separator: "; "))")
        #expect(took.allSatisfy { $0.count == 400 })
    }
}

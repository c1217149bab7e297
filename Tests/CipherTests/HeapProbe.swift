import Cipher
import Foundation
import Testing

/// Looks for bytes in the whole arena of the secure heap, freed blocks included.
enum HeapProbe {
    /// Opened before any test makes the process unreadable for its own user.
    private static let memory = open("/proc/self/mem", O_RDONLY)

    static func prepare() { #expect(memory >= 0, "/proc/self/mem cannot be read") }

    /// How often `needle` lies in the mapping that holds the secure heap.
    static func occurrences(of needle: [UInt8]) throws -> Int {
        let anchor = try SecretBytes(count: 1) { _ in }
        let address = anchor.withBytes { UInt(bitPattern: $0.baseAddress) }
        let found = try mapping(around: address)
        let range = try #require(found)
        var content = [UInt8](repeating: 0, count: Int(range.upperBound - range.lowerBound))
        let got = pread(memory, &content, content.count, Int(range.lowerBound))
        #expect(got == content.count)
        let data = Data(content), pattern = Data(needle)
        var count = 0
        var from = data.startIndex
        while let hit = data.range(of: pattern, in: from..<data.endIndex) {
            count += 1
            from = hit.upperBound
        }
        return count
    }

    private static func mapping(around address: UInt) throws -> Range<UInt>? {
        for line in String(decoding: try maps(), as: UTF8.self).split(separator: "\n") {
            let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
            if ends.count == 2, ends[0] <= address, address < ends[1] { return ends[0]..<ends[1] }
        }
        return nil
    }

    /// The kernel hands the table out in short pieces.
    private static func maps() throws -> Data {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/maps"))
        defer { try? file.close() }
        var content = Data()
        while let piece = try file.read(upToCount: 4_096), !piece.isEmpty { content += piece }
        return content
    }
}

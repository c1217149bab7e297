import Foundation
import TestKit
import TestTraits
import Testing

/// What root can read of a running engine: how often an opened provider key lies in its memory.
@Suite(.serialized, .ownThread) struct MemoryTests {
    @Test
    func
        `a key lies in the engine's memory while it is kept for calls, and nowhere once the vault is locked`()
        throws
    {
        let house = try House()
        let token = try house.tenant("acme")
        try house.start()
        let engine = try #require(house.engine)
        let atStart = try copies(of: House.openAIKey, in: engine.pid)
        #expect(atStart == 0, "no call has asked for the key")
        for number in 0..<50 {
            let answer = try house.call(token: token, body: House.chat("openai/gpt-6-sol", "\(number)"))
            #expect(answer.status == 200)
        }
        let kept = try copies(of: House.openAIKey, in: engine.pid)
        // The search works, and what the engine keeps for the next calls is one copy.
        #expect(kept >= 1)
        try house.command(["vault", "lock", "--reason", "test"])
        let locked = try copies(of: House.openAIKey, in: engine.pid)
        print(
            "memory: \(atStart) copies of a key after the start, \(kept) after 50 calls, \(locked) once locked"
        )
        #expect(kept == 1)
        #expect(locked == 0)
    }

    /// Looks through all memory that can be written (proc(5), `/proc/pid/maps` and `/proc/pid/mem`).
    private func copies(of secret: String, in process: Int32) throws -> Int {
        let maps = try String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8)
        let memory = open("/proc/\(process)/mem", O_RDONLY)
        guard memory >= 0 else { throw Tool.Failure(description: "only root reads another's memory") }
        defer { close(memory) }
        let needle = Data(secret.utf8)
        var found = 0
        for line in maps.split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count > 1, parts[1].hasPrefix("rw") else { continue }
            let bounds = parts[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
            guard bounds.count == 2 else { continue }
            found += count(needle, memory, bounds[0]..<bounds[1])
        }
        return found
    }

    private func count(_ needle: Data, _ memory: Int32, _ range: Range<UInt64>) -> Int {
        let step = 1 << 20
        var found = 0
        var buffer = [UInt8](repeating: 0, count: step + needle.count - 1)
        for start in stride(from: range.lowerBound, to: range.upperBound, by: step) {
            let wanted = min(buffer.count, Int(range.upperBound - start))
            // Guard pages and what was unmapped meanwhile cannot be read.
            let count = pread(memory, &buffer, wanted, off_t(start))
            guard count > 0 else { continue }
            let data = Data(buffer.prefix(count))
            var rest = data.startIndex..<data.endIndex
            while let hit = data.range(of: needle, in: rest) {
                if hit.lowerBound < step { found += 1 }
                rest = hit.upperBound..<data.endIndex
            }
        }
        return found
    }
}

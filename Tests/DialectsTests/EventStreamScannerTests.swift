import Dialects
import Domain
import Testing

@Suite struct EventStreamScannerTests {
    struct Event: Equatable, CustomStringConvertible {
        let name: String
        let data: String
        var description: String { "\(name)|\(data)" }
    }

    /// Feeds the chunks; gives the events, and the bytes that the events covered.
    private func scan(_ chunks: [[UInt8]], limit: Int = 4_096) throws -> (events: [Event], covered: [UInt8]) {
        var scanner = EventStreamScanner(eventBytesMost: limit)
        var seen: (events: [Event], covered: [UInt8]) = ([], [])
        for chunk in chunks {
            try lend(chunk) { (lent) throws(StreamFault) in
                try scanner.scan(lent, for: &seen) { seen, event in
                    seen.events.append(Event(name: text(Array(event.name)), data: text(Array(event.data))))
                    seen.covered += Array(event.held) + Array(lent[event.range])
                }
            }
        }
        scanner.finish(for: &seen) { seen, event in
            seen.events.append(Event(name: text(Array(event.name)), data: text(Array(event.data))))
            seen.covered += Array(event.held)
        }
        return seen
    }

    private func split(_ bytes: [UInt8], _ generator: inout SplitMix) -> [[UInt8]] {
        var chunks: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Int.random(in: 0...min(rest.count, 9), using: &generator)
            chunks.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return chunks
    }

    @Test(arguments: [
        ("data: a\n\ndata: b\n\n", ["|a", "|b"]),
        ("data: a\r\n\r\ndata: b\r\n\r\n", ["|a", "|b"]),
        ("data: a\r\rdata: b\r\r", ["|a", "|b"]),
        ("data: a\r\n\ndata: b\n\r\n", ["|a", "|b"]),
        ("data:a\n\n", ["|a"]),
        ("data:  a \n\n", ["| a "]),
        ("data\n\n", ["|"]),
        ("data: a\ndata: b\ndata:\ndata: c\n\n", ["|a\nb\n\nc"]),
        ("data:\ndata:\n\n", ["|\n"]),
        ("event: ping\ndata: {}\n\n", ["ping|{}"]),
        ("data: {}\nevent:ping\nid: 7\nretry: 10\n\n", ["ping|{}"]),
        (": OPENROUTER PROCESSING\n\ndata: a\n\n", ["|", "|a"]),
        ("data: a\n: comment\n\n", ["|a"]),
        ("dataset: no\nevents: no\ndata: a\n\n", ["|a"]),
        ("data: a\n\ndata: last", ["|a", "|last"]),
        ("data: last\n", ["|last"]),
        ("data: last\r", ["|last"]),
        ("\u{feff}data: a\n\n", ["|a"]),
        ("data: \u{feff}é€𝄞\n\n", ["|\u{feff}é€𝄞"]),
        ("\n\n", ["|", "|"]),
        ("", []),
    ])
    func `the forms of an event are understood, whole and byte by byte`(
        stream: String, expected: [String]
    ) throws {
        let bytes = Array(stream.utf8)
        let whole = try scan([bytes])
        #expect(whole.events.map(\.description) == expected)
        #expect(whole.covered == bytes)
        let single = try scan(bytes.map { [$0] })
        #expect(single.events == whole.events)
        #expect(single.covered == bytes)
    }

    @Test func `random streams in random splits give the same events`() throws {
        let seed: UInt64 = 9_812
        var generator = SplitMix(seed: seed)
        let pieces = [
            "data: ", "data:", "data", "event: ", "event:x", ":", "é", "𝄞", "\n", "\n", "\r", "\r\n", "\r\n",
            "a", " ",
            "\u{feff}",
        ]
        for round in 0..<4_000 {
            let stream = (0..<Int.random(in: 0...24, using: &generator)).compactMap { _ in
                pieces.randomElement(using: &generator)
            }.joined()
            let bytes = Array(stream.utf8)
            let whole = try scan([bytes])
            #expect(whole.covered == bytes, "seed \(seed) round \(round): \(stream.debugDescription)")
            let parts = try scan(split(bytes, &generator))
            #expect(parts.events == whole.events, "seed \(seed) round \(round): \(stream.debugDescription)")
            #expect(parts.covered == bytes, "seed \(seed) round \(round): \(stream.debugDescription)")
        }
    }

    @Test func `whole events lie in their chunk and are not kept`() throws {
        var scanner = EventStreamScanner()
        var seen: (held: Int, ranges: [Range<Int>]) = (-1, [])
        try lend("data: a\n\ndata: b\n\nda") { (lent) throws(StreamFault) in
            try scanner.scan(lent, for: &seen) { seen, event in
                seen.held = max(seen.held, event.held.count)
                seen.ranges.append(event.range)
            }
        }
        #expect(seen.held == 0)
        #expect(seen.ranges == [0..<9, 9..<18])
    }

    @Test func `an event over the limit ends the stream`() throws {
        let long = Array("data: \(String(repeating: "x", count: 100))\n\n".utf8)
        #expect(try scan([long], limit: 108).events.count == 1)
        #expect(throws: StreamFault.eventTooLarge(limit: 107)) { try scan([long], limit: 107) }
        #expect(throws: StreamFault.eventTooLarge(limit: 50)) { try scan(long.map { [$0] }, limit: 50) }
        // Many events in one chunk are no large event.
        let many = Array(repeating: Array("data: x\n\n".utf8), count: 100).flatMap(\.self)
        #expect(try scan([many], limit: 20).events.count == 100)
    }
}

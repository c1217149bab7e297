import Dialects
import Domain
import Testing

@Suite struct AWSEventStreamTests {
    /// A copy of what a message said.
    private struct Seen: Hashable {
        var type = ""
        var event = ""
        var exception = ""
        var errorCode = ""
        var errorMessage = ""
        var payload = ""
    }

    private struct Reading {
        var stream = AWSEventStream()
        var seen: [Seen] = []

        mutating func feed(_ chunk: some Sequence<UInt8>) throws {
            var stream = stream
            var seen = seen
            try lend(Array(chunk)) { (lent) throws(StreamFault) in
                try stream.read(lent, for: &seen) { (seen, message) throws(StreamFault) in
                    func copy(_ bytes: UnsafeRawBufferPointer) -> String {
                        String(decoding: bytes, as: UTF8.self)
                    }
                    seen.append(
                        Seen(
                            type: copy(message.type), event: copy(message.event),
                            exception: copy(message.exception), errorCode: copy(message.errorCode),
                            errorMessage: copy(message.errorMessage), payload: copy(message.payload)))
                }
            }
            self.stream = stream
            self.seen = seen
        }
    }

    private func seen(_ bytes: [UInt8]) throws -> [Seen] {
        var reading = Reading()
        try reading.feed(bytes)
        #expect(reading.stream.isBetweenMessages)
        return reading.seen
    }

    /// The messages of botocore's own tests (tests/unit/test_eventstream.py), in hexadecimal.
    private static let vectors = [
        "000000100000000005c248eb7d98c8ff",
        "000000170000000729860158" + "0462797465" + "02ff" + "c2f869dc",
        "0000001900000009710e923e" + "0573686f7274" + "03ffff" + "b27cb6cc",
        "0000001d0000000d83e3f0e7" + "07696e7465676572" + "04ffffffff" + "8b8e12eb",
        "0000001e0000000e5d4adb8d" + "046c6f6e67" + "05ffffffffffffffff" + "4bc232da",
        "0000001d00000000fd528c5a" + "7b27666f6f273a27626172277d" + "c3653936",
        "0000003d0000002007fd8396" + "0c636f6e74656e742d74797065070010"
            + "6170706c69636174696f6e2f6a736f6e" + "7b27666f6f273a27626172277d" + "8d9c08b1",
        "000000620000005203b5cb9c" + "013000" + "013101" + "01320202" + "0133030003" + "01340400000004"
            + "0135050000000000000005" + "013606" + "00056279746573" + "013707000475746638"
            + "0138080000000000000008" + "01390930313233343536373839616263646566" + "63353671",
        "0000005200000042bf23637e" + "0d3a6d6573736167652d747970650700056572726f72"
            + "0b3a6572726f722d636f6465070004636f6465" + "0e3a6572726f722d6d6573736167650700076d657373616765"
            + "6b6cea3d",
    ].map(bytes)

    private static func bytes(_ hexadecimal: String) -> [UInt8] {
        let digits = hexadecimal.utf8.compactMap { hexadecimalValue(of: $0) }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    @Test func `the AWS SDK's own messages are read, with headers of every type`() throws {
        let payload = "{'foo':'bar'}"
        let all = try seen(Self.vectors.flatMap { $0 })
        #expect(
            all == [
                Seen(), Seen(), Seen(), Seen(), Seen(), Seen(payload: payload), Seen(payload: payload),
                Seen(),
                Seen(type: "error", errorCode: "code", errorMessage: "message"),
            ])
        for vector in Self.vectors { #expect(try seen(vector).count == 1) }
    }

    @Test func `what the test's encoder writes is what the SDK's messages are`() {
        let text = AWSEventStreamEncoder.message(
            [("content-type", .text("application/json"))], Array("{'foo':'bar'}".utf8))
        #expect(text == Self.vectors[6])
        let every = AWSEventStreamEncoder.message([
            ("0", .flag(true)), ("1", .flag(false)), ("2", .number(type: 2, bytes: [2])),
            ("3", .number(type: 3, bytes: AWSEventStreamEncoder.big(UInt16(3)))),
            ("4", .number(type: 4, bytes: AWSEventStreamEncoder.big(UInt32(4)))),
            ("5", .number(type: 5, bytes: AWSEventStreamEncoder.big(UInt64(5)))),
            ("6", .bytes(Array("bytes".utf8))), ("7", .text("utf8")),
            ("8", .number(type: 8, bytes: AWSEventStreamEncoder.big(UInt64(8)))),
            ("9", .number(type: 9, bytes: Array("0123456789abcdef".utf8))),
        ])
        #expect(every == Self.vectors[7])
    }

    @Test func `a stream cut at every byte gives the same messages`() throws {
        let stream = Self.vectors.flatMap { $0 } + AWSEventStreamEncoder.event("messageStart", "{}")
        let whole = try seen(stream)
        for cut in 0...stream.count {
            var reading = Reading()
            try reading.feed(stream[..<cut])
            try reading.feed(stream[cut...])
            #expect(reading.seen == whole, "cut at \(cut)")
        }
        var bytewise = Reading()
        for byte in stream { try bytewise.feed([byte]) }
        #expect(bytewise.seen == whole)
        #expect(bytewise.stream.isBetweenMessages)
    }

    @Test func `every flipped bit is found`() throws {
        let message = AWSEventStreamEncoder.event("contentBlockDelta", #"{"delta":{"text":"Hi"}}"#)
        for position in message.indices {
            for bit in 0..<8 {
                var broken = message
                broken[position] ^= 1 << bit
                #expect(throws: StreamFault.self, "byte \(position), bit \(bit)") { try seen(broken) }
                // Byte by byte too: a broken length must not make anybody wait.
                #expect(throws: StreamFault.self, "byte \(position), bit \(bit), bytewise") {
                    var reading = Reading()
                    for byte in broken { try reading.feed([byte]) }
                }
            }
        }
    }

    /// A message of these lengths whose checksums are right.
    private func message(total: UInt32, headers: UInt32, rest: [UInt8]) -> [UInt8] {
        var out = AWSEventStreamEncoder.big(total) + AWSEventStreamEncoder.big(headers)
        out += AWSEventStreamEncoder.big(AWSEventStreamEncoder.crc32(out))
        out += rest
        return out + AWSEventStreamEncoder.big(AWSEventStreamEncoder.crc32(out))
    }

    @Test func `lengths that cannot be are refused although their checksum is right`() {
        for (total, headers) in [(0, 0), (12, 0), (15, 0), (16, 1), (20, 5), (20, UInt32.max)]
            as [(UInt32, UInt32)]
        {
            #expect(throws: StreamFault.brokenFrame, "\(total), \(headers)") {
                try seen(message(total: total, headers: headers, rest: [0, 0, 0, 0]))
            }
        }
        #expect(throws: StreamFault.brokenFrame) {
            try seen(message(total: 1 << 20, headers: 131_073, rest: []))
        }
        #expect(throws: StreamFault.eventTooLarge(limit: 16 << 20)) {
            try seen(message(total: 16 << 20 + 1, headers: 0, rest: []))
        }
    }

    @Test func `the limit is the longest message`() throws {
        var reading = Reading(stream: AWSEventStream(messageBytesMost: 20))
        try reading.feed(AWSEventStreamEncoder.message([], [1, 2, 3, 4]))
        #expect(reading.seen.count == 1)
        #expect(throws: StreamFault.eventTooLarge(limit: 20)) {
            try reading.feed(AWSEventStreamEncoder.message([], [1, 2, 3, 4, 5]))
        }
    }

    @Test(
        arguments: [
            [0], [0, 0], [1, 65], [1, 65, 10], [1, 65, 2], [1, 65, 3, 0], [1, 65, 5, 0, 0], [1, 65, 7],
            [1, 65, 7, 0],
            [1, 65, 7, 0, 2, 66], [1, 65, 6, 255, 255], [1, 65, 9, 1], [200, 65, 0],
            // The same name twice.
            [1, 65, 0, 1, 65, 1],
        ] as [[UInt8]])
    func `headers that do not add up are refused`(headers: [UInt8]) {
        #expect(throws: StreamFault.brokenFrame) {
            try seen(
                message(total: UInt32(16 + headers.count), headers: UInt32(headers.count), rest: headers))
        }
    }

    @Test func `headers that matter must be texts, and there may not be too many`() {
        #expect(throws: StreamFault.brokenFrame) {
            try seen(AWSEventStreamEncoder.message([(":message-type", .flag(true))]))
        }
        #expect(throws: StreamFault.brokenFrame) {
            try seen(AWSEventStreamEncoder.message((0..<65).map { ("h\($0)", .flag(true)) }))
        }
    }

    @Test func `random bytes behind a right prelude never crash it`() throws {
        let seed: UInt64 = 0xbed_0001
        var random = SplitMix(seed: seed)
        var accepted = 0
        for _ in 0..<4_000 {
            let length = Int(random.next() % 60)
            let headers = Int(random.next() % UInt64(length + 1))
            let rest = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next() % 12) }
            let bytes = message(total: UInt32(16 + length), headers: UInt32(headers), rest: rest)
            if let seen = try? seen(bytes) { accepted += seen.count }
        }
        #expect(accepted > 0 && accepted < 4_000, "seed \(seed)")
    }
}

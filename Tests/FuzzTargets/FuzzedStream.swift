import Dialects

/// Streams are cut into chunks by networks: however it is done, the same must come out.
enum FuzzedStream {
    static let eventSeeds = [
        "\u{7}event: message_start\ndata: {\"a\":1}\n\ndata: x\r\ndata: y\r\n\r\n: keep alive\n\nid: 3\rdata: z\r\r",
        "\u{1}data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\ndata: [DONE]\n\n",
    ].map { Array($0.utf8) }

    static let frameSeeds: [[UInt8]] = [
        [9, 13] + Array(":message-type".utf8) + [7, 0, 5] + Array("event{}".utf8),
        [3, 11] + Array(":event-type".utf8) + [7, 0, 12] + Array("messageStart{\"role\":\"assistant\"}".utf8),
    ]

    private struct Found: Equatable {
        var events: [[[UInt8]]] = []
        var bytes = 0
    }

    /// The first byte says how long the chunks are.
    static func events(_ input: UnsafeRawBufferPointer) {
        guard let size = input.first.map({ Int($0) + 1 }) else { return }
        let stream = Array(input.dropFirst())
        let whole = scan([stream])
        let cut = scan(chunks(of: stream, size))
        must(whole.fault == cut.fault, "a fault depends on the chunks")
        guard whole.fault == nil else { return }
        // A CR at the end waits for what follows: whole or cut, that is the same.
        must(whole.found.events == cut.found.events, "events depend on the chunks")
        must(whole.found.bytes == cut.found.bytes, "bytes are lost between chunks")
    }

    private static func scan(_ chunks: [[UInt8]]) -> (found: Found, fault: StreamFault?) {
        var scanner = EventStreamScanner(eventBytesMost: 4_096)
        var found = Found()
        for chunk in chunks {
            do throws(StreamFault) {
                try chunk.span.bytes.withUnsafeBytes { (bytes) throws(StreamFault) in
                    try scanner.scan(bytes, for: &found) { found, event in
                        must(
                            event.range.lowerBound >= 0 && event.range.upperBound <= bytes.count,
                            "a range outside")
                        found.events.append([Array(event.name), Array(event.data)])
                        found.bytes += event.held.count + event.range.count
                    }
                }
            } catch {
                return (found, error)
            }
        }
        return (found, nil)
    }

    /// First as the input lies there, then as a message with right checksums: else no mutation would get past them. The
    /// first byte says how long the chunks are.
    static func frames(_ input: UnsafeRawBufferPointer) {
        guard let size = input.first.map({ Int($0) + 1 }) else { return }
        let rest = Array(input.dropFirst())
        compareFrames(rest, size)
        // The first header's whole length, as it calls itself.
        let split = min(
            rest.count,
            3 + Int(rest.first ?? 0) + 2 + Int(rest.dropFirst(Int(rest.first ?? 0) + 3).first ?? 0))
        compareFrames(message(headers: rest[..<split], payload: rest[split...]), size)
        compareFrames(
            message(headers: rest[...], payload: []) + message(headers: [], payload: rest[...]), size)
    }

    private static func compareFrames(_ stream: [UInt8], _ size: Int) {
        let whole = read([stream])
        let cut = read(chunks(of: stream, size))
        must((whole.fault == nil) == (cut.fault == nil), "a fault depends on the chunks")
        must(whole.found == cut.found, "messages depend on the chunks")
    }

    private static func read(_ chunks: [[UInt8]]) -> (found: Found, fault: StreamFault?) {
        var stream = AWSEventStream(messageBytesMost: 1 << 16)
        var found = Found()
        for chunk in chunks {
            do throws(StreamFault) {
                try chunk.span.bytes.withUnsafeBytes { (bytes) throws(StreamFault) in
                    try stream.read(bytes, for: &found) { (found, message) throws(StreamFault) in
                        found.events.append([
                            Array(message.type), Array(message.event), Array(message.exception),
                            Array(message.errorCode), Array(message.errorMessage), Array(message.payload),
                        ])
                        found.bytes += message.payload.count
                    }
                }
            } catch {
                return (found, error)
            }
        }
        return (found, nil)
    }

    private static func message(headers: ArraySlice<UInt8>, payload: ArraySlice<UInt8>) -> [UInt8] {
        var bytes = big(UInt32(16 + headers.count + payload.count)) + big(UInt32(headers.count))
        bytes += big(crc32(bytes))
        bytes += headers + payload
        return bytes + big(crc32(bytes))
    }

    private static func big(_ number: UInt32) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    /// CRC-32/ISO-HDLC, bit by bit: another way than the program's.
    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var crc = UInt32.max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        return ~crc
    }

    private static func chunks(of bytes: [UInt8], _ size: Int) -> [[UInt8]] {
        stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
    }
}

import Foundation

/// Writes messages of `application/vnd.amazon.eventstream`, apart from the decoder: its checksum goes bit by bit.
enum AWSEventStreamEncoder {
    /// A value of a header, with the number of its type.
    enum Value {
        case flag(Bool)
        case number(type: UInt8, bytes: [UInt8])
        case bytes([UInt8])
        case text(String)

        var encoded: [UInt8] {
            switch self {
            case .flag(let flag): [flag ? 0 : 1]
            case .number(let type, let bytes): [type] + bytes
            case .bytes(let bytes): [6] + big(UInt16(bytes.count)) + bytes
            case .text(let text): [7] + big(UInt16(text.utf8.count)) + Array(text.utf8)
            }
        }
    }

    static func message(_ headers: [(String, Value)], _ payload: [UInt8] = []) -> [UInt8] {
        let head = headers.flatMap { [UInt8($0.0.utf8.count)] + Array($0.0.utf8) + $0.1.encoded }
        var out = big(UInt32(16 + head.count + payload.count)) + big(UInt32(head.count))
        out += big(crc32(out))
        out += head + payload
        return out + big(crc32(out))
    }

    static func event(_ name: String, _ payload: String) -> [UInt8] {
        message(
            [
                (":event-type", .text(name)), (":content-type", .text("application/json")),
                (":message-type", .text("event")),
            ], Array(payload.utf8))
    }

    static func exception(_ name: String, _ payload: String) -> [UInt8] {
        message(
            [
                (":exception-type", .text(name)), (":content-type", .text("application/json")),
                (":message-type", .text("exception")),
            ], Array(payload.utf8))
    }

    static func error(_ code: String, _ text: String) -> [UInt8] {
        message([
            (":message-type", .text("error")), (":error-code", .text(code)), (":error-message", .text(text)),
        ])
    }

    static func big(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var rest = UInt32.max
        for byte in bytes {
            rest ^= UInt32(byte)
            for _ in 0..<8 { rest = rest & 1 == 1 ? rest >> 1 ^ 0xedb8_8320 : rest >> 1 }
        }
        return ~rest
    }
}

/// What the tests of Bedrock's format read.
enum BedrockFixture {
    static func text(_ name: String) throws -> String {
        String(decoding: try data(name), as: UTF8.self)
    }

    /// The messages of a stream whose fixture has one event a line: its type, a blank, its payload.
    static func messages(_ name: String) throws -> [[UInt8]] {
        try text(name).split(separator: "\n").map { line in
            let parts = line.split(separator: " ", maxSplits: 1)
            return AWSEventStreamEncoder.event(String(parts[0]), String(parts[1]))
        }
    }

    private static func data(_ name: String) throws -> Data {
        let folder = Bundle.module.url(forResource: "Fixtures", withExtension: nil)
        guard let folder else { throw CocoaError(.fileNoSuchFile) }
        return try Data(contentsOf: folder.appending(path: "translation/bedrock/\(name)"))
    }
}

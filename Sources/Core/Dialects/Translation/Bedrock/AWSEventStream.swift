/// Finds the messages in a binary stream of `application/vnd.amazon.eventstream`, however it is cut into chunks.
///
/// A message is: total length (4 bytes), length of the headers (4), CRC-32 of these eight bytes, headers, payload,
/// CRC-32 of all before it; numbers are big-endian (Smithy specification, "Amazon Event Stream Specification").
/// Both checksums are checked, the first as soon as it is there: a broken length is found before anybody waits for
/// as many bytes. Messages that lie whole in a chunk are read in place; only an unfinished one is kept.
public struct AWSEventStream {
    /// The longest message: the specification's limit for payloads, and more than any event of Bedrock.
    public static var messageBytesMost: Int { 16 << 20 }
    /// The most bytes of headers, as the specification says.
    static var headerBytesMost: Int { 128 << 10 }
    /// Lengths and their checksum.
    private static var preludeBytes: Int { 12 }
    /// A message without headers and payload: the prelude and the closing checksum.
    private static var messageBytesLeast: Int { 16 }

    /// The start of a message that is not finished yet.
    private var held: [UInt8] = []
    private let limit: Int

    public init(messageBytesMost limit: Int = Self.messageBytesMost) {
        self.limit = limit
    }

    /// Whether all bytes so far belonged to whole messages.
    public var isBetweenMessages: Bool { held.isEmpty }

    /// Reports each message that ends in this chunk, in order. After a throw the stream is of no further use.
    ///
    /// `reader` is lent to `visit`, so that stream and reader can be parts of one value.
    public mutating func read<Reader>(
        _ chunk: UnsafeRawBufferPointer, for reader: inout Reader,
        _ visit: (inout Reader, AWSEventMessage) throws(StreamFault) -> Void
    ) throws(StreamFault) {
        var position = try finishHeld(chunk, &reader, visit)
        while chunk.count - position >= Self.preludeBytes {
            let rest = UnsafeRawBufferPointer(rebasing: chunk[position...])
            let total = try checkedLength(rest)
            guard rest.count >= total else { break }
            try visit(&reader, try Self.message(UnsafeRawBufferPointer(rebasing: rest[..<total])))
            position += total
        }
        if position < chunk.count { held.append(contentsOf: chunk[position...]) }
    }

    /// Adds to the kept message what it still wants, and reports it once whole; how much of the chunk it took.
    private mutating func finishHeld<Reader>(
        _ chunk: UnsafeRawBufferPointer, _ reader: inout Reader,
        _ visit: (inout Reader, AWSEventMessage) throws(StreamFault) -> Void
    ) throws(StreamFault) -> Int {
        guard !held.isEmpty else { return 0 }
        var taken = 0
        func take(upTo wanted: Int) -> Bool {
            let more = min(wanted - held.count, chunk.count - taken)
            if more > 0 {
                held.append(contentsOf: chunk[taken..<taken + more])
                taken += more
            }
            return held.count >= wanted
        }
        guard take(upTo: Self.preludeBytes) else { return taken }
        let total = try held.lent { (bytes) throws(StreamFault) in try checkedLength(bytes) }
        guard take(upTo: total) else { return taken }
        let whole = held
        held = []
        try whole.lent { (bytes) throws(StreamFault) in try visit(&reader, try Self.message(bytes)) }
        return taken
    }

    /// The length of the message that begins here, once its prelude is known to be right.
    private func checkedLength(_ bytes: UnsafeRawBufferPointer) throws(StreamFault) -> Int {
        guard AWSChecksum.crc32(bytes[..<8]) == bytes.number(at: 8) else { throw .brokenFrame }
        let total = Int(bytes.number(at: 0))
        let headers = Int(bytes.number(at: 4))
        guard total <= limit else { throw .eventTooLarge(limit: limit) }
        guard total >= Self.messageBytesLeast, headers <= total - Self.messageBytesLeast,
            headers <= Self.headerBytesMost
        else { throw .brokenFrame }
        return total
    }

    private static func message(_ bytes: UnsafeRawBufferPointer) throws(StreamFault) -> AWSEventMessage {
        let end = bytes.count - 4
        guard AWSChecksum.crc32(bytes[..<end]) == bytes.number(at: end) else { throw .brokenFrame }
        let payloadStart = preludeBytes + Int(bytes.number(at: 4))
        var message = AWSEventMessage(payload: UnsafeRawBufferPointer(rebasing: bytes[payloadStart..<end]))
        try message.readHeaders(UnsafeRawBufferPointer(rebasing: bytes[preludeBytes..<payloadStart]))
        return message
    }
}

/// One message of an AWS event stream, lent for the duration of the call that reports it.
public struct AWSEventMessage {
    /// `:message-type`: `event`, `exception` or `error`; these and the following are empty where the header is missing.
    public private(set) var type = UnsafeRawBufferPointer(start: nil, count: 0)
    /// `:event-type`, the kind of an `event`.
    public private(set) var event = UnsafeRawBufferPointer(start: nil, count: 0)
    /// `:exception-type`, the kind of an `exception`.
    public private(set) var exception = UnsafeRawBufferPointer(start: nil, count: 0)
    /// `:error-code` of an `error`.
    public private(set) var errorCode = UnsafeRawBufferPointer(start: nil, count: 0)
    /// `:error-message` of an `error`.
    public private(set) var errorMessage = UnsafeRawBufferPointer(start: nil, count: 0)
    /// What it says; JSON for Bedrock.
    public let payload: UnsafeRawBufferPointer

    /// Bedrock sends three; more than this would only cost time.
    private static var headersMost: Int { 64 }

    init(payload: UnsafeRawBufferPointer) { self.payload = payload }

    /// Reads all headers: name length (1 byte), name, type (1 byte), value. Those named above must be texts, and none
    /// may come twice.
    mutating func readHeaders(_ bytes: UnsafeRawBufferPointer) throws(StreamFault) {
        var position = 0
        var names: [UnsafeRawBufferPointer] = []
        while position < bytes.count {
            let nameEnd = position + 1 + Int(bytes[position])
            guard nameEnd > position + 1, nameEnd < bytes.count, names.count < Self.headersMost else {
                throw .brokenFrame
            }
            let name = UnsafeRawBufferPointer(rebasing: bytes[position + 1..<nameEnd])
            guard !names.contains(where: { $0.elementsEqual(name) }) else { throw .brokenFrame }
            names.append(name)
            let value = try Self.value(bytes, at: nameEnd)
            guard value.upperBound <= bytes.count else { throw .brokenFrame }
            try keep(
                name, UnsafeRawBufferPointer(rebasing: bytes[value]), isText: bytes[nameEnd] == Self.textType)
            position = value.upperBound
        }
    }

    private static let textType: UInt8 = 7

    /// Where the value lies whose type byte is at `position`; may reach behind the end.
    private static func value(
        _ bytes: UnsafeRawBufferPointer, at position: Int
    ) throws(StreamFault) -> Range<Int> {
        let start = position + 1
        switch bytes[position] {
        case 0, 1: return start..<start  // true, false
        case 2: return start..<start + 1  // 8 bits
        case 3: return start..<start + 2  // 16 bits
        case 4: return start..<start + 4  // 32 bits
        case 5, 8: return start..<start + 8  // 64 bits, a moment
        case 6, textType:  // bytes, a text: their length comes first
            guard start + 2 <= bytes.count else { throw .brokenFrame }
            let length = Int(bytes[start]) << 8 | Int(bytes[start + 1])
            return start + 2..<start + 2 + length
        case 9: return start..<start + 16  // a UUID
        default: throw .brokenFrame
        }
    }

    private mutating func keep(
        _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, isText: Bool
    ) throws(StreamFault) {
        let field: WritableKeyPath<Self, UnsafeRawBufferPointer>
        if bytesEqual(name, ":message-type") {
            field = \.type
        } else if bytesEqual(name, ":event-type") {
            field = \.event
        } else if bytesEqual(name, ":exception-type") {
            field = \.exception
        } else if bytesEqual(name, ":error-code") {
            field = \.errorCode
        } else if bytesEqual(name, ":error-message") {
            field = \.errorMessage
        } else {
            return
        }
        guard isText else { throw .brokenFrame }
        self[keyPath: field] = value
    }
}

/// CRC-32/ISO-HDLC, the checksum of AWS event streams (IEEE polynomial, reflected: 0xEDB88320).
enum AWSChecksum {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { rest, _ in rest & 1 == 1 ? 0xedb8_8320 ^ rest >> 1 : rest >> 1 }
    }

    static func crc32(_ bytes: Slice<UnsafeRawBufferPointer>) -> UInt32 {
        table.withUnsafeBufferPointer { table in
            var rest = UInt32.max
            for byte in UnsafeRawBufferPointer(rebasing: bytes) {
                rest = table[Int(UInt8(truncatingIfNeeded: rest) ^ byte)] ^ rest >> 8
            }
            return ~rest
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The big-endian number of four bytes here.
    fileprivate func number(at position: Int) -> UInt32 {
        UInt32(bigEndian: loadUnaligned(fromByteOffset: position, as: UInt32.self))
    }
}

extension [UInt8] {
    /// Lends the bytes to a closure whose error type is kept.
    fileprivate func lent<Result>(
        _ body: (UnsafeRawBufferPointer) throws(StreamFault) -> Result
    ) throws(StreamFault) -> Result {
        try span.bytes.withUnsafeBytes(body)
    }
}

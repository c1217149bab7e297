internal import NIOCore
internal import NIOHTTP1

/// Knows whether the bytes read so far end exactly where the response ends.
///
/// The decoder tells when a message is complete, but not whether bytes followed it: it swallows stray line ends
/// and begins on the next message. A connection with anything behind a response must not be used again, so this
/// compares where the last piece of the body ends with where the bytes read end (counted bodies), or looks at the
/// last bytes themselves (`0 CRLF CRLF` of RFC 9112 section 7.1). Whatever it is unsure of is not exact.
struct ResponseFraming {
    private enum Body {
        case none
        case counted(Int)
        case chunked
        case untilClose
    }

    private var body = Body.untilClose
    /// The last eight bytes read, the latest in the low byte.
    private var tail: UInt64 = 0
    /// Addresses are compared only, never followed.
    private var readEnd: UInt = 0
    private var bodyEnd: UInt = 0

    /// Takes note of bytes about to be decoded.
    mutating func reads(_ buffer: ByteBuffer) {
        buffer.withUnsafeReadableBytes { bytes in
            for byte in bytes.suffix(8) { tail = tail << 8 | UInt64(byte) }
            readEnd = UInt(bitPattern: bytes.baseAddress) &+ UInt(bytes.count)
        }
    }

    mutating func head(_ head: HTTPResponseHead) {
        let status = head.status.code
        if status == 204 || status == 304 {
            body = .none
        } else if head.headers.contains(name: "transfer-encoding") {
            let codings = head.headers["transfer-encoding"]
            body =
                codings.count == 1 && codings[0].utf8.elementsEqual("chunked".utf8) ? .chunked : .untilClose
        } else if let text = head.headers.first(name: "content-length"), let length = Int(text) {
            body = length == 0 ? .none : .counted(length)
        } else {
            body = .untilClose
        }
    }

    mutating func bodyPiece(_ buffer: ByteBuffer) {
        buffer.withUnsafeReadableBytes { bytes in
            bodyEnd = UInt(bitPattern: bytes.baseAddress) &+ UInt(bytes.count)
        }
    }

    /// Whether nothing follows the message that the decoder just called complete.
    var isExact: Bool {
        switch body {
        case .none: tail & 0xffff_ffff == 0x0d0a_0d0a && tail >> 32 & 0xff != 0x0a
        case .counted: readEnd == bodyEnd
        case .chunked: tail & 0xff_ffff_ffff == 0x30_0d0a_0d0a
        case .untilClose: false
        }
    }
}

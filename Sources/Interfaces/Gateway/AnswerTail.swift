import Dialects
import Domain
import NIOCore

/// The last bytes of an answer that is too large to be kept: its usage stands there.
struct AnswerTail {
    private static let bytesMost = 16 << 10

    private var bytes = ByteBuffer()

    mutating func append(_ piece: ByteBuffer) {
        bytes.writeImmutableBuffer(piece)
        guard bytes.readableBytes > 2 * Self.bytesMost else { return }
        let slice = bytes.getSlice(at: bytes.writerIndex - Self.bytesMost, length: Self.bytesMost) ?? bytes
        // Copies the slice, so that the large buffer behind it is let go.
        bytes = ByteBuffer(bytes: slice.readableBytesView)
    }

    /// The last `usage` member, read as an object of its own.
    func usage(as dialect: Dialect) -> Usage? {
        let view = bytes.readableBytesView
        let needle = Array("\"usage\"".utf8)
        guard view.count >= needle.count else { return nil }
        let last = (0...(view.count - needle.count)).last { offset in
            view[(view.startIndex + offset)...].starts(with: needle)
        }
        guard let last else { return nil }
        let object = Array("{".utf8) + view[(view.startIndex + last)...]
        return object.withUnsafeBytes { UnaryReader.usage(in: $0, as: dialect) }
    }
}

import Dialects
import Domain
import NIOCore

/// A provider's stream on its way to the caller, as it is or said anew.
///
/// Either way of following a stream tells the same; asked piece by piece, as the facts are large to hand around.
struct FollowedStream {
    private var reader: StreamReader
    /// Follows it instead of the reader, where it is said anew.
    private var translated: TranslatedStream?

    /// - Parameter format: the provider's; nil where it is the caller's own.
    init(from format: WireFormat?, of call: CallExchange) {
        reader = StreamReader(dialect: call.dialect, dropsUsage: !call.fields.callerAskedForUsage)
        translated = format.map { Translator.stream(from: $0, to: call.dialect, in: call.answerContext) }
    }

    var fault: UpstreamError? { translated.map { $0.fault } ?? reader.answer.fault }
    var ended: Bool { translated?.ended ?? reader.answer.ended }
    var sawContent: Bool { translated?.sawContent ?? reader.answer.sawContent }
    /// Pieces of content so far.
    var deltas: Int64 { translated?.deltas ?? reader.answer.deltas }
    /// What the provider reported so far.
    var usage: Usage? { translated.map { $0.usage } ?? reader.answer.usage }
    /// Of the event that would be next, where the caller's format numbers them; else 0.
    var nextSequenceNumber: Int64 { translated?.nextSequenceNumber ?? reader.answer.nextSequenceNumber }

    /// The provider's figures where they are its last word, else what was counted: a stream that was cut or left has
    /// used its input and the pieces that came.
    func settledUsage(inputEstimate: Int64) -> (usage: Usage, source: UsageSource) {
        translated?.settledUsage(inputEstimate: inputEstimate)
            ?? reader.answer.settledUsage(inputEstimate: inputEstimate)
    }

    /// Reads a piece; appends what goes to the caller, whole events only.
    mutating func read(_ piece: ByteBuffer, into out: inout ByteBuffer) throws(StreamFault) {
        guard translated == nil else { return try translate(piece, into: &out) }
        try piece.withUnsafeReadableBytes { bytes in
            Result { () throws(StreamFault) in
                try reader.read(bytes) { kept in
                    switch kept {
                    case .held(let earlier): out.writeBytes(earlier)
                    case .part(let range): out.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[range]))
                    }
                }
            }
        }.get()
    }

    private mutating func translate(_ piece: ByteBuffer, into out: inout ByteBuffer) throws(StreamFault) {
        var events: [UInt8] = []
        defer { out.writeBytes(events) }
        try piece.withUnsafeReadableBytes { bytes in
            Result { () throws(StreamFault) in try translated?.read(bytes, into: &events) }
        }.get()
    }

    /// The connection ended.
    mutating func finish(into out: inout ByteBuffer) {
        guard translated == nil else {
            var events: [UInt8] = []
            translated?.finish(into: &events)
            out.writeBytes(events)
            return
        }
        reader.finish { kept in if case .held(let earlier) = kept { out.writeBytes(earlier) } }
    }
}

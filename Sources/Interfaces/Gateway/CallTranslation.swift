import Dialects
import Domain
import Engine
import NIOCore
import Providers

/// The translation of one call: its request is understood once, and said anew for each attempt whose provider speaks
/// another format; the answer comes back in the caller's words.
struct CallTranslation {
    let dialect: Dialect
    let context: AnswerContext
    /// The format of the attempt under way; nil where the bytes go as they are.
    private(set) var format: WireFormat?
    /// What was left out for it.
    private(set) var losses = Losses()
    /// The stream that is being followed, once it began.
    private(set) var stream: TranslatedStream?
    private var source: Translator.Source?

    init(dialect: Dialect, context: AnswerContext) {
        self.dialect = dialect
        self.context = context
    }

    /// Forgets the attempt before.
    mutating func reset() {
        format = nil
        losses = Losses()
        stream = nil
    }

    /// The body for an attempt in its provider's words; nil where that is the caller's own.
    mutating func request(
        for attempt: CallSession.Attempt, _ body: ByteBuffer
    ) throws(CallFailure) -> [UInt8]? {
        guard dialect.passage(to: attempt.provider.kind) == .translated,
            let format = ProviderList.chatFormat(of: attempt.provider.kind)
        else { return nil }
        let source = try read(body)
        let target = WireTarget(model: attempt.target.model.text, quirks: attempt.provider.quirks)
        do throws(TranslationRefusal) {
            let request = try Translator.request(source, in: format, for: target)
            self.format = format
            losses = request.losses
            return request.body
        } catch {
            throw error.failure
        }
    }

    private mutating func read(_ body: ByteBuffer) throws(CallFailure) -> Translator.Source {
        if let source { return source }
        let dialect = dialect
        let read = try body.withUnsafeReadableBytes { bytes in
            Result { () throws(CallFailure) in try Translator.read(bytes, as: dialect) }
        }.get()
        source = read
        return read
    }

    /// A whole answer in the caller's words; nil where the provider's is not what it should be.
    func answer(_ body: ByteBuffer) -> Translator.Answer? {
        guard let format, let source else { return nil }
        return body.withUnsafeReadableBytes {
            Translator.answer($0, from: format, to: dialect, of: source, in: context)
        }
    }

    /// Why a whole answer is none, where the provider says it there.
    func failure(in body: ByteBuffer) -> UpstreamError? {
        guard let format else { return nil }
        return body.withUnsafeReadableBytes { Translator.failure($0, from: format) }
    }

    /// Begins to follow the attempt's stream, if it has to be said anew.
    mutating func beginStream() {
        stream = format.map { Translator.stream(from: $0, to: dialect, in: context) }
    }

    mutating func read(_ piece: ByteBuffer, into out: inout ByteBuffer) throws(StreamFault) {
        var events: [UInt8] = []
        defer { out.writeBytes(events) }
        try piece.withUnsafeReadableBytes { bytes in
            Result { () throws(StreamFault) in try stream?.read(bytes, into: &events) }
        }.get()
    }

    mutating func finish(into out: inout ByteBuffer) {
        var events: [UInt8] = []
        stream?.finish(into: &events)
        out.writeBytes(events)
    }
}

public import Domain

/// One streamed answer on its way from the provider's format into the caller's.
public struct TranslatedStream: StreamFacts {
    private var decoder: any StreamDecoder
    private var encoder: any StreamEncoder

    public private(set) var usage: Usage?
    public private(set) var usageIsFinal = false
    public private(set) var ended = false
    public private(set) var fault: UpstreamError?
    public private(set) var sawContent = false
    public private(set) var deltas: Int64 = 0
    public private(set) var contentBytes: Int64 = 0
    public var nextEventNumber: Int64 { encoder.nextEventNumber }

    init(_ decoder: any StreamDecoder, _ encoder: any StreamEncoder) {
        self.decoder = decoder
        self.encoder = encoder
    }

    /// Reads one chunk; appends what goes to the caller, whole events only.
    public mutating func read(
        _ chunk: UnsafeRawBufferPointer, into out: inout [UInt8]
    ) throws(StreamFault) {
        var pieces: [AnswerPiece] = []
        var decoder = decoder
        defer { self.decoder = decoder }
        try decoder.read(chunk) { pieces.append($0) }
        for piece in pieces { take(piece, into: &out) }
    }

    /// The connection ended.
    public mutating func finish(into out: inout [UInt8]) {
        var pieces: [AnswerPiece] = []
        decoder.finish { pieces.append($0) }
        for piece in pieces { take(piece, into: &out) }
    }

    private mutating func take(_ piece: AnswerPiece, into out: inout [UInt8]) {
        guard fault == nil, !ended else { return }
        switch piece {
        case .began, .reasoningToken, .callEnded: break
        case .text(let text), .refusal(let text), .reasoning(let text), .callArguments(_, let text):
            count(text)
        case .hiddenReasoning(let token): count(token.text)
        case .callBegan(_, _, let name, _): count(name)
        case .stopped: sawContent = true
        case .usage(let found, let isFinal):
            usage = found
            usageIsFinal = isFinal
        case .ended: ended = true
        case .failed(let error):
            fault = error
            return
        }
        encoder.write(piece, into: &out)
    }

    private mutating func count(_ text: String) {
        guard !text.isEmpty else { return }
        sawContent = true
        deltas += 1
        contentBytes += Int64(text.utf8.count)
    }
}

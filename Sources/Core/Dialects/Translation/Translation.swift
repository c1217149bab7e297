public import Domain

/// A request that cannot be said in the other format: which field, and why. Becomes a 400.
public struct TranslationRefusal: Error, Hashable, Sendable {
    /// The caller's path to it, such as `messages[2].content[0].type`.
    public let field: String
    /// The end of "'FIELD' …", naming what to do.
    public let problem: String

    public init(_ field: String, _ problem: String) {
        self.field = field
        self.problem = problem
    }

    /// What the caller is told.
    public var failure: CallFailure {
        CallFailure(.invalidRequest, source: .caller, "'\(field)' \(problem)", field: field)
    }
}

/// The request's fields that were left out because the other format has no word for them and the answer does not
/// depend on them; the answer's head names them.
public struct Losses: Hashable, Sendable {
    /// A head must not grow with what a caller writes.
    public static var most: Int { 16 }

    /// The caller's names, each once, in the order met.
    public private(set) var fields: [String] = []

    public init() {}

    public mutating func note(_ field: String) {
        guard fields.count < Self.most, !fields.contains(field) else { return }
        fields.append(field)
    }
}

/// What an encoder of requests has to know of the place a request goes to.
public struct WireTarget: Hashable, Sendable {
    /// The model in the provider's words.
    public var model: String
    /// What the provider's chat completions want otherwise than OpenAI's.
    public var quirks: ChatQuirks

    public init(model: String, quirks: ChatQuirks = .openAI) {
        self.model = model
        self.quirks = quirks
    }
}

/// What an encoder of answers has to know of the call.
public struct AnswerContext: Hashable, Sendable {
    /// The gateway's id of the call; encoders put their format's prefix before it.
    public var id: String
    /// The model as the caller named it.
    public var model: String
    public var created: WallTime
    /// Whether the caller asked for usage in a stream.
    public var wantsStreamUsage: Bool
    /// What is supposed for the input until the provider's figure comes, for formats that begin with one.
    public var inputEstimate: Int64

    public init(
        id: String, model: String, created: WallTime, wantsStreamUsage: Bool = true, inputEstimate: Int64 = 0
    ) {
        self.id = id
        self.model = model
        self.created = created
        self.wantsStreamUsage = wantsStreamUsage
        self.inputEstimate = inputEstimate
    }
}

/// Reads the requests of a format that callers speak.
public protocol RequestDecoder {
    static func decode(
        _ request: JSONNode, losses: inout Losses
    ) throws(TranslationRefusal) -> Conversation
}

/// Writes requests in a format that providers speak. The model goes into the body only where the format has it there.
public protocol RequestEncoder {
    static func encode(
        _ conversation: Conversation, for target: WireTarget, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode
}

/// Reads the whole answers of a format that providers speak.
public protocol AnswerDecoder {
    /// nil where the body is not an answer of this format: then the provider is at fault.
    static func decode(_ answer: JSONNode) -> TranslatedAnswer?
}

/// Writes whole answers in a format that callers speak.
public protocol AnswerEncoder {
    static func encode(_ answer: TranslatedAnswer, in context: AnswerContext) -> [UInt8]
}

/// Reads the streams of a format that providers speak, however they are cut into chunks.
public protocol StreamDecoder {
    init()
    mutating func read(
        _ chunk: UnsafeRawBufferPointer, _ take: (AnswerPiece) -> Void
    ) throws(StreamFault)
    /// The connection ended: reports what is still held. Does not report `ended` unless the format's own end came.
    mutating func finish(_ take: (AnswerPiece) -> Void)
}

/// Writes streams in a format that callers speak.
public protocol StreamEncoder {
    init(_ context: AnswerContext)
    /// Appends the events that a piece becomes; whole events only. For `.failed` and for the cut of a stream nothing is
    /// written: the error frame is the gateway's (``ErrorEnvelope``).
    mutating func write(_ piece: AnswerPiece, into out: inout [UInt8])
    /// The number that the next event has, where the format numbers them; else 0.
    var nextEventNumber: Int64 { get }
}

extension StreamEncoder {
    public var nextEventNumber: Int64 { 0 }
}

/// A stream decoder for formats that come as server-sent events: the reader sees one event at a time.
public protocol EventReader {
    init()
    /// - Parameters:
    ///   - name: the `event` field; empty where there was none.
    ///   - data: the event's data, never empty.
    mutating func read(
        name: UnsafeRawBufferPointer, data: UnsafeRawBufferPointer, _ take: (AnswerPiece) -> Void)
}

/// Follows a stream of server-sent events for an ``EventReader``.
public struct EventStreamDecoder<Reader: EventReader>: StreamDecoder {
    private var scanner = EventStreamScanner()
    private var reader = Reader()

    public init() {}

    public mutating func read(
        _ chunk: UnsafeRawBufferPointer, _ take: (AnswerPiece) -> Void
    ) throws(StreamFault) {
        try scanner.scan(chunk, for: &reader) { reader, event in
            if !event.data.isEmpty { reader.read(name: event.name, data: event.data, take) }
        }
    }

    public mutating func finish(_ take: (AnswerPiece) -> Void) {
        scanner.finish(for: &reader) { reader, event in
            if !event.data.isEmpty { reader.read(name: event.name, data: event.data, take) }
        }
    }
}

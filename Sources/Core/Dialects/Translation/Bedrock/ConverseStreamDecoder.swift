import Domain

/// Reads the streams of Amazon Bedrock's ConverseStream, however they are cut into chunks.
///
/// Source: Amazon Bedrock API reference, "ConverseStream": `messageStart`, the content blocks, `messageStop`, and last
/// `metadata` with the usage. Event types that are not known are passed over; a payload that is not JSON breaks the
/// stream like a wrong checksum.
public struct ConverseStreamDecoder: StreamDecoder {
    private var messages = AWSEventStream()
    private var answer = ConverseEvents()

    public init() {}

    public mutating func read(
        _ chunk: UnsafeRawBufferPointer, _ take: (AnswerPiece) -> Void
    ) throws(StreamFault) {
        try messages.read(chunk, for: &answer) { (answer, message) throws(StreamFault) in
            try answer.read(message, take)
        }
    }

    public mutating func finish(_ take: (AnswerPiece) -> Void) {
        // A message that was cut in half means that the connection broke, whatever came before.
        if messages.isBetweenMessages { answer.finish(take) }
    }
}

/// What is known of a ConverseStream answer so far.
private struct ConverseEvents {
    private enum Phase {
        case content
        /// `messageStop` came; `metadata` may follow.
        case stopped
        /// The same, and the model's output is broken: the reason in the provider's words.
        case malformed(String)
        /// Nothing more is reported.
        case over
    }

    /// No model asks for as many tools at once.
    private static var openCallsMost: Int { 256 }
    /// A signature has a few kilobytes.
    private static var signatureBytesMost: Int { 1 << 20 }

    private var phase = Phase.content
    private var began = false
    /// From `contentBlockIndex` to the count of the call.
    private var openCalls: [Int64: Int] = [:]
    private var calls = 0
    /// The signature of the reasoning block being read; it may come in pieces.
    private var signature = ""
    private var sawReasoning = false

    mutating func read(_ message: AWSEventMessage, _ take: (AnswerPiece) -> Void) throws(StreamFault) {
        if case .over = phase { return }
        if bytesEqual(message.type, "exception") || bytesEqual(message.type, "error") {
            fail(ConverseFailure.read(message), take)
        } else if bytesEqual(message.event, "messageStart") {
            begin(take)
        } else if bytesEqual(message.event, "contentBlockStart") {
            startBlock(try Self.payload(message), take)
        } else if bytesEqual(message.event, "contentBlockDelta") {
            readDelta(try Self.payload(message), take)
        } else if bytesEqual(message.event, "contentBlockStop") {
            endBlock(Self.index(try Self.payload(message)), take)
        } else if bytesEqual(message.event, "messageStop") {
            stop(try Self.payload(message), take)
        } else if bytesEqual(message.event, "metadata") {
            readMetadata(try Self.payload(message), take)
        }
    }

    /// The connection ended in good order.
    mutating func finish(_ take: (AnswerPiece) -> Void) {
        end(take)
    }

    private static func payload(_ message: AWSEventMessage) throws(StreamFault) -> JSONNode {
        guard let node = try? JSONNode.read(message.payload) else { throw .brokenFrame }
        return node
    }

    private static func index(_ event: JSONNode) -> Int64 { event["contentBlockIndex"]?.whole ?? 0 }

    private mutating func begin(_ take: (AnswerPiece) -> Void) {
        guard !began else { return }
        began = true
        take(.began(id: nil))
    }

    private mutating func startBlock(_ event: JSONNode, _ take: (AnswerPiece) -> Void) {
        // A `type` marks a tool that the provider runs itself: nobody waits for it.
        guard case .content = phase, let use = event["start"]?["toolUse"], use["type"] == nil,
            let id = use["toolUseId"]?.text, let name = use["name"]?.text, openCalls[Self.index(event)] == nil
        else { return }
        begin(take)
        guard openCalls.count < Self.openCallsMost else {
            return fail(UpstreamError(message: "the model called too many tools at once"), take)
        }
        openCalls[Self.index(event)] = calls
        take(.callBegan(index: calls, id: id, name: name, signature: nil))
        calls += 1
    }

    private mutating func readDelta(_ event: JSONNode, _ take: (AnswerPiece) -> Void) {
        guard case .content = phase, let delta = event["delta"] else { return }
        begin(take)
        if let text = delta["text"]?.text {
            if !text.isEmpty { take(.text(text)) }
        } else if let input = delta["toolUse"]?["input"]?.text {
            if let call = openCalls[Self.index(event)], !input.isEmpty {
                take(.callArguments(index: call, input))
            }
        } else if let reasoning = delta["reasoningContent"] {
            readReasoning(reasoning, take)
        }
    }

    private mutating func readReasoning(_ delta: JSONNode, _ take: (AnswerPiece) -> Void) {
        if let text = delta["text"]?.text {
            guard !text.isEmpty else { return }
            sawReasoning = true
            take(.reasoning(text))
        } else if let hidden = delta["redactedContent"]?.text {
            take(.hiddenReasoning(OpaqueToken(hidden, of: .bedrockConverse)))
        } else if let piece = delta["signature"]?.text {
            guard signature.utf8.count + piece.utf8.count <= Self.signatureBytesMost else {
                return fail(
                    UpstreamError(message: "the signature of the model's reasoning is too long"), take)
            }
            signature += piece
        }
    }

    private mutating func endBlock(_ index: Int64, _ take: (AnswerPiece) -> Void) {
        guard case .content = phase else { return }
        endReasoning(take)
        if let call = openCalls.removeValue(forKey: index) { take(.callEnded(index: call)) }
    }

    private mutating func endReasoning(_ take: (AnswerPiece) -> Void) {
        defer { sawReasoning = false }
        guard !signature.isEmpty else { return }
        // A model may keep its reasoning to itself and still sign it; the token belongs to an empty text then.
        if !sawReasoning { take(.reasoning("")) }
        take(.reasoningToken(OpaqueToken(signature, of: .bedrockConverse)))
        signature = ""
    }

    private mutating func stop(_ event: JSONNode, _ take: (AnswerPiece) -> Void) {
        guard case .content = phase else { return }
        begin(take)
        endReasoning(take)
        for call in openCalls.values.sorted() { take(.callEnded(index: call)) }
        openCalls = [:]
        let reason = event["stopReason"]?.text ?? ""
        guard let meaning = ConverseStop.read(reason) else {
            phase = .malformed(reason)
            return
        }
        phase = .stopped
        take(.stopped(meaning, sequence: nil))
    }

    private mutating func readMetadata(_ event: JSONNode, _ take: (AnswerPiece) -> Void) {
        if let usage = ConverseUsage.read(event["usage"]) { take(.usage(usage, isFinal: true)) }
        end(take)
    }

    /// Says how it ended, once `messageStop` came.
    private mutating func end(_ take: (AnswerPiece) -> Void) {
        switch phase {
        case .content, .over: return
        case .stopped:
            phase = .over
            take(.ended)
        case .malformed(let reason): fail(ConverseFailure.malformed(reason), take)
        }
    }

    private mutating func fail(_ error: UpstreamError, _ take: (AnswerPiece) -> Void) {
        phase = .over
        take(.failed(error))
    }
}

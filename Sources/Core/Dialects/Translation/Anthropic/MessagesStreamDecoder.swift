import Domain

/// Reads the streams of Anthropic's messages, however they are cut into chunks.
public typealias MessagesStreamDecoder = EventStreamDecoder<MessagesEventReader>

/// What is known of a streamed answer of Anthropic's messages so far.
///
/// Source: Anthropic API reference, "Streaming messages". Every figure of the usage is cumulative; of several
/// `message_delta` events the last one's stop reason counts, so it is reported with `message_stop`. Blocks and deltas
/// that the gateway never asks for (citations, the provider's own tools) are passed over.
public struct MessagesEventReader: EventReader {
    private enum Block {
        case text
        /// The last signature that came replaces those before, as in the SDKs.
        case thinking(signature: String, sawText: Bool)
        /// `input` is what came whole with the block's start: servers that do not stream arguments write it there.
        case call(index: Int, input: String?)
        case other
    }

    private enum Event: String, CaseIterable {
        case error
        case start = "message_start"
        case blockStart = "content_block_start"
        case blockDelta = "content_block_delta"
        case blockStop = "content_block_stop"
        case delta = "message_delta"
        case stop = "message_stop"
    }

    /// The API has one block open at a time.
    private static var openBlocksMost: Int { 256 }

    private var began = false
    private var isOver = false
    private var open: [Int64: Block] = [:]
    private var calls = 0
    private var figures = AnthropicUsage()
    private var stop: StopReason?
    private var stopSequence: String?

    public init() {}

    public mutating func read(
        name: UnsafeRawBufferPointer, data: UnsafeRawBufferPointer, _ take: (AnswerPiece) -> Void
    ) {
        guard !isOver, !bytesEqual(name, "ping") else { return }
        guard let event = try? JSONNode.read(data) else {
            return fail(UpstreamError(message: "the stream holds an event that is not JSON"), take)
        }
        // The SDKs read the event's name; servers that send none have it in the data.
        let type = event["type"]?.text ?? String(decoding: name, as: UTF8.self)
        switch Event.allCases.first(where: { $0.rawValue.utf8.elementsEqual(type.utf8) }) {
        case .error: fail(UpstreamError.read(data), take)
        case .start: start(event["message"], take)
        case .blockStart: startBlock(Self.index(event), event["content_block"], take)
        case .blockDelta: readDelta(Self.index(event), event["delta"], take)
        case .blockStop: endBlock(Self.index(event), take)
        case .delta: readEnd(event, take)
        case .stop: finish(take)
        case nil: return
        }
    }

    private static func index(_ event: JSONNode) -> Int64 { event["index"]?.whole ?? 0 }

    private mutating func start(_ message: JSONNode?, _ take: (AnswerPiece) -> Void) {
        begin(id: message?["id"]?.text, take)
        readUsage(message?["usage"], isFinal: false, take)
    }

    private mutating func begin(id: String? = nil, _ take: (AnswerPiece) -> Void) {
        guard !began else { return }
        began = true
        take(.began(id: id))
    }

    private mutating func readUsage(_ usage: JSONNode?, isFinal: Bool, _ take: (AnswerPiece) -> Void) {
        guard MessagesUsage.overlay(usage, on: &figures) else { return }
        take(.usage(figures.disjoint, isFinal: isFinal))
    }

    // MARK: Blocks

    private mutating func startBlock(_ index: Int64, _ block: JSONNode?, _ take: (AnswerPiece) -> Void) {
        guard let block, open[index] == nil else { return }
        begin(take)
        guard open.count < Self.openBlocksMost else {
            return fail(UpstreamError(message: "the stream has too many blocks at once"), take)
        }
        switch MessagesBlock(block) {
        case .text:
            open[index] = .text
            write(text: block["text"], take)
        case .thinking:
            open[index] = .thinking(signature: block["signature"]?.text ?? "", sawText: false)
            write(reasoning: block["thinking"], of: index, take)
        case .redactedThinking:
            open[index] = .other
            if let token = MessagesSignature.read(native: block["data"]?.text) {
                take(.hiddenReasoning(token))
            }
        case .toolUse:
            startCall(index, block, take)
        case nil: open[index] = .other
        }
    }

    private mutating func startCall(_ index: Int64, _ block: JSONNode, _ take: (AnswerPiece) -> Void) {
        guard let id = block["id"]?.text, let name = block["name"]?.text else {
            return fail(UpstreamError(message: "the stream holds a tool call without id or name"), take)
        }
        let input = block["input"].flatMap { $0.members?.isEmpty == false ? $0.json : nil }
        open[index] = .call(index: calls, input: input)
        take(.callBegan(index: calls, id: id, name: name, signature: nil))
        calls += 1
    }

    private mutating func readDelta(_ index: Int64, _ delta: JSONNode?, _ take: (AnswerPiece) -> Void) {
        guard let delta, let block = open[index] else { return }
        switch block {
        case .text: write(text: delta["text"], take)
        case .thinking(_, let sawText):
            if let signature = delta["signature"]?.text {
                open[index] = .thinking(signature: signature, sawText: sawText)
            }
            write(reasoning: delta["thinking"], of: index, take)
        case .call(let call, _):
            guard let json = delta["partial_json"]?.text, !json.isEmpty else { return }
            open[index] = .call(index: call, input: nil)
            take(.callArguments(index: call, json))
        case .other: return
        }
    }

    private func write(text node: JSONNode?, _ take: (AnswerPiece) -> Void) {
        if let text = node?.text, !text.isEmpty { take(.text(text)) }
    }

    private mutating func write(
        reasoning node: JSONNode?, of index: Int64, _ take: (AnswerPiece) -> Void
    ) {
        guard let text = node?.text, !text.isEmpty, case .thinking(let signature, _) = open[index] else {
            return
        }
        open[index] = .thinking(signature: signature, sawText: true)
        take(.reasoning(text))
    }

    private mutating func endBlock(_ index: Int64, _ take: (AnswerPiece) -> Void) {
        switch open.removeValue(forKey: index) {
        case .thinking(let signature, let sawText):
            guard let token = MessagesSignature.read(native: signature) else { return }
            // Thinking may be kept from the caller and signed all the same; the token belongs to an empty text then.
            if !sawText { take(.reasoning("")) }
            take(.reasoningToken(token))
        case .call(let call, let input):
            if let input { take(.callArguments(index: call, input)) }
            take(.callEnded(index: call))
        case .text, .other, nil: return
        }
    }

    // MARK: The end

    private mutating func readEnd(_ event: JSONNode, _ take: (AnswerPiece) -> Void) {
        begin(take)
        if let reason = event["delta"]?["stop_reason"]?.text {
            stop = MessagesStop.read(reason)
            stopSequence = event["delta"]?["stop_sequence"]?.text
        }
        readUsage(event["usage"], isFinal: stop != nil, take)
    }

    private mutating func finish(_ take: (AnswerPiece) -> Void) {
        begin(take)
        for index in open.keys.sorted() { endBlock(index, take) }
        isOver = true
        take(.stopped(stop ?? .finished, sequence: stopSequence))
        take(.ended)
    }

    private mutating func fail(_ error: UpstreamError, _ take: (AnswerPiece) -> Void) {
        isOver = true
        take(.failed(error))
    }
}

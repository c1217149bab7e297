import Domain

/// Writes streams of Anthropic's messages.
///
/// Source: Anthropic API reference, "Streaming messages". A stream has one open block at a time, so what belongs to
/// another one than the open waits until that ends: tool calls that come in turns are written one after the other, the
/// waiting ones at once when it is theirs. `message_start` waits for the first piece that is content or usage, so that
/// it carries the input's figure where the provider begins with it. `message_delta` waits for the final usage or the
/// end.
///
/// A signature without a thought that comes last of all is left out: the last block of a message is what callers show as
/// its answer, and the API never ends one with thinking.
public struct MessagesStreamEncoder: StreamEncoder {
    /// The most bytes that wait in all; an answer's whole arguments have some kilobytes. A stream that would need more
    /// ends with an `error` event and nothing behind it.
    public static var heldBytesMost: Int { 1 << 20 }

    private struct Block {
        enum Kind { case text, thinking, call(Int), whole }

        let kind: Kind
        /// What stands in `content_block_start`.
        let start: JSONNode
        var isStarted = false
        /// Whether nothing more comes for it.
        var isClosed = false
        /// What waits: texts, reasoning or arguments, joined.
        var held = ""
        var signature: String?

        var deltaNames: (type: String, member: String) {
            switch kind {
            case .text, .whole: ("text_delta", "text")
            case .thinking: ("thinking_delta", "thinking")
            case .call: ("input_json_delta", "partial_json")
            }
        }
    }

    private enum Phase { case waiting, content, stopped, over }

    private let context: AnswerContext
    private var phase = Phase.waiting
    /// The first is the open one; the others wait.
    private var blocks: [Block] = []
    private var heldBytes = 0
    /// How many blocks ended: the index of the open one.
    private var written = 0
    private var hasCalls = false
    private var usage: Usage?
    private var usageIsFinal = false
    /// What `message_delta` says, until it is written.
    private var end: (stop: StopReason, sequence: String?)?

    public init(_ context: AnswerContext) {
        self.context = context
    }

    public mutating func write(_ piece: AnswerPiece, into out: inout [UInt8]) {
        if case .over = phase { return }
        switch piece {
        case .began: return
        case .failed: phase = .over
        case .usage(let usage, let isFinal):
            self.usage = usage
            usageIsFinal = isFinal
            begin(&out)
            if isFinal { writeEnd(&out) }
        case .stopped(let stop, let sequence):
            begin(&out)
            if let last = blocks.last, Self.isBare(last) { blocks.removeLast() }
            for position in blocks.indices { blocks[position].isClosed = true }
            advance(&out)
            guard case .content = phase else { return }
            phase = .stopped
            end = (stop, sequence)
            if usageIsFinal { writeEnd(&out) }
        case .ended:
            begin(&out)
            if case .content = phase { write(.stopped(.finished, sequence: nil), into: &out) }
            writeEnd(&out)
            MessagesEvents.stop(&out)
            phase = .over
        default:
            begin(&out)
            if case .content = phase { take(piece, &out) }
        }
    }

    // MARK: Pieces of content

    private mutating func take(_ piece: AnswerPiece, _ out: inout [UInt8]) {
        switch piece {
        case .text(let text), .refusal(let text):
            guard !text.isEmpty else { return }
            if !lastIs(.text) { push(Block(kind: .text, start: MessagesBlock.text("")), &out) }
            add(text, at: blocks.count - 1, &out)
        case .reasoning(let text):
            if !lastIs(.thinking) { pushThinking(&out) }
            add(text, at: blocks.count - 1, &out)
        case .reasoningToken(let token):
            if !lastIs(.thinking) { pushThinking(&out) }
            sign(MessagesSignature.written(token), &out)
        case .hiddenReasoning(let token):
            push(Block(kind: .whole, start: MessagesBlock.redacted(token), isClosed: true), &out)
        case .callBegan(let index, let id, let name, let signature):
            hasCalls = true
            if let signature {
                pushThinking(&out)
                sign(MessagesSignature.written(ofCall: signature), &out)
            }
            push(Block(kind: .call(index), start: MessagesBlock.call(id: id, name: name)), &out)
        case .callArguments(let index, let json):
            if let position = position(ofCall: index) { add(json, at: position, &out) }
        case .callEnded(let index):
            if let position = position(ofCall: index) { blocks[position].isClosed = true }
            advance(&out)
        default: return
        }
    }

    private func lastIs(_ kind: Block.Kind) -> Bool {
        guard let last = blocks.last, !last.isClosed else { return false }
        switch (last.kind, kind) {
        case (.text, .text), (.thinking, .thinking): return true
        default: return false
        }
    }

    private func position(ofCall index: Int) -> Int? {
        blocks.firstIndex { block in
            if case .call(let own) = block.kind { own == index && !block.isClosed } else { false }
        }
    }

    private mutating func pushThinking(_ out: inout [UInt8]) {
        push(Block(kind: .thinking, start: MessagesBlock.thinking("", "")), &out)
    }

    /// Texts and reasoning end where something else begins; calls say themselves when they end.
    private mutating func push(_ block: Block, _ out: inout [UInt8]) {
        if lastIs(.text) || lastIs(.thinking) { blocks[blocks.count - 1].isClosed = true }
        blocks.append(block)
        if blocks.count > 1 { hold(block.start.bytes.count, &out) }
        advance(&out)
    }

    private mutating func add(_ text: String, at position: Int, _ out: inout [UInt8]) {
        guard blocks.indices.contains(position), !text.isEmpty else { return }
        if position > 0 { hold(text.utf8.count, &out) }
        guard blocks.indices.contains(position) else { return }
        blocks[position].held += text
        advance(&out)
    }

    /// A signature ends its block.
    private mutating func sign(_ signature: String, _ out: inout [UInt8]) {
        guard let last = blocks.indices.last else { return }
        if last > 0 { hold(signature.utf8.count, &out) }
        guard blocks.indices.contains(last) else { return }
        blocks[last].signature = signature
        blocks[last].isClosed = true
        advance(&out)
    }

    // MARK: What waits

    /// Counts what waits, and gives up where it is too much.
    private mutating func hold(_ bytes: Int, _ out: inout [UInt8]) {
        heldBytes += bytes
        guard heldBytes > Self.heldBytesMost else { return }
        blocks = []
        phase = .over
        let failure = CallFailure(
            .upstreamFailed, source: .provider,
            "the model's tool calls came too much interleaved for a stream of this format: ask without a stream"
        )
        out += ErrorEnvelope.streamFrame(of: failure, as: .anthropicMessages)
    }

    /// Writes what the open block has, and goes on to the next as long as blocks end.
    private mutating func advance(_ out: inout [UInt8]) {
        while !blocks.isEmpty {
            if blocks.count == 1, Self.isBare(blocks[0]) { return }
            flush(&out)
            guard blocks[0].isClosed else { return }
            MessagesEvents.blockStop(written, &out)
            blocks.removeFirst()
            written += 1
            // What waited in the next goes out now.
            if let next = blocks.first {
                let waited = next.held.utf8.count + (next.signature?.utf8.count ?? 0)
                heldBytes = max(0, heldBytes - waited - next.start.bytes.count)
            }
        }
    }

    /// Whether a block of thinking has no thought, so that it waits for what comes behind it.
    private static func isBare(_ block: Block) -> Bool {
        if case .thinking = block.kind { !block.isStarted && block.held.isEmpty } else { false }
    }

    private mutating func flush(_ out: inout [UInt8]) {
        if !blocks[0].isStarted {
            blocks[0].isStarted = true
            MessagesEvents.blockStart(written, blocks[0].start, &out)
        }
        let names = blocks[0].deltaNames
        if !blocks[0].held.isEmpty {
            MessagesEvents.delta(written, names.type, names.member, blocks[0].held, &out)
            blocks[0].held = ""
        }
        if let signature = blocks[0].signature {
            MessagesEvents.delta(written, "signature_delta", "signature", signature, &out)
            blocks[0].signature = nil
        }
    }

    // MARK: Beginning and end

    private mutating func begin(_ out: inout [UInt8]) {
        guard case .waiting = phase else { return }
        phase = .content
        let message = MessagesAnswerEncoder.message(
            context, content: [],
            usage: MessagesUsage.write(usage, inputEstimate: context.inputEstimate))
        MessagesEvents.start(message, &out)
    }

    private mutating func writeEnd(_ out: inout [UInt8]) {
        guard let end else { return }
        self.end = nil
        MessagesEvents.end(
            MessagesStop.write(end.stop, hasCalls: hasCalls), sequence: end.sequence,
            usage: MessagesUsage.write(usage, inputEstimate: context.inputEstimate), &out)
    }
}

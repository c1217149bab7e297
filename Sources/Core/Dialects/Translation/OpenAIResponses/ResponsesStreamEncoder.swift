import Domain

/// Writes streamed responses of OpenAI's.
///
/// Source: OpenAI API reference, "Streaming events" of responses. Every event names its item, so tool calls that come in
/// turns stay open beside each other; of messages and reasoning one is open at a time. The last event repeats the whole
/// response, for which everything is held. It comes with the provider's own end only, so that no cut answer looks whole.
public struct ResponsesStreamEncoder: StreamEncoder {
    /// The most bytes of content that are held; no model writes half as much (128,000 tokens of about four bytes). A
    /// stream that would need more ends with an `error` event and nothing behind it.
    public static var heldBytesMost: Int { 1 << 20 }
    /// What an item counts besides its content.
    private static var itemBytes: Int { 256 }

    private enum Phase { case waiting, content, stopped, over }

    private let context: AnswerContext
    private var phase = Phase.waiting
    private var events = ResponsesEvents()
    private var items: [ResponsesItem] = []
    /// How the items ended, by their place; those that are open have none.
    private var statuses: [ResponsesItem.Status?] = []
    /// The place of the open message or reasoning.
    private var open: Int?
    /// The places of the open calls, by their index.
    private var calls: [Int: Int] = [:]
    private var heldBytes = 0
    private var hasRefusal = false
    private var stop = StopReason.finished
    private var usage: Usage?

    /// The number that the next event of the stream has, also where that is the gateway's error frame.
    public var nextEventNumber: Int64 { events.count }

    public init(_ context: AnswerContext) {
        self.context = context
    }

    public mutating func write(_ piece: AnswerPiece, into out: inout [UInt8]) {
        if case .over = phase { return }
        switch piece {
        case .began: return
        case .failed: phase = .over
        case .usage(let usage, _): self.usage = usage
        case .stopped(let stop, _):
            begin(&out)
            guard case .content = phase else { return }
            phase = .stopped
            self.stop = stop
            closeAll(&out)
        case .ended:
            begin(&out)
            closeAll(&out)
            end(&out)
        default:
            begin(&out)
            if case .content = phase { take(piece, &out) }
        }
    }

    // MARK: Pieces of content

    private mutating func take(_ piece: AnswerPiece, _ out: inout [UInt8]) {
        switch piece {
        case .text(let text): say(.text, text, &out)
        case .refusal(let text):
            hasRefusal = hasRefusal || !text.isEmpty
            say(.refusal, text, &out)
        case .reasoning(let text):
            guard !text.isEmpty else { return }
            if !isOpen(reasoning: true) { openNext(.reasoning, &out) }
            add(.summary, text, &out)
        case .reasoningToken(let token):
            if !isOpen(reasoning: true) {
                openNext(.reasoning, &out)
                startPart(.summary, &out)
            }
            seal(ResponsesSignature.written(token), &out)
        case .hiddenReasoning(let token):
            openNext(.reasoning, &out)
            seal(ResponsesSignature.written(token), &out)
        case .callBegan(let index, let id, let name, let signature):
            guard calls[index] == nil else { return }
            if let signature {
                openNext(.reasoning, &out)
                seal(ResponsesSignature.written(ofCall: signature), &out)
            }
            closeOpen(.completed, &out)
            guard hold(id.utf8.count + name.utf8.count, &out) else { return }
            push(.call(id: id, name: name), &out)
            if case .content = phase { calls[index] = items.count - 1 }
        case .callArguments(let index, let json):
            if let position = calls[index] { add(.arguments, json, at: position, &out) }
        case .callEnded(let index):
            if let position = calls.removeValue(forKey: index) { close(position, .completed, &out) }
        default: return
        }
    }

    private mutating func say(
        _ kind: ResponsesItem.Content.Kind, _ text: String, _ out: inout [UInt8]
    ) {
        guard !text.isEmpty else { return }
        if !isOpen(reasoning: false) { openNext(.message, &out) }
        add(kind, text, &out)
    }

    private func isOpen(reasoning: Bool) -> Bool {
        guard let open else { return false }
        if case .reasoning = items[open].kind { return reasoning }
        return !reasoning
    }

    /// Opens a message or reasoning; another ends where it begins.
    private mutating func openNext(_ kind: ResponsesItem.Kind, _ out: inout [UInt8]) {
        closeOpen(.completed, &out)
        push(kind, &out)
        if case .content = phase { open = items.count - 1 }
    }

    private mutating func push(_ kind: ResponsesItem.Kind, _ out: inout [UInt8]) {
        guard hold(Self.itemBytes, &out) else { return }
        let item = ResponsesItem(kind, index: items.count, in: context)
        items.append(item)
        statuses.append(nil)
        events.added(item, &out)
    }

    private mutating func add(_ kind: ResponsesItem.Content.Kind, _ text: String, _ out: inout [UInt8]) {
        if let open { add(kind, text, at: open, &out) }
    }

    private mutating func add(
        _ kind: ResponsesItem.Content.Kind, _ text: String, at position: Int, _ out: inout [UInt8]
    ) {
        guard !text.isEmpty, hold(text.utf8.count, &out) else { return }
        startPart(kind, at: position, &out)
        guard items.indices.contains(position) else { return }
        items[position].contents[items[position].contents.count - 1].text += text
        events.delta(items[position], kind, text, &out)
    }

    private mutating func startPart(_ kind: ResponsesItem.Content.Kind, _ out: inout [UInt8]) {
        if let open { startPart(kind, at: open, &out) }
    }

    /// Begins a content of the item, unless its last is of the kind already.
    private mutating func startPart(
        _ kind: ResponsesItem.Content.Kind, at position: Int, _ out: inout [UInt8]
    ) {
        guard items[position].contents.last?.kind != kind, hold(Self.itemBytes, &out) else { return }
        events.partDone(items[position], &out)
        items[position].contents.append(.init(kind: kind, text: ""))
        events.partAdded(items[position], &out)
    }

    /// Ends the open reasoning with what only its maker understands.
    private mutating func seal(_ encrypted: String, _ out: inout [UInt8]) {
        guard hold(encrypted.utf8.count, &out), let open else { return }
        items[open].encrypted = encrypted
        closeOpen(.completed, &out)
    }

    // MARK: Ends of items

    private mutating func closeOpen(_ status: ResponsesItem.Status, _ out: inout [UInt8]) {
        guard let position = open else { return }
        open = nil
        close(position, status, &out)
    }

    private mutating func close(
        _ position: Int, _ status: ResponsesItem.Status, _ out: inout [UInt8]
    ) {
        if case .call = items[position].kind, items[position].contents.isEmpty {
            add(.arguments, ResponsesItem.noArguments, at: position, &out)
            guard items.indices.contains(position) else { return }
        }
        events.partDone(items[position], &out)
        events.done(items[position], status, &out)
        statuses[position] = status
    }

    /// What is open when an answer is cut short is what was cut.
    private mutating func closeAll(_ out: inout [UInt8]) {
        let reason = ResponsesStop.incompleteReason(stop, hasRefusal: hasRefusal)
        let status = reason == nil ? ResponsesItem.Status.completed : .incomplete
        let positions = calls.values.sorted()
        calls = [:]
        for position in positions where items.indices.contains(position) { close(position, status, &out) }
        closeOpen(status, &out)
    }

    /// Counts what is held, and gives up where it is too much.
    private mutating func hold(_ bytes: Int, _ out: inout [UInt8]) -> Bool {
        if case .over = phase { return false }
        heldBytes += bytes
        guard heldBytes > Self.heldBytesMost else { return true }
        items = []
        statuses = []
        open = nil
        calls = [:]
        phase = .over
        let failure = CallFailure(
            .upstreamFailed, source: .provider,
            "the answer is too long for a stream of this format: ask without a stream")
        out += ErrorEnvelope.streamFrame(
            of: failure, as: .openAIResponses, sequenceNumber: nextEventNumber)
        return false
    }

    // MARK: Beginning and end

    private mutating func begin(_ out: inout [UInt8]) {
        guard case .waiting = phase else { return }
        phase = .content
        let response = ResponsesAnswerEncoder.response(context, .inProgress, output: [], usage: nil)
        events.response("created", response, &out)
        events.response("in_progress", response, &out)
    }

    private mutating func end(_ out: inout [UInt8]) {
        if case .over = phase { return }
        phase = .over
        let reason = ResponsesStop.incompleteReason(stop, hasRefusal: hasRefusal)
        let status = reason == nil ? ResponsesItem.Status.completed : .incomplete
        let output = zip(items, statuses).map { $0.node($1 ?? .completed) }
        let response = ResponsesAnswerEncoder.response(
            context, status, reason: reason, output: output, usage: usage)
        events.response(status.rawValue, response, &out)
        items = []
    }
}

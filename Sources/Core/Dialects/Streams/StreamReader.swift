package import Domain

/// Bytes of a stream to send on to the caller, in order.
package enum StreamPiece {
    /// Bytes kept from earlier chunks; lent for the duration of the call.
    case held(UnsafeRawBufferPointer)
    /// A range of the chunk being read; it is the whole chunk when the chunk held whole events only.
    case part(Range<Int>)
}

/// Follows one streamed answer: what to send on, what it used, and whether it ended well.
///
/// Feed it each chunk and send what it hands back; an event goes out only once it is complete, so it can be dropped
/// whole, and an error frame of ours can follow at any time without cutting one in half. A content chunk costs a byte
/// search, not a parse.
///
/// Dropped are the usage chunk that only the gateway asked for, and an in-band error with everything behind it: the
/// caller gets one error, in the gateway's words (see ``ErrorEnvelope``).
package struct StreamReader {
    private let dialect: Dialect
    private let dropsUsage: Bool
    private var scanner: EventStreamScanner
    private var anthropic = AnthropicUsage()
    /// The bytes of a delta event that are not content, measured on the first of its kind.
    private var envelope: Int?

    /// The last usage that the provider reported. On an Anthropic stream the output is a placeholder until
    /// ``usageIsFinal``.
    package private(set) var usage: Usage?
    /// Whether the reported usage covers the output too.
    package private(set) var usageIsFinal = false
    /// Whether the terminal event came: `[DONE]` or `message_stop`. A stream that ends without it was cut.
    package private(set) var ended = false
    /// The error that came inside the stream, if one did; nothing is sent on from there.
    package private(set) var fault: UpstreamError?
    /// Whether any of the answer itself came; until then nothing is lost by trying another target.
    package private(set) var sawContent = false
    /// How many content deltas came.
    package private(set) var deltas: Int64 = 0
    /// About how many bytes of content they held, JSON escapes included.
    package private(set) var contentBytes: Int64 = 0

    /// - Parameters:
    ///   - dialect: `openAIChat` or `anthropicMessages`; no other is streamed.
    ///   - dropsUsage: true if the gateway asked for the usage chunk and the caller did not.
    package init(
        dialect: Dialect, dropsUsage: Bool, eventBytesMost: Int = EventStreamScanner.eventBytesMost
    ) {
        self.dialect = dialect
        self.dropsUsage = dropsUsage
        scanner = EventStreamScanner(eventBytesMost: eventBytesMost)
    }

    /// The output in tokens as far as it can be told from what came: one a delta or one for four bytes of content,
    /// whichever is more (OpenAI sends about a token a delta, Anthropic several).
    package var estimatedOutput: Int64 { max(deltas, (contentBytes + 3) / 4) }

    /// What to bill for the stream as it stands: the reported usage if it is final, else the reported input (or the
    /// given estimate) with the output estimated.
    package func settledUsage(inputEstimate: Int64) -> (usage: Usage, source: UsageSource) {
        if usageIsFinal, let usage { return (usage, .reported) }
        var settled = usage ?? Usage(input: inputEstimate)
        settled.output = max(settled.output, estimatedOutput)
        return (settled, .estimated)
    }

    /// Reads one chunk and hands what may go on to `send`.
    package mutating func read(
        _ chunk: UnsafeRawBufferPointer, send: (StreamPiece) -> Void
    ) throws(StreamFault) {
        var passage = Passage()
        var scanner = self.scanner
        self.scanner = EventStreamScanner(eventBytesMost: 0)
        defer { self.scanner = scanner }
        try scanner.scan(chunk) { event in
            if isKept(event) { passage.keep(event, send) } else { passage.drop(event, send) }
        }
        passage.flush(send)
    }

    /// Reads what is left at the end of the stream: an event that no blank line closed.
    package mutating func finish(send: (StreamPiece) -> Void) {
        var last = scanner
        last.finish { event in
            if isKept(event) { send(.held(event.held)) }
        }
        scanner = last
    }

    private mutating func isKept(_ event: ServerEvent) -> Bool {
        guard fault == nil else { return false }
        guard !event.data.isEmpty else { return true }
        return dialect == .anthropicMessages ? readAnthropic(event) : readOpenAI(event)
    }

    // MARK: OpenAI

    private mutating func readOpenAI(_ event: ServerEvent) -> Bool {
        if bytesEqual(event.data, "[DONE]") {
            ended = true
            return true
        }
        let isContent = sawContent && event.name.isEmpty && !MemberSearch.mayHoldUsageOrError(event.data)
        guard !isContent else {
            count(event.data)
            return true
        }
        guard let chunk = OpenAIChunk(event.data) else { return true }
        if chunk.hasError || bytesEqual(event.name, "error") {
            fault = UpstreamError.read(event.data)
            return false
        }
        if let reported = chunk.usage {
            usage = reported
            usageIsFinal = true
        }
        if chunk.contentBytes > 0 || chunk.isFinished { sawContent = true }
        if chunk.contentBytes > 0 {
            envelope = envelope ?? event.data.count - chunk.contentBytes
            deltas += 1
            contentBytes += Int64(chunk.contentBytes)
        }
        return !(dropsUsage && chunk.usage != nil && chunk.choicesAreEmpty)
    }

    // MARK: Anthropic

    private mutating func readAnthropic(_ event: ServerEvent) -> Bool {
        if bytesEqual(event.name, "content_block_delta") {
            sawContent = true
            if envelope == nil { envelope = AnthropicChunk.envelope(of: event.data) }
            count(event.data)
        } else if bytesEqual(event.name, "content_block_start") {
            // A block has deltas of one kind, and so one envelope.
            envelope = nil
        } else if bytesEqual(event.name, "error") {
            fault = UpstreamError.read(event.data)
            return false
        } else if bytesEqual(event.name, "message_stop") {
            ended = true
        } else if bytesEqual(event.name, "message_start") {
            readAnthropicUsage(event.data, isFinal: false)
        } else if bytesEqual(event.name, "message_delta") {
            sawContent = true
            readAnthropicUsage(event.data, isFinal: true)
        }
        return true
    }

    private mutating func readAnthropicUsage(_ data: UnsafeRawBufferPointer, isFinal: Bool) {
        var figures = anthropic
        guard AnthropicChunk.overlayUsage(of: data, on: &figures) else { return }
        anthropic = figures
        usage = figures.disjoint
        usageIsFinal = isFinal
    }

    /// Counts a delta without reading it: what goes beyond the envelope is content.
    private mutating func count(_ data: UnsafeRawBufferPointer) {
        deltas += 1
        contentBytes += Int64(max(0, data.count - (envelope ?? data.count)))
    }
}

/// Joins the kept events of one chunk into runs as long as possible.
private struct Passage {
    private var run = 0..<0

    mutating func keep(_ event: ServerEvent, _ send: (StreamPiece) -> Void) {
        if !event.held.isEmpty { send(.held(event.held)) }
        guard run.upperBound == event.range.lowerBound else {
            flush(send)
            run = event.range
            return
        }
        run = run.lowerBound..<event.range.upperBound
    }

    mutating func drop(_ event: ServerEvent, _ send: (StreamPiece) -> Void) {
        flush(send)
        run = event.range.upperBound..<event.range.upperBound
    }

    mutating func flush(_ send: (StreamPiece) -> Void) {
        if !run.isEmpty { send(.part(run)) }
        run = run.upperBound..<run.upperBound
    }
}

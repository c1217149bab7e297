public import Domain

/// What is known of a streamed answer so far: its usage, whether content, an error or the end came.
public struct StreamedAnswer: StreamFacts {
    private let dialect: Dialect
    private let dropsUsage: Bool
    private var anthropic = AnthropicUsage()
    /// The bytes of a delta event that are not content, measured on the first of its kind.
    private var envelope: Int?

    /// The last usage that the provider reported. On an Anthropic stream the output is a placeholder until
    /// ``usageIsFinal``.
    public private(set) var usage: Usage?
    /// Whether the reported usage covers the output too.
    public private(set) var usageIsFinal = false
    /// Whether the terminal event came: `[DONE]`, `message_stop` or `response.completed`. A stream that ends without it was cut.
    public private(set) var ended = false
    /// The error that came inside the stream, if one did; nothing is sent on from there.
    public private(set) var fault: UpstreamError?
    /// Whether any of the answer itself came; until then nothing is lost by trying another target.
    public private(set) var sawContent = false
    /// How many content deltas came.
    public private(set) var deltas: Int64 = 0
    /// About how many bytes of content they held, JSON escapes included.
    public private(set) var contentBytes: Int64 = 0
    public private(set) var nextEventNumber: Int64 = 0

    init(dialect: Dialect, dropsUsage: Bool) {
        self.dialect = dialect
        self.dropsUsage = dropsUsage
    }

    /// Takes note of an event; whether it goes on to the caller.
    mutating func keeps(_ event: ServerEvent) -> Bool {
        guard fault == nil else { return false }
        guard !event.data.isEmpty else { return true }
        switch dialect {
        case .anthropicMessages: return readAnthropic(event)
        case .openAIResponses:
            let isKept = readResponses(event)
            if isKept { nextEventNumber += 1 }
            return isKept
        default: return readOpenAI(event)
        }
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

    // MARK: OpenAI responses

    private mutating func readResponses(_ event: ServerEvent) -> Bool {
        if event.name.count > 6, bytesEqual(event.name[(event.name.count - 6)...], ".delta") {
            sawContent = true
            if envelope == nil { envelope = ResponsesChunk.envelope(of: event.data) }
            count(event.data)
        } else if bytesEqual(event.name, "response.output_item.added") {
            envelope = nil
        } else if bytesEqual(event.name, "error") || bytesEqual(event.name, "response.failed") {
            fault = UpstreamError.read(event.data)
            return false
        } else if bytesEqual(event.name, "response.completed")
            || bytesEqual(event.name, "response.incomplete")
        {
            sawContent = true
            ended = true
            usage = ResponsesChunk.usage(of: event.data) ?? usage
            usageIsFinal = usage != nil
        }
        return true
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

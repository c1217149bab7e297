public import Domain

/// Bytes of a stream to send on to the caller, in order.
public enum StreamPiece {
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
public struct StreamReader {
    /// What is known of the answer so far.
    public private(set) var answer: StreamedAnswer
    private var scanner: EventStreamScanner

    /// - Parameters:
    ///   - dialect: one that ``Dialect/canStream``.
    ///   - dropsUsage: true if the gateway asked for the usage chunk and the caller did not.
    public init(
        dialect: Dialect, dropsUsage: Bool, eventBytesMost: Int = EventStreamScanner.eventBytesMost
    ) {
        answer = StreamedAnswer(dialect: dialect, dropsUsage: dropsUsage)
        scanner = EventStreamScanner(eventBytesMost: eventBytesMost)
    }

    /// Reads one chunk and hands what may go on to `send`.
    public mutating func read(
        _ chunk: UnsafeRawBufferPointer, send: (StreamPiece) -> Void
    ) throws(StreamFault) {
        var passage = Passage()
        try scanner.scan(chunk, for: &answer) { answer, event in
            if answer.keeps(event) { passage.keep(event, send) } else { passage.drop(event, send) }
        }
        passage.flush(send)
    }

    /// Reads what is left at the end of the stream: an event that no blank line closed.
    public mutating func finish(send: (StreamPiece) -> Void) {
        scanner.finish(for: &answer) { answer, event in
            if answer.keeps(event) { send(.held(event.held)) }
        }
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

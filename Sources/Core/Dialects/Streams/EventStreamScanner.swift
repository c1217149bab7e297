import Glibc

/// One complete event of a stream, lent for the duration of the call that reports it.
public struct ServerEvent {
    /// The bytes of the `event` field; empty if there was none, which means `message`.
    public let name: UnsafeRawBufferPointer
    /// The `data` fields joined by line feeds.
    public let data: UnsafeRawBufferPointer
    /// The bytes of the event that came with earlier chunks; empty for one that lies whole in its chunk.
    public let held: UnsafeRawBufferPointer
    /// Where the rest of it lies in the chunk being scanned, its closing blank line included.
    public let range: Range<Int>
}

/// Why a stream cannot be followed further.
public enum StreamFault: Error, Hashable, Sendable {
    /// One event has more bytes than the stated limit.
    case eventTooLarge(limit: Int)
    /// The framing is broken: a length or a checksum that cannot be.
    case brokenFrame
}

/// Finds the events in a stream of server-sent events (WHATWG HTML section 9.2.6), however it is cut into chunks.
///
/// Whole events are reported where they lie in the chunk, without a copy; only an event that a chunk leaves
/// unfinished is kept, up to a limit. Comments come out as events without data: they keep a connection alive and must
/// be passed on. A CR at a chunk's end waits for the next byte, which may be the LF that belongs to it, so a server
/// that ends lines in bare CR is one event late.
public struct EventStreamScanner {
    /// Larger than any event of the supported providers but inlined images; the scanner keeps at most this much.
    public static var eventBytesMost: Int { 1 << 20 }

    /// The start of an event that is not finished yet. Empty between events.
    private var held: [UInt8] = []
    private let limit: Int
    private var fields = EventFields()
    /// Where the line being read begins, counted from the event's first byte.
    private var lineStart = 0
    private var sawLine = false

    public init(eventBytesMost limit: Int = Self.eventBytesMost) {
        self.limit = limit
    }

    /// Reports each event that ends in this chunk, in order. What follows the last is kept for the next chunk.
    ///
    /// `reader` is lent to `visit`, so that scanner and reader can be parts of one value. After a throw the scanner is of
    /// no further use.
    public mutating func scan<Reader>(
        _ chunk: UnsafeRawBufferPointer, for reader: inout Reader,
        _ visit: (inout Reader, ServerEvent) -> Void
    ) throws(StreamFault) {
        var lines = LineFinder(chunk)
        var eventStart = 0
        if held.last == UInt8(ascii: "\r"), !chunk.isEmpty {
            // The line ended with the last chunk; a LF here still belongs to its end.
            if chunk[0] == UInt8(ascii: "\n") { lines.position = 1 }
            try finishHeldLine(
                chunk, 0..<lines.position, contentEnd: held.count - 1, &reader, visit, &eventStart)
        }
        while let line = lines.next() {
            if held.isEmpty {
                let event = UnsafeRawBufferPointer(rebasing: chunk[eventStart..<line.end])
                guard event.count <= limit else { throw .eventTooLarge(limit: limit) }
                guard readLine(event, contentEnd: line.contentEnd - eventStart) else { continue }
                report(event, heldCount: 0, range: eventStart..<line.end, &reader, visit)
                eventStart = line.end
            } else {
                let contentEnd = held.count + line.contentEnd - line.start
                try finishHeldLine(
                    chunk, line.start..<line.end, contentEnd: contentEnd, &reader, visit, &eventStart)
            }
        }
        let rest = (held.isEmpty ? eventStart : lines.position)..<chunk.count
        guard held.count + rest.count <= limit else { throw .eventTooLarge(limit: limit) }
        if !rest.isEmpty { held.append(contentsOf: chunk[rest]) }
    }

    /// Reports a last event that no blank line closed. Its bytes are all in ``held``.
    public mutating func finish<Reader>(
        for reader: inout Reader, _ visit: (inout Reader, ServerEvent) -> Void
    ) {
        guard !held.isEmpty else { return }
        let event = held
        event.withUnsafeBytes { bytes in
            if lineStart < bytes.count {
                let endsInReturn = bytes[bytes.count - 1] == UInt8(ascii: "\r")
                _ = readLine(bytes, contentEnd: bytes.count - (endsInReturn ? 1 : 0))
            }
            report(bytes, heldCount: bytes.count, range: 0..<0, &reader, visit)
        }
        held = []
    }

    /// Adds the end of a line to the kept event and, if the event ends with it, reports and forgets the event.
    private mutating func finishHeldLine<Reader>(
        _ chunk: UnsafeRawBufferPointer, _ range: Range<Int>, contentEnd: Int, _ reader: inout Reader,
        _ visit: (inout Reader, ServerEvent) -> Void, _ eventStart: inout Int
    ) throws(StreamFault) {
        let heldBefore = held.count
        guard heldBefore + range.count <= limit else { throw .eventTooLarge(limit: limit) }
        held.append(contentsOf: chunk[range])
        let event = held
        event.withUnsafeBytes { bytes in
            guard readLine(bytes, contentEnd: contentEnd) else { return }
            // The event's bytes of this chunk begin at its start: an event is only kept over chunk borders.
            let own = range.upperBound - eventStart
            report(bytes, heldCount: bytes.count - own, range: eventStart..<range.upperBound, &reader, visit)
            eventStart = range.upperBound
            held = []
        }
    }

    /// Reads the line from `lineStart` on, `bytes` being the event so far; true if it was the blank line.
    private mutating func readLine(_ bytes: UnsafeRawBufferPointer, contentEnd: Int) -> Bool {
        var start = lineStart
        lineStart = bytes.count
        if !sawLine {
            sawLine = true
            // One byte order mark may stand before the stream.
            if contentEnd - start >= 3, bytesEqual(bytes[start..<start + 3], "\u{feff}") { start += 3 }
        }
        if start == contentEnd { return true }
        fields.read(bytes, start..<contentEnd)
        return false
    }

    private mutating func report<Reader>(
        _ bytes: UnsafeRawBufferPointer, heldCount: Int, range: Range<Int>, _ reader: inout Reader,
        _ visit: (inout Reader, ServerEvent) -> Void
    ) {
        lineStart = 0
        let found = fields
        fields = EventFields()
        let name = UnsafeRawBufferPointer(rebasing: bytes[found.name])
        let held = UnsafeRawBufferPointer(rebasing: bytes[..<heldCount])
        if let joined = found.joined {
            joined.withUnsafeBytes {
                visit(&reader, ServerEvent(name: name, data: $0, held: held, range: range))
            }
        } else {
            let data = UnsafeRawBufferPointer(rebasing: bytes[found.data])
            visit(&reader, ServerEvent(name: name, data: data, held: held, range: range))
        }
    }
}

/// Where the fields of the event being read lie, counted from its first byte.
private struct EventFields {
    var name = 0..<0
    var data = 0..<0
    /// The data of an event with more than one `data` line.
    var joined: [UInt8]?
    private var sawData = false

    mutating func read(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) {
        if line.count >= 4, bytesEqual(bytes[line.lowerBound..<line.lowerBound + 4], "data") {
            guard let value = value(bytes, line, 4) else { return }
            addData(bytes, value)
        } else if line.count >= 5, bytesEqual(bytes[line.lowerBound..<line.lowerBound + 5], "event") {
            name = value(bytes, line, 5) ?? name
        }
    }

    /// What stands behind a field's name, its colon and one blank; nil if the name goes on.
    private func value(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, _ nameCount: Int) -> Range<Int>? {
        let colon = line.lowerBound + nameCount
        guard colon < line.upperBound else { return line.upperBound..<line.upperBound }
        guard bytes[colon] == UInt8(ascii: ":") else { return nil }
        let blank = colon + 1 < line.upperBound && bytes[colon + 1] == UInt8(ascii: " ")
        return colon + (blank ? 2 : 1)..<line.upperBound
    }

    private mutating func addData(_ bytes: UnsafeRawBufferPointer, _ value: Range<Int>) {
        guard sawData else {
            sawData = true
            data = value
            return
        }
        if joined == nil { joined = Array(bytes[data]) }
        joined?.append(UInt8(ascii: "\n"))
        joined?.append(contentsOf: bytes[value])
    }
}

/// Finds line ends in a chunk: LF, CR LF, or CR before another byte.
private struct LineFinder {
    struct Line {
        let start: Int
        let contentEnd: Int
        let end: Int
    }

    private let chunk: UnsafeRawBufferPointer
    var position = 0
    /// The first LF at or behind `position`, once looked for: a server that uses none must not cost a search a line.
    private var lineFeed = -1

    init(_ chunk: UnsafeRawBufferPointer) { self.chunk = chunk }

    mutating func next() -> Line? {
        let start = position
        guard start < chunk.count else { return nil }
        if lineFeed < start { lineFeed = first(UInt8(ascii: "\n"), in: start..<chunk.count) ?? chunk.count }
        let carriageReturn = first(UInt8(ascii: "\r"), in: start..<lineFeed)
        guard let carriageReturn else {
            guard lineFeed < chunk.count else { return nil }
            position = lineFeed + 1
            return Line(start: start, contentEnd: lineFeed, end: position)
        }
        guard carriageReturn + 1 < chunk.count else { return nil }
        position = carriageReturn + (carriageReturn + 1 == lineFeed ? 2 : 1)
        return Line(start: start, contentEnd: carriageReturn, end: position)
    }

    private func first(_ byte: UInt8, in range: Range<Int>) -> Int? {
        guard !range.isEmpty, let base = chunk.baseAddress,
            let hit = memchr(base + range.lowerBound, Int32(byte), range.count)
        else { return nil }
        return UnsafeRawPointer(hit) - base
    }
}

import Glibc

/// Cuts a stream of server-sent events (WHATWG HTML, section 9.2) into whole events, without changing a byte.
///
/// Accepts line ends LF, CR LF and CR, comments, and a last event without its blank line. What is not yet whole is
/// kept, at most `eventBytesMax`; chunks that hold whole events are not copied.
package struct EventStream: Sendable {
    /// An event grew beyond the bound.
    package struct TooLong: Error {}

    private let eventBytesMax: Int
    private var pending: [UInt8] = []

    package init(eventBytesMax: Int = 1 << 20) { self.eventBytesMax = eventBytesMax }

    package var pendingBytes: Int { pending.count }

    /// Hands on every event that is whole now, with its blank line.
    package mutating func feed(
        _ chunk: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(TooLong) {
        guard !pending.isEmpty else {
            let rest = Self.cut(chunk, body)
            guard chunk.count - rest <= eventBytesMax else { throw TooLong() }
            pending.append(contentsOf: chunk[rest...])
            return
        }
        pending.append(contentsOf: chunk)
        let held = pending
        let rest = held.withUnsafeBytes { Self.cut($0, body) }
        pending.removeFirst(rest)
        guard pending.count <= eventBytesMax else { throw TooLong() }
    }

    /// Hands on what is left at the stream's end.
    package mutating func finish(_ body: (UnsafeRawBufferPointer) -> Void) {
        guard !pending.isEmpty else { return }
        let held = pending
        pending = []
        held.withUnsafeBytes { body($0) }
    }

    /// Cuts whole events off the front; returns where the rest begins.
    private static func cut(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        var start = 0
        // Nearly all providers end lines with LF alone; memchr finds those quickly.
        guard memchr(base, 0x0d, bytes.count) == nil else { return cutAnyLineEnd(bytes, body) }
        var offset = 0
        while offset < bytes.count, let found = memchr(base + offset, 0x0a, bytes.count - offset) {
            let end = base.distance(to: UnsafeRawPointer(found)) + 1
            if end < bytes.count, bytes[end] == 0x0a {
                body(UnsafeRawBufferPointer(rebasing: bytes[start..<(end + 1)]))
                start = end + 1
                offset = start
            } else {
                offset = end
            }
        }
        return start
    }

    private static func cutAnyLineEnd(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) -> Int
    {
        var start = 0
        var offset = 0
        var lineStart = 0
        while offset < bytes.count {
            let byte = bytes[offset]
            guard byte == 0x0a || byte == 0x0d else {
                offset += 1
                continue
            }
            let blank = offset == lineStart
            if byte == 0x0d {
                // A CR at the very end may be the first half of CR LF: wait for what comes.
                guard offset + 1 < bytes.count else { return start }
                offset += bytes[offset + 1] == 0x0a ? 2 : 1
            } else {
                offset += 1
            }
            lineStart = offset
            if blank {
                body(UnsafeRawBufferPointer(rebasing: bytes[start..<offset]))
                start = offset
            }
        }
        return start
    }

    /// The fields of one event: its name, and its data with the lines joined by LF.
    package static func fields(of event: UnsafeRawBufferPointer) -> (name: [UInt8], data: [UInt8]) {
        var name: [UInt8] = []
        var data: [UInt8] = []
        var hasData = false
        for line in event.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) {
            let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
            var value = colon == line.endIndex ? line[colon...] : line[(colon + 1)...]
            if value.first == 0x20 { value = value.dropFirst() }
            if line[..<colon].elementsEqual("data".utf8) {
                if hasData { data.append(0x0a) }
                hasData = true
                data.append(contentsOf: value)
            } else if line[..<colon].elementsEqual("event".utf8) {
                name = Array(value)
            }
        }
        return (name, data)
    }
}

import CLinux
package import Domain

/// Watches a streamed answer pass by: its usage, its end, and errors that come inside a 200.
///
/// A piece of content costs a few byte searches; only the events that carry usage or an error are parsed.
package struct StreamReader: Sendable {
    /// What to do with an event.
    package enum Verdict: Sendable, Equatable {
        /// Hand it on.
        case keep
        /// It answers a question that only we asked.
        case drop
        /// An error inside the stream; hand on nothing of it.
        case error(UpstreamError)
    }

    private let dialect: Dialect
    private let callerAsksForUsage: Bool
    private var usage: Usage?
    /// The terminal marker came: `[DONE]`, `message_stop`.
    package private(set) var finished = false
    /// Pieces that carried content: what is counted when a stream is cut before its usage came.
    package private(set) var pieces: Int64 = 0
    /// An event other than a comment or a ping has come.
    package private(set) var started = false

    package init(dialect: Dialect, callerAsksForUsage: Bool) {
        self.dialect = dialect
        self.callerAsksForUsage = callerAsksForUsage
    }

    /// Whether the usage is the provider's last word: an interrupted Anthropic stream has told its input but only a
    /// placeholder for its output.
    package private(set) var usageIsFinal = false

    /// What the provider said, as far as it got; nil when it said nothing.
    package var reported: Usage? { usage }

    /// Looks at one whole event.
    package mutating func see(_ event: UnsafeRawBufferPointer) -> Verdict {
        dialect == .anthropicMessages ? seeAnthropic(event) : seeOpenAI(event)
    }

    // MARK: OpenAI chat completions

    private mutating func seeOpenAI(_ event: UnsafeRawBufferPointer) -> Verdict {
        if event.holds("\"error\"") {
            let data = EventStream.fields(of: event).data
            if let error = data.withUnsafeBytes({ UpstreamError.inBand($0) }) { return .error(error) }
        }
        if event.holds("[DONE]"), EventStream.fields(of: event).data.elementsEqual("[DONE]".utf8) {
            finished = true
            return .keep
        }
        guard event.holds("data") else { return .keep }
        started = true
        guard event.holds("\"usage\""), !event.holds("\"usage\":null") else {
            pieces += 1
            return .keep
        }
        let data = EventStream.fields(of: event).data
        let (found, empty) = data.withUnsafeBytes { Self.openAIUsage(in: $0) }
        guard let found else {
            pieces += 1
            return .keep
        }
        usage = found
        usageIsFinal = true
        return empty && !callerAsksForUsage ? .drop : .keep
    }

    /// The usage of a chunk, and whether the chunk carries nothing else.
    private static func openAIUsage(in data: UnsafeRawBufferPointer) -> (Usage?, Bool) {
        var usage: Usage?
        var empty = false
        do throws(JSONScanner.Fault) {
            try JSONScanner.members(of: data) { (key, _, value) throws(JSONScanner.Fault) in
                if data[key].elementsEqual("usage".utf8), value.kind == .object {
                    usage = UnaryReader.openAIUsage(value, in: data)
                } else if data[key].elementsEqual("choices".utf8), value.kind == .array {
                    empty = data[value.range].allSatisfy { $0 <= 0x20 || $0 == 0x5b || $0 == 0x5d }
                }
            }
        } catch { return (nil, false) }
        return (usage, empty)
    }

    // MARK: Anthropic messages

    private mutating func seeAnthropic(_ event: UnsafeRawBufferPointer) -> Verdict {
        if event.holds("content_block") {
            started = true
            if event.holds("content_block_delta") { pieces += 1 }
            return .keep
        }
        let (name, data) = EventStream.fields(of: event)
        return data.withUnsafeBytes { data in
            if name.elementsEqual("error".utf8) {
                return .error(UpstreamError.inBand(data) ?? UpstreamError(type: "error", code: "", message: ""))
            }
            if name.elementsEqual("message_start".utf8) {
                started = true
                if let message = UnaryReader.member("message", of: data) {
                    usage = UnaryReader.usageMember(of: message, in: data).map { UnaryReader.anthropicUsage($0, in: data) }
                }
            } else if name.elementsEqual("message_delta".utf8) {
                if let delta = UnaryReader.member("usage", of: data) {
                    takeDelta(UnaryReader.anthropicUsage(delta, in: data))
                }
            } else if name.elementsEqual("message_stop".utf8) {
                finished = true
            }
            return .keep
        }
    }

    /// `message_delta` counts from the beginning: the last one holds. Its input buckets repeat the start's, if there.
    private mutating func takeDelta(_ delta: Usage) {
        var next = usage ?? Usage()
        next.output = delta.output
        if delta.totalInput > 0 {
            next.input = delta.input
            next.cacheRead = delta.cacheRead
            if delta.cacheWrite + delta.cacheWriteHour > 0 {
                next.cacheWrite = delta.cacheWrite
                next.cacheWriteHour = delta.cacheWriteHour
            }
        }
        usage = next
        usageIsFinal = true
    }
}

/// Reads the usage of a whole answer.
package enum UnaryReader {
    /// nil when the provider gave none. Zero is zero.
    package static func usage(in body: UnsafeRawBufferPointer, dialect: Dialect) -> Usage? {
        guard let value = member("usage", of: body), value.kind == .object else { return nil }
        return dialect == .anthropicMessages ? anthropicUsage(value, in: body) : openAIUsage(value, in: body)
    }

    /// A member of the top level; nil when it is absent or the text is no object.
    static func member(_ name: String, of body: UnsafeRawBufferPointer) -> JSONScanner.Value? {
        var found: JSONScanner.Value?
        do throws(JSONScanner.Fault) {
            try JSONScanner.members(of: body) { (key, _, value) throws(JSONScanner.Fault) in
                if body[key].elementsEqual(name.utf8) { found = value }
            }
        } catch { return nil }
        return found
    }

    static func usageMember(of value: JSONScanner.Value, in body: UnsafeRawBufferPointer) -> JSONScanner.Value? {
        guard value.kind == .object else { return nil }
        return members(of: value, in: body)["usage"]
    }

    private static func members(of value: JSONScanner.Value, in body: UnsafeRawBufferPointer) -> [String: JSONScanner.Value]
    {
        var out: [String: JSONScanner.Value] = [:]
        guard value.kind == .object else { return out }
        do throws(JSONScanner.Fault) {
            try JSONScanner.members(of: value, in: body) { (key, _, inner) throws(JSONScanner.Fault) in
                guard out.count < 64 else { return }
                out[String(decoding: body[key], as: UTF8.self)] = inner
            }
        } catch { return [:] }
        return out
    }

    /// OpenAI's counts hold cached tokens inside the prompt's and reasoning inside the completion's.
    static func openAIUsage(_ value: JSONScanner.Value, in body: UnsafeRawBufferPointer) -> Usage {
        let fields = members(of: value, in: body)
        func count(_ name: String, in fields: [String: JSONScanner.Value]) -> Int64 {
            max(0, fields[name].flatMap { JSONScanner.integer(of: $0, in: body) } ?? 0)
        }
        let promptDetails = fields["prompt_tokens_details"].map { members(of: $0, in: body) } ?? [:]
        let outputDetails = fields["completion_tokens_details"].map { members(of: $0, in: body) } ?? [:]
        let prompt = count("prompt_tokens", in: fields)
        let completion = count("completion_tokens", in: fields)
        // DeepSeek names its cached share beside the total instead of in the details.
        let cached = min(
            prompt, max(count("cached_tokens", in: promptDetails), count("prompt_cache_hit_tokens", in: fields)))
        let reasoning = min(completion, count("reasoning_tokens", in: outputDetails))
        return Usage(
            input: prompt - cached, cacheRead: cached, output: completion - reasoning, reasoning: reasoning)
    }

    /// Anthropic's counts are disjoint as they come.
    static func anthropicUsage(_ value: JSONScanner.Value, in body: UnsafeRawBufferPointer) -> Usage {
        let fields = members(of: value, in: body)
        func count(_ name: String, in fields: [String: JSONScanner.Value]) -> Int64? {
            fields[name].flatMap { JSONScanner.integer(of: $0, in: body) }.map { max(0, $0) }
        }
        let tiers = fields["cache_creation"].map { members(of: $0, in: body) } ?? [:]
        let hour = count("ephemeral_1h_input_tokens", in: tiers) ?? 0
        let total = count("cache_creation_input_tokens", in: fields) ?? 0
        return Usage(
            input: count("input_tokens", in: fields) ?? 0, cacheRead: count("cache_read_input_tokens", in: fields) ?? 0,
            cacheWrite: count("ephemeral_5m_input_tokens", in: tiers) ?? max(0, total - hour), cacheWriteHour: hour,
            output: count("output_tokens", in: fields) ?? 0)
    }

    /// The last `usage` object in the tail of an answer that was too large to keep.
    package static func usage(inTail tail: UnsafeRawBufferPointer, dialect: Dialect) -> Usage? {
        let needle = Array("\"usage\"".utf8)
        var offset = tail.count - needle.count
        while offset >= 0 {
            if tail[offset] == needle[0], tail[offset..<(offset + needle.count)].elementsEqual(needle) {
                var start = offset + needle.count
                while start < tail.count, tail[start] <= 0x20 || tail[start] == UInt8(ascii: ":") { start += 1 }
                guard start < tail.count, tail[start] == UInt8(ascii: "{") else { return nil }
                let value = JSONScanner.Value(kind: .object, range: start..<tail.count)
                return dialect == .anthropicMessages ? anthropicUsage(value, in: tail) : openAIUsage(value, in: tail)
            }
            offset -= 1
        }
        return nil
    }
}

extension UnsafeRawBufferPointer {
    /// Whether these bytes stand anywhere in the buffer.
    func holds(_ needle: StaticString) -> Bool {
        guard let base = baseAddress else { return false }
        return memmem(base, count, needle.utf8Start, needle.utf8CodeUnitCount) != nil
    }
}

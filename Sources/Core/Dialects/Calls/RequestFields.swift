public import Domain

/// What the gateway must know of a call's body to decide about it; the rest is passed on as it came.
///
/// A member that the gateway relies on must have the type that the provider's reference gives it, must be there once,
/// and must be spelled exactly: `"Model"` is refused beside or instead of `"model"`, because some upstreams match
/// names without regard to case (Go's encoding/json) and would act on a model that was never checked.
public struct RequestFields: Hashable, Sendable {
    /// What stands in `stream_options`.
    public struct StreamOptions: Hashable, Sendable {
        /// Where the value lies in the body; `null` counts as a value.
        public let range: Range<Int>
        public let isNull: Bool
        public let isEmpty: Bool
        public let includesUsage: Bool
        /// Where the value of `include_usage` lies in the body, if there is one.
        public let includeUsageRange: Range<Int>?
    }

    public let dialect: Dialect
    public let model: ModelName
    /// Where the model's value lies in the body, with its quotes.
    public let modelRange: Range<Int>
    /// Where the first member begins: right behind the body's opening brace.
    public let firstMember: Int
    public let stream: Bool
    public let streamOptions: StreamOptions?
    /// The largest of `max_tokens`, `max_completion_tokens` and `max_output_tokens`; nil if none is given.
    public let maxOutputTokens: Int64?
    /// The input in tokens, for limits before the provider's figure comes: one for each four bytes of the body. Four
    /// is the usual ratio for English text; the wrapping JSON makes it an over-estimate, other scripts and inlined
    /// images deviate. The figure is put right once the answer reports its usage.
    public let estimatedInputTokens: Int64

    /// Whether the caller will get a chunk with the usage without our asking for it.
    public var callerAskedForUsage: Bool { streamOptions?.includesUsage ?? false }

    /// Reads a body in one pass without copying it.
    ///
    /// The bytes are lent for the duration of the call. Failures are the caller's: `invalid_request` with the field
    /// and the byte in the sentence.
    public static func scan(
        _ body: UnsafeRawBufferPointer, as dialect: Dialect
    ) throws(CallFailure) -> RequestFields {
        guard dialect != .openAIModels else {
            throw CallFailure(.invalidRequest, source: .caller, "this endpoint takes no body")
        }
        guard !body.isEmpty else {
            throw CallFailure(
                .invalidRequest, source: .caller, "the request body is empty; send a JSON object")
        }
        var reader = RequestReader(body, dialect)
        do throws(JSONFault) {
            return try reader.read()
        } catch {
            throw CallFailure(fault: error)
        }
    }
}

extension CallFailure {
    /// The caller's view of a fault in a request body.
    init(fault: JSONFault) {
        let sentence =
            fault.field.map { "'\($0)' at byte \(fault.position) of the request body: \(fault.problem)" }
            ?? "the request body is not acceptable JSON at byte \(fault.position): \(fault.problem)"
        self.init(.invalidRequest, source: .caller, sentence, field: fault.field)
    }
}

/// The single pass over a request body.
private struct RequestReader {
    private var scanner: JSONScanner
    private let dialect: Dialect
    private let isChat: Bool
    private let canStream: Bool
    private var model: ModelName?
    private var modelRange = 0..<0
    private var stream = false
    private var streamOptions: RequestFields.StreamOptions?
    private var maxOutputTokens: Int64?

    init(_ body: UnsafeRawBufferPointer, _ dialect: Dialect) {
        scanner = JSONScanner(body)
        self.dialect = dialect
        isChat = dialect == .openAIChat
        canStream = dialect.canStream
    }

    mutating func read() throws(JSONFault) -> RequestFields {
        try scanner.enterObject()
        let firstMember = scanner.position
        var names = MemberNames()
        while let name = try scanner.nextMember() {
            try readMember(try names.admit(name, in: scanner))
        }
        try scanner.finish()
        guard let model else {
            throw JSONFault("it is missing; name the model to call", at: firstMember, field: "model")
        }
        return RequestFields(
            dialect: dialect, model: model, modelRange: modelRange, firstMember: firstMember, stream: stream,
            streamOptions: streamOptions, maxOutputTokens: maxOutputTokens,
            estimatedInputTokens: Int64(scanner.bytes.count + 3) / 4)
    }

    private mutating func readMember(_ name: MemberName) throws(JSONFault) {
        if try claims(name, "model") { return try readModel() }
        guard canStream else { return try scanner.skipValue() }
        if try claims(name, "stream") { return try readStream() }
        if try claims(name, "max_tokens") { return try readMaximum("max_tokens") }
        if dialect == .openAIResponses, try claims(name, "max_output_tokens") {
            return try readMaximum("max_output_tokens")
        }
        guard isChat else { return try scanner.skipValue() }
        if try claims(name, "stream_options") { return try readStreamOptions() }
        if try claims(name, "max_completion_tokens") { return try readMaximum("max_completion_tokens") }
        try scanner.skipValue()
    }

    /// Whether a name is the one meant; refuses another spelling of it.
    @inline(__always)
    private func claims(
        _ name: MemberName, _ literal: StaticString, in parent: String = ""
    ) throws(JSONFault) -> Bool {
        if name.matches(literal) { return true }
        guard !name.resembles(literal) else {
            throw JSONFault(
                "write it in lower case; upstreams differ on other spellings", at: name.start,
                field: "\(parent)\(literal)")
        }
        return false
    }

    private mutating func readModel() throws(JSONFault) {
        _ = scanner.peek()
        let start = scanner.position
        guard let text = try scanner.takeText() else {
            throw JSONFault("it must be a string", at: start, field: "model")
        }
        do throws(NameRefusal) {
            model = try ModelName(text)
        } catch {
            throw JSONFault(error.sentence, at: start, field: "model")
        }
        modelRange = start..<scanner.position
    }

    private mutating func readStream() throws(JSONFault) {
        if try scanner.takeNull() { return }
        guard let value = try scanner.takeBool() else {
            throw JSONFault("it must be true or false", at: scanner.position, field: "stream")
        }
        stream = value
    }

    private mutating func readMaximum(_ field: String) throws(JSONFault) {
        if try scanner.takeNull() { return }
        let start = scanner.position
        guard let value = try scanner.takeCount() else {
            throw JSONFault("it must be a whole number of tokens", at: start, field: field)
        }
        maxOutputTokens = max(maxOutputTokens ?? 0, value)
    }

    private mutating func readStreamOptions() throws(JSONFault) {
        let isNull = try scanner.takeNull()
        guard !isNull else {
            streamOptions = .init(
                range: scanner.position - 4..<scanner.position, isNull: true, isEmpty: true,
                includesUsage: false,
                includeUsageRange: nil)
            return
        }
        let start = scanner.position
        guard scanner.peek() == UInt8(ascii: "{") else {
            throw JSONFault("it must be an object", at: start, field: "stream_options")
        }
        try scanner.enterObject()
        var names = MemberNames()
        var isEmpty = true
        var includesUsage = false
        var includeUsageRange: Range<Int>?
        while let raw = try scanner.nextMember() {
            isEmpty = false
            let name = try names.admit(raw, in: scanner)
            if try claims(name, "include_usage", in: "stream_options.") {
                (includesUsage, includeUsageRange) = try readIncludeUsage()
            } else {
                try scanner.skipValue()
            }
        }
        streamOptions = .init(
            range: start..<scanner.position, isNull: false, isEmpty: isEmpty, includesUsage: includesUsage,
            includeUsageRange: includeUsageRange)
    }

    private mutating func readIncludeUsage() throws(JSONFault) -> (Bool, Range<Int>) {
        _ = scanner.peek()
        let start = scanner.position
        if try scanner.takeNull() { return (false, start..<scanner.position) }
        guard let value = try scanner.takeBool() else {
            throw JSONFault("it must be true or false", at: start, field: "stream_options.include_usage")
        }
        return (value, start..<scanner.position)
    }
}

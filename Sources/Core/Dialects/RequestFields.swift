package import Domain

/// What a decision needs of a call's body, and where it stands in the bytes.
package struct RequestFields: Sendable, Equatable {
    package let model: ModelName
    /// The model's value with its quotes.
    package let modelRange: Range<Int>
    package let stream: Bool
    /// The value of `stream_options` as it stands, also null; nil when the member is absent.
    package let streamOptions: Range<Int>?
    /// Whether `stream_options` has a member: if not, it is replaced whole.
    package let streamOptionsFilled: Bool
    /// Whether the caller asked for usage in the stream.
    package let asksForUsage: Bool
    /// The value of `include_usage`, where `stream_options` holds it.
    package let includeUsageRange: Range<Int>?
    package let maxTokens: Int64?
    /// Just behind the body's opening brace.
    package let bodyStart: Int
    package let bodyBytes: Int

    /// Input estimate plus the most output asked for: four bytes of body count as a token (the rule of thumb of
    /// OpenAI's token guide), and 256 output tokens where the caller set no bound. The true figure replaces it when
    /// the call settles.
    package var estimatedTokens: Int64 { Int64(bodyBytes / 4) + min(maxTokens ?? 256, 1_000_000) }

    /// The input's part of the estimate.
    package var estimatedInput: Int64 { Int64(bodyBytes / 4) }

    private static let owned = ["model", "stream", "stream_options", "max_tokens", "max_completion_tokens"]

    /// Reads a body. Refuses what is not JSON, a field of the wrong type, and any spelling of an owned field that
    /// another reader might take for it (twice, or in another case).
    package static func scan(_ body: UnsafeRawBufferPointer, as dialect: Dialect) throws(CallFailure) -> RequestFields {
        do throws(JSONScanner.Fault) {
            return try read(body)
        } catch {
            if let field = owned.first(where: { error.what.hasPrefix("\($0) ") || error.what == "\($0) is missing" }) {
                throw CallFailure(.invalidRequest, source: .caller, error.what, field: field)
            }
            throw CallFailure(
                .invalidRequest, source: .caller, "the body is not acceptable JSON: \(error.what) at byte \(error.offset)")
        }
    }

    private static func read(_ body: UnsafeRawBufferPointer) throws(JSONScanner.Fault) -> RequestFields {
        var found: [JSONScanner.Value?] = [nil, nil, nil, nil, nil]
        try JSONScanner.members(of: body) { (key, escaped, value) throws(JSONScanner.Fault) in
            guard let index = try ownedIndex(key, escaped: escaped, in: body) else { return }
            guard found[index] == nil else {
                throw JSONScanner.Fault(offset: key.lowerBound, what: "\(owned[index]) stands twice")
            }
            found[index] = value
        }
        guard let modelValue = found[0] else { throw JSONScanner.Fault(offset: 0, what: "model is missing") }
        guard let text = JSONScanner.text(of: modelValue, in: body) else {
            throw JSONScanner.Fault(offset: modelValue.range.lowerBound, what: "model must be a string")
        }
        let model: ModelName
        do throws(NameRefusal) {
            model = try ModelName(text)
        } catch {
            throw JSONScanner.Fault(
                offset: modelValue.range.lowerBound, what: "model is not a model name: \(error.sentence)")
        }
        let options = try streamOptions(found[2], in: body)
        return RequestFields(
            model: model, modelRange: modelValue.range, stream: try flag(found[1], "stream", in: body),
            streamOptions: found[2]?.range, streamOptionsFilled: options.filled, asksForUsage: options.asks,
            includeUsageRange: options.range, maxTokens: try count(found[4], found[3], in: body),
            bodyStart: openingBrace(body) + 1, bodyBytes: body.count)
    }

    /// Which owned field a name is; a name that differs from one only in case is refused.
    private static func ownedIndex(_ key: Range<Int>, escaped: Bool, in body: UnsafeRawBufferPointer)
        throws(JSONScanner.Fault) -> Int?
    {
        if !escaped {
            guard key.count >= 5, key.count <= 21 else { return nil }
        }
        let name: [UInt8]
        if escaped {
            guard let text = JSONScanner.text(of: key, in: body) else {
                throw JSONScanner.Fault(offset: key.lowerBound, what: "a member's name holds a lone surrogate")
            }
            name = Array(text.utf8)
        } else {
            name = Array(body[key])
        }
        for (index, field) in owned.enumerated() {
            guard name.count == field.utf8.count || escaped else { continue }
            if name.elementsEqual(field.utf8) { return index }
            let folded = name.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
            if folded.elementsEqual(field.utf8) {
                throw JSONScanner.Fault(offset: key.lowerBound, what: "\(field) must be written in lower case")
            }
        }
        return nil
    }

    private static func flag(_ value: JSONScanner.Value?, _ name: String, in body: UnsafeRawBufferPointer)
        throws(JSONScanner.Fault) -> Bool
    {
        guard let value, value.kind != .null else { return false }
        guard value.kind == .bool else {
            throw JSONScanner.Fault(offset: value.range.lowerBound, what: "\(name) must be true or false")
        }
        return body[value.range.lowerBound] == UInt8(ascii: "t")
    }

    private static func count(
        _ first: JSONScanner.Value?, _ second: JSONScanner.Value?, in body: UnsafeRawBufferPointer
    ) throws(JSONScanner.Fault) -> Int64? {
        for value in [first, second] {
            guard let value, value.kind != .null else { continue }
            guard let number = JSONScanner.integer(of: value, in: body), number >= 0 else {
                throw JSONScanner.Fault(
                    offset: value.range.lowerBound, what: "max_tokens must be a whole number, 0 or more")
            }
            return number
        }
        return nil
    }

    private static func streamOptions(_ value: JSONScanner.Value?, in body: UnsafeRawBufferPointer)
        throws(JSONScanner.Fault) -> (asks: Bool, range: Range<Int>?, filled: Bool)
    {
        guard let value, value.kind != .null else { return (false, nil, false) }
        guard value.kind == .object else {
            throw JSONScanner.Fault(offset: value.range.lowerBound, what: "stream_options must be an object")
        }
        var found: JSONScanner.Value?
        var filled = false
        try JSONScanner.members(of: value, in: body) { (key, _, member) throws(JSONScanner.Fault) in
            filled = true
            guard JSONScanner.text(of: key, in: body).map({ $0.utf8.elementsEqual("include_usage".utf8) }) ?? false
            else { return }
            guard found == nil else {
                throw JSONScanner.Fault(offset: key.lowerBound, what: "stream_options holds include_usage twice")
            }
            found = member
        }
        return (try flag(found, "stream_options.include_usage", in: body), found?.range, filled)
    }

    private static func openingBrace(_ body: UnsafeRawBufferPointer) -> Int {
        body.firstIndex(of: UInt8(ascii: "{")) ?? 0
    }
}

/// One splice that turns the caller's body into the upstream's; everything else goes through byte for byte.
package struct BodyEdit: Sendable, Equatable {
    package let range: Range<Int>
    package let replacement: [UInt8]

    /// The edits that an attempt needs, in order of place.
    ///
    /// - Parameters:
    ///   - upstreamModel: what the provider calls the model.
    ///   - askForUsage: add `stream_options.include_usage` where the caller did not (OpenAI chat streams only).
    package static func edits(_ fields: RequestFields, upstreamModel: ModelName, askForUsage: Bool) -> [BodyEdit] {
        var edits: [BodyEdit] = []
        if fields.model != upstreamModel {
            edits.append(BodyEdit(range: fields.modelRange, replacement: Array("\"\(upstreamModel)\"".utf8)))
        }
        if askForUsage, fields.stream, !fields.asksForUsage { edits.append(usageEdit(fields)) }
        return edits.sorted { $0.range.lowerBound < $1.range.lowerBound }
    }

    private static func usageEdit(_ fields: RequestFields) -> BodyEdit {
        if let range = fields.includeUsageRange { return BodyEdit(range: range, replacement: Array("true".utf8)) }
        if let options = fields.streamOptions {
            guard fields.streamOptionsFilled else {
                return BodyEdit(range: options, replacement: Array(#"{"include_usage":true}"#.utf8))
            }
            let inside = options.lowerBound + 1
            return BodyEdit(range: inside..<inside, replacement: Array(#""include_usage":true,"#.utf8))
        }
        let start = fields.bodyStart
        return BodyEdit(
            range: start..<start, replacement: Array(#""stream_options":{"include_usage":true},"#.utf8))
    }
}

public import Domain

/// One splice of a body on its way to the provider: these bytes instead of that range.
///
/// A body goes up as the caller wrote it but for these: re-encoding would cost more than the whole decision, and could
/// change what the provider reads.
public struct BodyEdit: Hashable, Sendable {
    public let range: Range<Int>
    public let replacement: [UInt8]

    public init(range: Range<Int>, replacement: [UInt8]) {
        self.range = range
        self.replacement = replacement
    }

    /// What must change: the model, if the target calls it otherwise, and `stream_options.include_usage`, if the
    /// gateway needs the usage of a chat stream and the caller did not ask for it. In order, never overlapping.
    public static func edits(
        fields: RequestFields, upstreamModel: ModelName, askForUsage: Bool
    ) -> [BodyEdit] {
        var edits: [BodyEdit] = []
        // A value written with escapes is longer than its text and two quotes; it goes up in plain spelling.
        if upstreamModel != fields.model || fields.modelRange.count != fields.model.text.utf8.count + 2 {
            // A model name holds no byte that JSON would have to escape.
            edits.append(
                .init(range: fields.modelRange, replacement: Array("\"\(upstreamModel.text)\"".utf8)))
        }
        if askForUsage, fields.dialect == .openAIChat, fields.stream, !fields.callerAskedForUsage {
            edits.append(usageEdit(fields))
        }
        return edits.sorted { $0.range.lowerBound < $1.range.lowerBound }
    }

    private static func usageEdit(_ fields: RequestFields) -> BodyEdit {
        guard let options = fields.streamOptions else {
            // There is at least one member, the model, so a comma must follow.
            return insertion(at: fields.firstMember, #""stream_options":{"include_usage":true},"#)
        }
        if options.isNull {
            return .init(range: options.range, replacement: Array(#"{"include_usage":true}"#.utf8))
        }
        if let range = options.includeUsageRange {
            return .init(range: range, replacement: Array("true".utf8))
        }
        return insertion(
            at: options.range.lowerBound + 1,
            options.isEmpty ? #""include_usage":true"# : #""include_usage":true,"#)
    }

    private static func insertion(at position: Int, _ text: String) -> BodyEdit {
        .init(range: position..<position, replacement: Array(text.utf8))
    }

    /// The length of the edited body.
    public static func editedCount(_ edits: [BodyEdit], original: Int) -> Int {
        edits.reduce(original) { $0 - $1.range.count + $1.replacement.count }
    }

    /// Hands the edited body piece by piece to `write`; the pieces are lent for the duration of each call.
    public static func apply(
        _ edits: [BodyEdit], to original: UnsafeRawBufferPointer, write: (UnsafeRawBufferPointer) -> Void
    ) {
        var position = 0
        for edit in edits {
            if edit.range.lowerBound > position {
                write(UnsafeRawBufferPointer(rebasing: original[position..<edit.range.lowerBound]))
            }
            edit.replacement.withUnsafeBytes { if !$0.isEmpty { write($0) } }
            position = edit.range.upperBound
        }
        if position < original.count { write(UnsafeRawBufferPointer(rebasing: original[position...])) }
    }
}

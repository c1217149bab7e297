extension SourceRule {
    /// swift-format's rule of this kind asks for a comment on every public member too, and for no sentence.
    static let documented = SourceRule(
        name: "undocumented public type", instead: "begin its comment with one sentence on what it is for"
    ) { file in
        declaredTypes(in: file).filter(\.isPublic).compactMap { type in
            let comment = documentation(above: type.line, in: file)
            if comment.isEmpty { return (type.line, "\(type.name) has no documentation comment") }
            if !firstParagraphEnds(comment) {
                return (type.line, "\(type.name)'s first line is not a sentence")
            }
            return nil
        }
    }

    /// The documentation comment that stands above a line, attributes between them skipped.
    private static func documentation(above number: Int, in file: SwiftText) -> [String] {
        var above = file.lines.prefix(number - 1)
        while let last = above.last, trimmed(last.code).hasPrefix("@") || isPlainComment(last) {
            above.removeLast()
        }
        let comment = above.reversed().prefix { $0.isComment && $0.comment.hasPrefix("///") }.reversed()
        return comment.map { trimmed($0.comment.dropFirst(3)) }
    }

    private static func isPlainComment(_ line: SwiftText.Line) -> Bool {
        line.isComment && !line.comment.hasPrefix("///")
    }

    private static func firstParagraphEnds(_ comment: [String]) -> Bool {
        let paragraph = comment.prefix { !$0.isEmpty }.joined(separator: " ")
        return [". ", "; ", ": "].contains { (paragraph + " ").contains($0) }
    }
}

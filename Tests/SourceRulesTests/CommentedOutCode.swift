/// Tells a plain comment that reads as a statement from one that reads as a sentence.
///
/// A heuristic that prefers to miss: examples of use belong into documentation comments, which it leaves alone.
struct CommentedOutCode {
    private let statements: [Regex<Substring>] = [
        // a variable or constant that gets a value
        /(?:(?:private|fileprivate|public|static|final|mutating|override|@\w+) )*(?:let|var) \w+(?:: ?[^=]+)? = .+/,
        // a function's head
        /(?:(?:private|fileprivate|public|static|final|mutating|override|@\w+) )*func [\w`]+[(<].*/,
        // the head of a block
        /(?:if|guard|while|switch|for|else|do|catch|struct|enum|class|extension)\b.*\{/,
        /return [\w.]+[(\[].*[)\]]/,
        /(?:public |internal )?import [A-Z]\w*/,
        // the end of a block or list
        /[})\]]+[;,]?/,
        /(?:try[?!]? |await )+[\w.]+\(.*/,
        // an assignment
        /\w+(?:\.\w+)* [-+*\/]?= [\w.\[("]+(?:\(.*\))?/,
        // a call
        /\w+(?:\.\w+)*\((?:\w+: ?)?[^ ]*\)(?: \{.*)?/,
    ]

    func matches(_ comment: String) -> Bool {
        guard comment.hasPrefix("//"), !comment.hasPrefix("///") else { return false }
        let text = trimmed(comment.dropFirst(2))
        return !text.isEmpty && statements.contains { (try? $0.wholeMatch(in: text)) != nil }
    }
}

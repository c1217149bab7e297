/// One Swift file, line by line, with what is code kept apart from what is comment or text.
struct SwiftText {
    struct Line {
        /// Counted from 1.
        let number: Int
        /// As it stands in the file.
        let raw: String
        /// The same length in bytes, comments and the insides of string literals blanked; quotes stay.
        let code: String
        /// The comment that ends this line, from its slashes on; empty if there is none.
        let comment: String
        /// True when nothing but the comment stands here.
        var isComment: Bool { !comment.isEmpty && code.allSatisfy { $0 == " " } }
        /// True when there is nothing at all.
        var isBlank: Bool { raw.allSatisfy { $0 == " " } }
    }

    let path: String
    let lines: [Line]
    /// The whole file with comments blanked and string literals as they are.
    let withoutComments: [UInt8]
    /// The whole file with comments and the insides of string literals blanked.
    let code: [UInt8]

    init(path: String, text: String) {
        self.path = path
        var lexer = Lexer(source: Array(text.utf8))
        lexer.run()
        code = lexer.code
        withoutComments = lexer.withoutComments
        lines = Self.lines(of: lexer)
    }

    private static func lines(of lexer: Lexer) -> [Line] {
        let newline = UInt8(ascii: "\n")
        let raw = lexer.source.split(separator: newline, omittingEmptySubsequences: false)
        return raw.enumerated().map { index, bytes in
            let start = lexer.comments[bytes.startIndex..<bytes.endIndex].firstIndex(of: true)
            let comment = start.map { String(decoding: lexer.source[$0..<bytes.endIndex], as: UTF8.self) }
            return Line(
                number: index + 1, raw: String(decoding: bytes, as: UTF8.self),
                code: String(decoding: lexer.code[bytes.startIndex..<bytes.endIndex], as: UTF8.self),
                comment: comment ?? "")
        }
    }
}

/// Tells code, comments and string literals apart, as far as the rules need it.
///
/// Knows nested block comments, raw and multi-line strings and interpolation (what stands in `\( )` is code).
/// Does not know regular-expression literals; the sources have none.
private struct Lexer {
    private enum Place {
        case code(open: Int)
        case literal(hashes: Int, quotes: Int)
    }

    let source: [UInt8]
    var code: [UInt8]
    var withoutComments: [UInt8]
    /// One flag for each byte: it belongs to a comment.
    var comments: [Bool]
    private var places: [Place] = [.code(open: 0)]
    private var at = 0

    init(source: [UInt8]) {
        self.source = source
        code = source
        withoutComments = source
        comments = Array(repeating: false, count: source.count)
    }

    mutating func run() {
        while at < source.count {
            switch places.last {
            case .literal(let hashes, let quotes): inLiteral(hashes: hashes, quotes: quotes)
            case .code(let open): inCode(open: open)
            case nil: places = [.code(open: 0)]
            }
        }
    }

    private mutating func inCode(open: Int) {
        switch source[at] {
        case UInt8(ascii: "/") where sees("//"):
            while at < source.count, source[at] != UInt8(ascii: "\n") { skipComment() }
        case UInt8(ascii: "/") where sees("/*"): blockComment()
        case UInt8(ascii: "\""), UInt8(ascii: "#"):
            guard let (hashes, quotes) = literalStart() else { return at += 1 }
            at += hashes + quotes
            places.append(.literal(hashes: hashes, quotes: quotes))
        case UInt8(ascii: "("):
            places[places.count - 1] = .code(open: open + 1)
            at += 1
        case UInt8(ascii: ")"):
            if open == 0, places.count > 1 {
                places.removeLast()
            } else {
                places[places.count - 1] = .code(open: max(0, open - 1))
            }
            at += 1
        default: at += 1
        }
    }

    private mutating func inLiteral(hashes: Int, quotes: Int) {
        let fence = String(repeating: "#", count: hashes)
        switch source[at] {
        case UInt8(ascii: "\\") where sees("\\" + fence + "("):
            blank(1 + hashes)
            at += 1
            places.append(.code(open: 0))
        case UInt8(ascii: "\\") where sees("\\" + fence): blank(2 + hashes)
        case UInt8(ascii: "\"") where sees(String(repeating: "\"", count: quotes) + fence):
            at += quotes + hashes
            places.removeLast()
        case UInt8(ascii: "\n") where quotes == 1: places.removeLast()
        default: blank(1)
        }
    }

    private mutating func blockComment() {
        var depth = 0
        repeat {
            if sees("/*") {
                depth += 1
                skipComment()
            } else if sees("*/") {
                depth -= 1
                skipComment()
            }
            skipComment()
        } while depth > 0 && at < source.count
    }

    /// The number of hashes and quotes of a string literal that begins here.
    private func literalStart() -> (hashes: Int, quotes: Int)? {
        var index = at
        while index < source.count, source[index] == UInt8(ascii: "#") { index += 1 }
        guard index < source.count, source[index] == UInt8(ascii: "\"") else { return nil }
        let three =
            index + 2 < source.count && source[index...(index + 2)].allSatisfy { $0 == UInt8(ascii: "\"") }
        return (index - at, three ? 3 : 1)
    }

    private func sees(_ text: String) -> Bool {
        let bytes = text.utf8
        return at + bytes.count <= source.count && source[at..<(at + bytes.count)].elementsEqual(bytes)
    }

    private mutating func skipComment() {
        guard at < source.count else { return }
        if source[at] != UInt8(ascii: "\n") {
            code[at] = UInt8(ascii: " ")
            withoutComments[at] = UInt8(ascii: " ")
            comments[at] = true
        }
        at += 1
    }

    private mutating func blank(_ count: Int) {
        for _ in 0..<count where at < source.count {
            if source[at] != UInt8(ascii: "\n") { code[at] = UInt8(ascii: " ") }
            at += 1
        }
    }
}

import Testing

/// A place that breaks a rule.
struct Offence: CustomStringConvertible {
    let rule: String
    let file: String
    let line: Int
    let what: String
    var description: String { "\(file):\(line): \(rule): \(what)" }
}

/// One rule about the text of a source file, and what to do instead.
struct SourceRule: CustomTestStringConvertible, Sendable {
    let name: String
    /// What to do instead, shown with each offence.
    let instead: String
    let find: @Sendable (SwiftText) -> [(line: Int, what: String)]

    var testDescription: String { name }

    func offences(in file: SwiftText) -> [Offence] {
        find(file).map { Offence(rule: name, file: file.path, line: $0.line, what: "\($0.what); \(instead)") }
    }

    /// A rule that looks at the code of each line by itself.
    static func line(
        _ name: String, instead: String, _ breaks: @escaping @Sendable (String) -> Bool
    ) -> Self {
        Self(name: name, instead: instead) { file in
            file.lines.filter { breaks($0.code) }.map { ($0.number, trimmed($0.raw)) }
        }
    }
}

/// The text without blanks at its ends.
func trimmed(_ text: some StringProtocol) -> String {
    var rest = Substring(text)
    while rest.first == " " { rest.removeFirst() }
    while rest.last == " " { rest.removeLast() }
    return String(rest)
}

/// Whether a byte can stand inside an identifier.
func isIdentifier(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || byte >= 0x80 || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
}

/// The places where a text stands in a line of code with no identifier running on at either end.
func occurrences(of text: String, in code: String) -> [Int] {
    let line = Array(code.utf8)
    let wanted = Array(text.utf8)
    guard line.count >= wanted.count, let first = wanted.first, let last = wanted.last else { return [] }
    return (0...(line.count - wanted.count)).filter { start in
        let end = start + wanted.count
        guard line[start] == first, line[start..<end].elementsEqual(wanted) else { return false }
        if isIdentifier(first), start > 0, isIdentifier(line[start - 1]) { return false }
        return !(isIdentifier(last) && end < line.count && isIdentifier(line[end]))
    }
}

/// Whether a text stands in a line of code, see `occurrences`.
func contains(_ text: String, in code: String) -> Bool { !occurrences(of: text, in: code).isEmpty }

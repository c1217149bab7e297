/// What `/` narrows a table by: `text` anywhere in a row, `field=text` in one column, `!` before either for the rest.
struct Filter: Sendable, Hashable {
    private struct Term: Sendable, Hashable {
        let inverse: Bool
        /// Lower-case beginning of a column's title; nil = any column.
        let field: [UInt8]?
        let needle: [UInt8]
    }
    private let terms: [Term]

    /// Reads terms separated by blanks; all of them must hold.
    init(_ text: String) {
        terms = text.split(separator: " ").compactMap { word in
            var bytes = word.utf8.map(Self.folded)
            let inverse = bytes.first == UInt8(ascii: "!")
            if inverse { bytes.removeFirst() }
            var field: [UInt8]?
            if let equals = bytes.firstIndex(of: UInt8(ascii: "=")), equals > 0 {
                field = Array(bytes[..<equals])
                bytes = Array(bytes[(equals + 1)...])
            }
            return bytes.isEmpty ? nil : Term(inverse: inverse, field: field, needle: bytes)
        }
    }

    var isEmpty: Bool { terms.isEmpty }

    func accepts(columns: [Listing.Column], text: (Int) -> String) -> Bool {
        terms.allSatisfy { term in
            let found = columns.indices.contains { index in
                if let field = term.field, !Self.begins(columns[index].title, with: field) { return false }
                return Self.contains(text(index), term.needle)
            }
            return found != term.inverse
        }
    }

    private static func folded(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    static func begins(_ text: String, with needle: [UInt8]) -> Bool {
        text.utf8.count >= needle.count && zip(text.utf8, needle).allSatisfy { folded($0) == $1 }
    }

    /// Whether the needle (lower case) stands anywhere in the text, whatever its case.
    static func contains(_ text: String, _ needle: [UInt8]) -> Bool {
        guard let first = needle.first else { return true }
        var text = text
        return text.withUTF8 { bytes in
            guard bytes.count >= needle.count else { return false }
            for start in 0...(bytes.count - needle.count) where folded(bytes[start]) == first {
                if (1..<needle.count).allSatisfy({ folded(bytes[start + $0]) == needle[$0] }) { return true }
            }
            return false
        }
    }
}

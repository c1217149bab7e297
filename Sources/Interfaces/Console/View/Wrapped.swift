/// Breaks sentences into lines at blanks.
enum Wrapped {
    /// Lines of at most `width` cells; a word that is longer is cut into pieces.
    static func lines(_ text: String, width: Int) -> [String] {
        guard width > 0 else { return [] }
        var out: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            var rest = Substring(word)
            if !line.isEmpty, Canvas.cells(of: line) + 1 + Canvas.cells(of: String(rest)) > width {
                out.append(line)
                line = ""
            }
            while Canvas.cells(of: String(rest)) > width {
                out.append(String(rest.prefix(width)))
                rest = rest.dropFirst(width)
            }
            line += (line.isEmpty ? "" : " ") + rest
        }
        if !line.isEmpty { out.append(line) }
        return out
    }
}

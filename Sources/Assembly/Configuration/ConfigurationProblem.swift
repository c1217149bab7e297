/// Why a configuration is refused: file, line, what is wrong and what to do.
package struct ConfigurationProblem: Error, Equatable, CustomStringConvertible {
    package let file: String
    /// 1-based; 0 when no line can be named.
    package let line: Int
    package let sentence: String

    package init(file: String, line: Int, _ sentence: String) {
        self.file = file
        self.line = line
        self.sentence = sentence
    }

    package var description: String { line > 0 ? "\(file):\(line): \(sentence)" : "\(file): \(sentence)" }
}

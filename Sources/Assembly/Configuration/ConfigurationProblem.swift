/// Why a configuration is refused: file, line, what is wrong and what to do.
public struct ConfigurationProblem: Error, Equatable, CustomStringConvertible {
    public let file: String
    /// 1-based; 0 when no line can be named.
    public let line: Int
    public let sentence: String

    public init(file: String, line: Int, _ sentence: String) {
        self.file = file
        self.line = line
        self.sentence = sentence
    }

    public var description: String { line > 0 ? "\(file):\(line): \(sentence)" : "\(file): \(sentence)" }
}

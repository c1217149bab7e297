/// Why some bytes are not the JSON that was expected: what, and where.
public struct JSONFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// The offset of the first byte at fault, counted from 0.
    public let position: Int
    /// What was wrong there, as the end of "the body is not valid JSON: …".
    public let problem: String
    /// The member at fault, where the grammar is right and a value is not.
    public let field: String?

    public init(_ problem: String, at position: Int, field: String? = nil) {
        self.problem = problem
        self.position = position
        self.field = field
    }

    public var description: String {
        field.map { "'\($0)' \(problem) (byte \(position))" } ?? "\(problem) (byte \(position))"
    }
}

/// Why a provider's definition cannot be used: one sentence that says what is wrong, where, and what to do.
public struct ProviderRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    public let sentence: String

    public init(_ sentence: String) { self.sentence = sentence }

    public var description: String { sentence }
}

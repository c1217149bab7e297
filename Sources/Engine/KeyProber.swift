public import Cipher
public import Domain

/// Asks a provider whether a key works, with a call that costs nothing; supplied from outside.
public protocol KeyProber: Sendable {
    /// Never throws: what cannot be found out is `unknown`.
    func probe(_ provider: ProviderDefinition, secret: borrowing SecretBytes) async -> KeyProbeAnswer
}

/// What a provider said of a key.
public struct KeyProbeAnswer: Sendable, Hashable {
    public let verdict: KeyVerdict
    /// One sentence, without the provider's own text.
    public let sentence: String
    public init(verdict: KeyVerdict, sentence: String) {
        self.verdict = verdict
        self.sentence = sentence
    }
}

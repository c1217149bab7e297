package import Cipher
package import Domain

/// Asks a provider whether a key works, with a call that costs nothing; supplied from outside.
package protocol KeyProber: Sendable {
    /// Never throws: what cannot be found out is `unknown`.
    func probe(_ provider: ProviderDefinition, secret: borrowing SecretBytes) async -> KeyProbeAnswer
}

/// What a provider said of a key.
package struct KeyProbeAnswer: Sendable, Hashable {
    package let verdict: KeyVerdict
    /// One sentence, without the provider's own text.
    package let sentence: String
    package init(verdict: KeyVerdict, sentence: String) {
        self.verdict = verdict
        self.sentence = sentence
    }
}

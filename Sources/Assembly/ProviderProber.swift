import Cipher
import Domain
import Engine
import Providers

/// Asks providers whether keys work, over connections of its own.
struct ProviderProber: KeyProber {
    let probe: KeyProbe

    func probe(_ provider: ProviderDefinition, secret: borrowing SecretBytes) async -> KeyProbeAnswer {
        switch await probe.verify(provider, secret: secret) {
        case .verified: KeyProbeAnswer(verdict: .verified, sentence: "the provider accepts it")
        case .refused(let sentence): KeyProbeAnswer(verdict: .refused, sentence: sentence)
        case .unknown(let sentence): KeyProbeAnswer(verdict: .unknown, sentence: sentence)
        }
    }
}

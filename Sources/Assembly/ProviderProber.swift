import Cipher
import Domain
import Engine
import NIOCore
import Providers

/// Asks providers whether keys work, over connections of its own.
struct ProviderProber: KeyProber {
    private let probe: KeyProbe

    init(loop: any EventLoop, configuration: Configuration) {
        probe = KeyProbe(loop: loop, options: configuration.upstream, trust: configuration.trust)
    }

    func probe(_ provider: ProviderDefinition, secret: borrowing SecretBytes) async -> KeyProbeAnswer {
        let result = await probe.verify(provider, secret: secret)
        return KeyProbeAnswer(verdict: result.verdict, sentence: result.sentence)
    }
}

package import Dialects
package import Domain

/// Amazon Bedrock's Converse: the model in the path, requests signed or with a Bedrock API key.
///
/// After https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html (seen 2026-11-23). There is
/// no preset: each region has a host of its own. The runtime's host has no free call that would show whether a key
/// works, so such a key is believed until its first call.
package struct BedrockProvider: ProviderAdapter {
    package init() {}

    package var kind: ProviderKind { .bedrock }
    package var authorization: Authorization { .aws }
    package var defaultHeaders: [ProviderHeader] { [] }
    package var forwardedHeaders: [String] { [] }
    package var chatFormat: WireFormat { .bedrockConverse }
    package var namesModelInPath: Bool { true }
    package var presets: [ProviderDefinition] { [] }

    package func verificationPath(at definition: ProviderDefinition) -> String? { nil }

    package func path(for call: WireCall, at definition: ProviderDefinition) -> String? {
        guard let model = call.model, case .chat(.bedrockConverse) = call.purpose else { return nil }
        return BedrockPath(call.streamed ? .converseStream : .converse, model: model.text)?.path
    }
}

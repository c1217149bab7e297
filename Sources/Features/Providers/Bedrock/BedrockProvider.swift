public import Dialects
public import Domain

/// Amazon Bedrock's Converse: the model in the path, requests signed or with a Bedrock API key.
///
/// After https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html (seen 2026-11-23). There is
/// no preset: each region has a host of its own. The runtime's host has no free call that would show whether a key
/// works, so such a key is believed until its first call.
public struct BedrockProvider: ProviderAdapter {
    public init() {}

    public var kind: ProviderKind { .bedrock }
    public var authorization: Authorization { .aws }
    public var defaultHeaders: [ProviderHeader] { [] }
    public var forwardedHeaders: [String] { [] }
    public var chatFormat: WireFormat { .bedrockConverse }
    public var namesModelInPath: Bool { true }
    public var presets: [ProviderDefinition] { [] }

    public func verificationPath(at definition: ProviderDefinition) -> String? { nil }

    public func path(for call: WireCall, at definition: ProviderDefinition) -> String? {
        guard let model = call.model, case .chat(.bedrockConverse) = call.purpose else { return nil }
        return BedrockPath(call.streamed ? .converseStream : .converse, model: model.text)?.path
    }
}

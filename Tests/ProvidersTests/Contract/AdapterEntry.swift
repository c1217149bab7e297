import Dialects
import Domain
import Testing

@testable import Providers

/// One provider as the contract sees it: how it is called, and what its recorded answers hold.
///
/// Sources of the fixtures: OpenAI API reference, "Create chat completion" and "Error codes"; Azure OpenAI REST API
/// reference 2024-10-21; Anthropic API reference, "Messages", "Streaming messages" and "Errors"; Gemini API reference,
/// "Generating content", and google.rpc "error_details"; Amazon Bedrock API reference, "Converse" and "ConverseStream";
/// the API references of Mistral AI, Groq, DeepSeek, xAI, Together AI and OpenRouter, with their SDKs; the sources of
/// Ollama (`openai/openai.go`) and vLLM (`entrypoints/openai`).
struct AdapterEntry: Sendable, CustomTestStringConvertible {
    let name: String
    /// Where its recorded answers lie.
    let folder: String
    let kind: ProviderKind
    var prefix = "/v1"
    var quirks: ChatQuirks?
    var apiVersion: String?
    var keyless = false
    /// The key as it is stored, and the header in which it has to go.
    var key: String? = "sk-contract-5a1f0c"
    var keyHeader = "authorization: Bearer sk-contract-5a1f0c"
    /// Headers of the adapter's own.
    var defaults: [String] = []
    var model = "m"
    let path: String
    let streamPath: String
    /// nil where there is no free call.
    var verification: String?
    /// What every recorded answer was billed.
    let usage: Usage

    var testDescription: String { name }

    func definition(port: Int) throws -> ProviderDefinition {
        ProviderDefinition(
            name: try ProviderName(folder), kind: kind,
            origin: Origin(secure: false, host: "127.0.0.1", port: port), pathPrefix: prefix,
            keyless: keyless, quirks: quirks, apiVersion: apiVersion,
            region: kind == .bedrock ? "eu-central-1" : nil)
    }

    func answer(_ name: String) throws -> RecordedAnswer { try RecordedAnswer("\(folder)/\(name).http") }

    // MARK: The list

    private static let full = Usage(input: 20, cacheRead: 8, output: 5, reasoning: 4)
    /// Where reasoning is not told apart.
    private static let whole = Usage(input: 20, cacheRead: 8, output: 9)
    private static let plain = Usage(input: 28, output: 9)
    private static let arn =
        "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-5-v1:0"

    static let all: [AdapterEntry] = ownKinds + presets

    private static let ownKinds: [AdapterEntry] = [
        AdapterEntry(
            name: "azure by deployment", folder: "azure", kind: .azure, prefix: "/openai",
            apiVersion: "2024-10-21", keyHeader: "api-key: sk-contract-5a1f0c", model: "my-gpt",
            path: "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21",
            streamPath: "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21",
            verification: "/openai/models?api-version=2024-10-21", usage: full),
        AdapterEntry(
            name: "azure v1", folder: "azure", kind: .azure, prefix: "/openai/v1",
            keyHeader: "api-key: sk-contract-5a1f0c", path: "/openai/v1/chat/completions",
            streamPath: "/openai/v1/chat/completions", verification: "/openai/v1/models", usage: full),
        AdapterEntry(
            name: "bedrock, API key", folder: "bedrock", kind: .bedrock, prefix: "", model: arn,
            path:
                "/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3Ainference-profile%2Feu.anthropic.claude-sonnet-5-v1%3A0/converse",
            streamPath:
                "/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3Ainference-profile%2Feu.anthropic.claude-sonnet-5-v1%3A0/converse-stream",
            usage: whole),
        AdapterEntry(
            name: "bedrock, access key", folder: "bedrock", kind: .bedrock, prefix: "",
            key: "AKIACONTRACT5A1F0C7E:wJalrXUtnFEMI5a1f0c",
            keyHeader: "authorization: AWS4-HMAC-SHA256 Credential=",
            model: "anthropic.claude-sonnet-5-v1:0",
            path: "/model/anthropic.claude-sonnet-5-v1%3A0/converse",
            streamPath: "/model/anthropic.claude-sonnet-5-v1%3A0/converse-stream", usage: whole),
    ]

    /// One for each preset, whose data it takes over.
    private static let presets: [AdapterEntry] = ProviderList.presets.map { preset in
        let prefix = preset.pathPrefix
        let name = preset.name.text
        let used: Usage =
            switch name {
            case "anthropic": whole
            case "mistral", "together", "ollama", "vllm": plain
            default: full
            }
        let (path, streamPath) =
            switch preset.kind {
            case .anthropic: (prefix + "/messages", prefix + "/messages")
            case .gemini:
                (
                    prefix + "/models/m:generateContent", prefix + "/models/m:streamGenerateContent?alt=sse"
                )
            default: (prefix + "/chat/completions", prefix + "/chat/completions")
            }
        let header: String =
            switch preset.kind {
            case .anthropic: "x-api-key: sk-contract-5a1f0c"
            case .gemini: "x-goog-api-key: sk-contract-5a1f0c"
            default: "authorization: Bearer sk-contract-5a1f0c"
            }
        return AdapterEntry(
            name: name, folder: name, kind: preset.kind, prefix: prefix, quirks: preset.quirks,
            keyless: preset.keyless, keyHeader: header,
            defaults: preset.kind == .anthropic ? ["anthropic-version: 2023-06-01"] : [], path: path,
            streamPath: streamPath, verification: prefix + "/models", usage: used)
    }
}

/// A caller's call of one dialect, on its way to an entry's provider.
struct ContractCall: Sendable, CustomTestStringConvertible {
    let entry: AdapterEntry
    let dialect: Dialect

    var testDescription: String { "\(entry.name) from \(dialect.rawValue)" }

    /// Every entry, called from every dialect of chat.
    static let all: [ContractCall] = AdapterEntry.all.flatMap { entry in
        [Dialect.openAIChat, .openAIResponses, .anthropicMessages].compactMap { dialect in
            // Nothing is recorded of OpenAI's own responses: they pass as they are.
            let isRecorded = dialect != .openAIResponses || passage(entry, dialect) == .translated
            return isRecorded ? ContractCall(entry: entry, dialect: dialect) : nil
        }
    }

    private static func passage(_ entry: AdapterEntry, _ dialect: Dialect) -> Dialect.Passage? {
        dialect.passage(to: entry.kind)
    }

    /// The format of the answers; nil where they pass as they are.
    var format: WireFormat? {
        guard Self.passage(entry, dialect) == .translated else { return nil }
        return ProviderList.chatFormat(of: entry.kind)
    }

    func body(streamed: Bool) -> String {
        let stream = streamed ? #","stream":true"# : ""
        let model = #""model":"\#(entry.model)""#
        return switch dialect {
        case .openAIResponses: #"{\#(model),"input":"Hi"\#(stream)}"#
        case .anthropicMessages:
            #"{\#(model),"max_tokens":16,"messages":[{"role":"user","content":"Hi"}]\#(stream)}"#
        default: #"{\#(model),"messages":[{"role":"user","content":"Hi"}]\#(stream)}"#
        }
    }

    func source(streamed: Bool) throws -> Translator.Source {
        try Array(body(streamed: streamed).utf8).withUnsafeBytes { bytes in
            try Translator.read(bytes, as: dialect)
        }
    }

    /// What goes to the provider.
    func sent(streamed: Bool) throws -> String {
        guard let format else { return body(streamed: streamed) }
        let quirks = try entry.definition(port: 1).quirks
        let request = try Translator.request(
            source(streamed: streamed), in: format, for: WireTarget(model: entry.model, quirks: quirks))
        return String(decoding: request.body, as: UTF8.self)
    }

    func endpoint(port: Int, streamed: Bool) throws -> UpstreamEndpoint {
        try UpstreamEndpoint(
            entry.definition(port: port), dialect: dialect, model: ModelName(entry.model), streamed: streamed)
    }

    var context: AnswerContext {
        AnswerContext(id: "1", model: "m", created: WallTime(milliseconds: 0), wantsStreamUsage: true)
    }
}

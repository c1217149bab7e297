import Dialects
import Domain
import Testing

/// One answer by which one provider shows one row of the failure table.
struct FailureFixture: Sendable, CustomTestStringConvertible {
    /// Whose words they are: every kind, and every compatible provider that is known by name.
    enum Provider: String, Sendable, CaseIterable {
        case openai, azure, anthropic, gemini, bedrock
        case mistral, groq, deepseek, xai, together, openrouter, ollama, vllm

        var kind: ProviderKind {
            switch self {
            case .openai: .openai
            case .azure: .azure
            case .anthropic: .anthropic
            case .gemini: .gemini
            case .bedrock: .bedrock
            case .mistral, .groq, .deepseek, .xai, .together, .openrouter, .ollama, .vllm: .openaiCompatible
            }
        }
    }

    let failure: FailureClass
    let provider: Provider
    let status: Int
    /// `x-amzn-errortype`.
    let header: String?
    let body: String

    init(
        _ failure: FailureClass, _ provider: Provider, _ status: Int, _ body: String, header: String? = nil
    ) {
        self.failure = failure
        self.provider = provider
        self.status = status
        self.header = header
        self.body = body
    }

    var testDescription: String { "\(failure.rawValue) \(provider.rawValue) \(status)" }

    // MARK: The providers' envelopes

    /// OpenAI API reference, "Error codes"; Azure OpenAI, Groq, DeepSeek, Together and vLLM wrap theirs alike.
    static func openAI(_ type: String, _ code: String?, _ message: String = "M") -> String {
        let code = code.map { "\"\($0)\"" } ?? "null"
        return #"{"error":{"message":"\#(message)","type":"\#(type)","param":null,"code":\#(code)}}"#
    }

    /// Azure's own gateway in front of the models.
    static func azure(_ code: String, _ message: String = "M") -> String {
        #"{"error":{"code":"\#(code)","message":"\#(message)"}}"#
    }

    static func anthropic(_ type: String, _ message: String = "M", details: String = "null") -> String {
        #"{"type":"error","error":{"type":"\#(type)","message":"\#(message)","details":\#(details)},"request_id":"req_1"}"#
    }

    static func google(
        _ code: Int, _ status: String, _ message: String = "M", reason: String = "R", more: String = ""
    ) -> String {
        """
        {"error":{"code":\(code),"message":"\(message)","status":"\(status)","details":[{"@type":\
        "type.googleapis.com/google.rpc.ErrorInfo","reason":"\(reason)","domain":"googleapis.com"}\(more)]}}
        """
    }

    static func aws(_ message: String) -> String { #"{"message":"\#(message)"}"# }

    /// Mistral AI, flat.
    static func mistral(_ type: String, _ code: String, _ message: String = "M") -> String {
        #"{"object":"error","message":"\#(message)","type":"\#(type)","param":null,"code":"\#(code)"}"#
    }

    static func xAI(_ code: String, _ message: String) -> String {
        #"{"code":"\#(code)","error":"\#(message)"}"#
    }

    static func openRouter(_ code: Int, _ message: String, metadata: String = "{}") -> String {
        #"{"error":{"message":"\#(message)","code":\#(code),"metadata":\#(metadata)},"user_id":"u"}"#
    }

    /// Ollama's source, `openai.NewError`.
    static func ollama(_ type: String, _ message: String) -> String {
        #"{"error":{"message":"\#(message)","type":"\#(type)","param":null,"code":null}}"#
    }

    /// vLLM's source, `ErrorInfo`: the code is the status.
    static func vLLM(_ type: String, _ code: Int, _ message: String = "M") -> String {
        #"{"error":{"message":"\#(message)","type":"\#(type)","param":null,"code":\#(code)}}"#
    }
}

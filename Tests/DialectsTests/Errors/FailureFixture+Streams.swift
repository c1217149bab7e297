import Dialects
import Domain
import Testing

/// An error inside a stream that began with 200.
struct StreamFailureFixture: Sendable, CustomTestStringConvertible {
    let failure: FailureClass
    let provider: FailureFixture.Provider
    let dialect: Dialect
    /// What the provider sent up to the error and with it, in pieces as its framing has them.
    let events: [[UInt8]]
    let name: String

    init(
        _ failure: FailureClass, _ provider: FailureFixture.Provider, as dialect: Dialect = .openAIChat,
        _ name: String, _ events: String...
    ) {
        self.failure = failure
        self.provider = provider
        self.dialect = dialect
        self.name = name
        self.events = events.map { Array($0.utf8) }
    }

    /// Bedrock's, whose framing is its own.
    init(_ failure: FailureClass, bedrock name: String, _ events: [UInt8]...) {
        self.failure = failure
        provider = .bedrock
        dialect = .openAIChat
        self.name = name
        self.events = events
    }

    var testDescription: String { "\(failure.rawValue) \(provider.rawValue) \(name)" }

    private static let chunk =
        #"data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#
        + "\n\n"
    private static let messageStart =
        "event: message_start\n"
        + #"data: {"type":"message_start","message":{"id":"m","usage":{"input_tokens":1,"output_tokens":1}}}"#
        + "\n\n"
    private static let created =
        "event: response.created\n"
        + #"data: {"type":"response.created","sequence_number":0,"response":{"id":"r","status":"in_progress"}}"#
        + "\n\n"
    private static func data(_ text: String) -> String { "data: \(text)\n\n" }
    private static func event(_ name: String, _ text: String) -> String {
        "event: \(name)\ndata: \(text)\n\n"
    }
    private static func exception(_ name: String) -> [UInt8] {
        AWSEventStreamEncoder.exception(name, #"{"message":"M"}"#)
    }
    private static let start = AWSEventStreamEncoder.event("messageStart", #"{"role":"assistant"}"#)

    static let all: [StreamFailureFixture] = openAI + compatible + others

    private static let openAI: [StreamFailureFixture] = [
        .init(
            .providerFault, .openai, "error in a chunk", chunk,
            data(FailureFixture.openAI("server_error", nil))),
        .init(
            .keyRateLimit, .openai, "named event", chunk,
            event("error", FailureFixture.openAI("tokens", "rate_limit_exceeded"))),
        // OpenAI API reference, "Responses: streaming events", `error`: flat.
        .init(
            .keyQuota, .openai, as: .openAIResponses, "error after response.created", created,
            event(
                "error",
                #"{"type":"error","sequence_number":1,"code":"insufficient_quota","message":"You exceeded your current quota","param":null}"#
            )),
        .init(
            .keyQuota, .openai, as: .openAIResponses, "error with an envelope", created,
            event(
                "error",
                #"{"type":"error","error":{"type":"insufficient_quota","code":"insufficient_quota"}}"#)),
        .init(
            .keyRateLimit, .openai, as: .openAIResponses, "response.failed", created,
            event(
                "response.failed",
                #"{"type":"response.failed","response":{"id":"r","status":"failed","error":{"code":"rate_limit_exceeded","message":"M"}}}"#
            )),
        .init(
            .providerFault, .openai, as: .openAIResponses, "response.failed", created,
            event(
                "response.failed",
                #"{"type":"response.failed","response":{"id":"r","status":"failed","error":{"code":"server_error","message":"M"}}}"#
            )),
        .init(
            .contextWindow, .openai, as: .openAIResponses, "error", created,
            event(
                "error", #"{"type":"error","code":"context_length_exceeded","message":"M","param":"input"}"#)),
        .init(
            .contentPolicy, .azure, "behind what its filters said of the prompt",
            data(#"{"id":"","object":"","choices":[],"prompt_filter_results":[{"prompt_index":0}]}"#), chunk,
            data(FailureFixture.openAI("invalid_request_error", "content_filter"))),
        .init(
            .keyRateLimit, .azure, "code that is a status",
            data(#"{"choices":[],"prompt_filter_results":[]}"#), data(FailureFixture.azure("429", "M"))),
    ]

    private static let compatible: [StreamFailureFixture] = [
        .init(
            .overloaded, .mistral, "flat", chunk,
            data(FailureFixture.mistral("server_overloaded", "1900", "overloaded"))),
        .init(
            .providerFault, .groq, "x_groq", chunk,
            data(
                #"{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":null}],"x_groq":{"id":"r","error":"over capacity"}}"#
            )),
        .init(
            .keyQuota, .deepseek, "behind keep-alives", ": keep-alive\n\n", ": keep-alive\n\n",
            data(FailureFixture.vLLM("unknown_error", 402, "Insufficient Balance"))),
        .init(.badKey, .xai, "code that is a status", data(FailureFixture.vLLM("x", 401))),
        .init(.overloaded, .together, "type", chunk, data(FailureFixture.openAI("overloaded_error", nil))),
        // OpenRouter, "Errors and debugging": mid-stream errors.
        .init(
            .providerFault, .openrouter, "behind comments", ": OPENROUTER PROCESSING\n\n", chunk,
            data(
                #"{"id":"gen","object":"chat.completion.chunk","provider":"x","error":{"code":"server_error","message":"Provider disconnected"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#
            )),
        .init(
            .keyRateLimit, .openrouter, "error of the choice", chunk,
            data(
                #"{"id":"gen","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error","error":{"code":429,"message":"M"}}]}"#
            )),
        .init(
            .providerFault, .openrouter, "finish_reason alone", chunk,
            data(#"{"id":"gen","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#)),
        .init(
            .providerFault, .ollama, "error", data(FailureFixture.ollama("api_error", "model runner stopped"))
        ),
        .init(.callerFault, .vllm, "error", chunk, data(FailureFixture.vLLM("BadRequestError", 400))),
        .init(
            .providerFault, .vllm, "flat, as it was", chunk,
            data(#"{"object":"error","message":"M","type":"InternalServerError","param":null,"code":500}"#)),
    ]

    private static let others: [StreamFailureFixture] = [
        .init(
            .overloaded, .anthropic, as: .anthropicMessages, "error", messageStart,
            event("error", FailureFixture.anthropic("overloaded_error", "Overloaded"))),
        .init(
            .keyRateLimit, .anthropic, as: .anthropicMessages, "error",
            event("error", FailureFixture.anthropic("rate_limit_error"))),
        .init(
            .providerFault, .anthropic, as: .anthropicMessages, "error behind a ping", messageStart,
            event("ping", #"{"type":"ping"}"#), event("error", FailureFixture.anthropic("api_error"))),
        .init(
            .keyQuota, .anthropic, as: .anthropicMessages, "spend limit",
            event(
                "error",
                FailureFixture.anthropic(
                    "rate_limit_error", details: #"{"error_code":"enforced_spend_limit_reached"}"#))),
        .init(.keyRateLimit, .gemini, "error", data(FailureFixture.google(429, "RESOURCE_EXHAUSTED"))),
        .init(.overloaded, .gemini, "error", data(FailureFixture.google(503, "UNAVAILABLE"))),
        .init(
            .contentPolicy, .gemini, "blocked prompt",
            data(#"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3}}"#)),
        // Amazon Bedrock API reference, "ConverseStream": 500, 424, 503, 429, 400 and 408.
        .init(
            .providerFault, bedrock: "internalServerException", start, exception("internalServerException")),
        .init(
            .providerFault, bedrock: "modelStreamErrorException", start,
            exception("modelStreamErrorException")),
        .init(
            .overloaded, bedrock: "serviceUnavailableException", start,
            exception("serviceUnavailableException")),
        .init(.keyRateLimit, bedrock: "throttlingException", exception("throttlingException")),
        .init(.callerFault, bedrock: "validationException", exception("validationException")),
        .init(
            .timeoutBeforeFirstByte, bedrock: "modelTimeoutException", start,
            exception("modelTimeoutException")),
        .init(.providerFault, bedrock: "error", start, AWSEventStreamEncoder.error("InternalFailure", "M")),
    ]

    // MARK: Reading

    /// The error as each way of following the stream sees it: as it is where the caller speaks the provider's format,
    /// said anew where he speaks another.
    func faults() throws -> [UpstreamError] {
        var found: [UpstreamError] = []
        if provider.kind != .bedrock, provider.kind != .gemini {
            var reader = StreamReader(dialect: dialect, dropsUsage: true)
            for event in events {
                try lend(event) { (bytes) throws(StreamFault) in try reader.read(bytes) { _ in } }
            }
            found.append(try #require(reader.answer.fault, "as it is"))
            #expect(!reader.answer.sawContent && !reader.answer.ended)
        }
        let format: WireFormat? =
            switch (provider.kind, dialect) {
            case (.bedrock, _): .bedrockConverse
            case (.gemini, _): .geminiContents
            case (_, .anthropicMessages): .anthropicMessages
            case (_, .openAIChat): .openAIChat
            // Nobody is sent a translation into it.
            default: nil
            }
        if let format {
            let context = AnswerContext(id: "1", model: "m", created: WallTime(milliseconds: 0))
            var stream = Translator.stream(from: format, to: .openAIChat, in: context)
            var out: [UInt8] = []
            for event in events {
                try lend(event) { (bytes) throws(StreamFault) in try stream.read(bytes, into: &out) }
            }
            found.append(try #require(stream.fault, "translated"))
            #expect(!stream.sawContent && !stream.ended)
        }
        return found
    }
}

import Dialects
import Domain
import Testing

/// The failure table, row by row and provider by provider: what each says, in the words of its documentation, and what
/// the gateway does about it.
@Suite struct FailureTableTests {
    /// One answer of one provider.
    struct Fixture: Sendable, CustomTestStringConvertible {
        let failure: FailureClass
        let kind: ProviderKind
        /// Which one of the compatible providers, where it is one.
        let who: String
        let status: Int
        /// `x-amzn-errortype`.
        let header: String?
        let body: String

        init(
            _ failure: FailureClass, _ kind: ProviderKind, _ who: String, _ status: Int, _ body: String,
            header: String? = nil
        ) {
            self.failure = failure
            self.kind = kind
            self.who = who
            self.status = status
            self.header = header
            self.body = body
        }

        init(
            _ failure: FailureClass, _ kind: ProviderKind, _ status: Int, _ body: String,
            header: String? = nil
        ) {
            self.init(failure, kind, "", status, body, header: header)
        }

        var testDescription: String { "\(failure.rawValue) \(kind.rawValue) \(who) \(status)" }
    }

    private static func openAI(_ type: String, _ code: String, _ message: String = "M") -> String {
        #"{"error":{"message":"\#(message)","type":"\#(type)","param":null,"code":"\#(code)"}}"#
    }

    private static func anthropic(_ type: String, _ message: String = "M") -> String {
        #"{"type":"error","error":{"type":"\#(type)","message":"\#(message)"},"request_id":"req_1"}"#
    }

    private static func google(
        _ code: Int, _ status: String, _ message: String = "M", reason: String = "R"
    ) -> String {
        """
        {"error":{"code":\(code),"message":"\(message)","status":"\(status)","details":[{"@type":\
        "type.googleapis.com/google.rpc.ErrorInfo","reason":"\(reason)","domain":"googleapis.com"}]}}
        """
    }

    private static func aws(_ message: String) -> String { #"{"message":"\#(message)"}"# }

    static let fixtures: [Fixture] = [
        // Timeout before the first byte
        Fixture(.timeoutBeforeFirstByte, .openai, 504, ""),
        Fixture(.timeoutBeforeFirstByte, .azure, 408, #"{"error":{"code":"Timeout","message":"M"}}"#),
        Fixture(.timeoutBeforeFirstByte, .anthropic, 504, anthropic("timeout_error")),
        Fixture(.timeoutBeforeFirstByte, .gemini, 504, google(504, "DEADLINE_EXCEEDED")),
        Fixture(
            .timeoutBeforeFirstByte, .bedrock, 408, aws("Model has timed out"),
            header: "ModelTimeoutException"),
        Fixture(.timeoutBeforeFirstByte, .openaiCompatible, "openrouter", 408, #"{"error":{"code":408}}"#),

        // Fault of the provider
        Fixture(.providerFault, .openai, 500, openAI("server_error", "server_error")),
        Fixture(.providerFault, .azure, 500, #"{"error":{"code":"InternalServerError","message":"M"}}"#),
        Fixture(.providerFault, .anthropic, 500, anthropic("api_error")),
        Fixture(.providerFault, .gemini, 500, google(500, "INTERNAL")),
        Fixture(.providerFault, .bedrock, 424, aws("M"), header: "ModelErrorException"),
        Fixture(.providerFault, .bedrock, 500, aws("M"), header: "InternalServerException"),
        Fixture(.providerFault, .openaiCompatible, "mistral", 502, "<html>Bad Gateway</html>"),
        Fixture(
            .providerFault, .openaiCompatible, "ollama", 500, #"{"error":"llama runner process terminated"}"#),

        // Overloaded
        Fixture(
            .overloaded, .openai, 503,
            openAI("server_error", "x", "The engine is currently overloaded, please try again later")),
        Fixture(
            .overloaded, .azure, 503,
            openAI("server_error", "x", "That model is currently overloaded with other requests")),
        Fixture(.overloaded, .anthropic, 529, anthropic("overloaded_error", "Overloaded")),
        Fixture(
            .overloaded, .gemini, 503,
            google(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")),
        Fixture(.overloaded, .bedrock, 503, aws("M"), header: "ServiceUnavailableException"),
        Fixture(.overloaded, .bedrock, 429, aws("The model is not ready"), header: "ModelNotReadyException"),
        Fixture(
            .overloaded, .openaiCompatible, "together", 503,
            openAI("x", "x", "The server is overloaded or not ready yet.")),
        Fixture(.overloaded, .openaiCompatible, "groq", 498, openAI("x", "flex_capacity_exceeded")),

        // Rate limit of a key
        Fixture(.keyRateLimit, .openai, 429, openAI("requests", "rate_limit_exceeded")),
        Fixture(
            .keyRateLimit, .azure, 429,
            #"{"error":{"code":"429","message":"Requests to the API have exceeded call rate limit"}}"#),
        Fixture(.keyRateLimit, .anthropic, 429, anthropic("rate_limit_error")),
        Fixture(
            .keyRateLimit, .gemini, 429,
            google(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan")),
        Fixture(
            .keyRateLimit, .bedrock, 429, aws("Too many requests"),
            header: "ThrottlingException:http://internal/"),
        Fixture(.keyRateLimit, .openaiCompatible, "groq", 429, openAI("tokens", "rate_limit_exceeded")),
        Fixture(
            .keyRateLimit, .openaiCompatible, "mistral", 429,
            #"{"object":"error","message":"Service tier capacity exceeded","type":"x","code":"3505"}"#),

        // Money of a key
        Fixture(
            .keyQuota, .openai, 429,
            openAI("insufficient_quota", "insufficient_quota", "You exceeded your current quota")),
        Fixture(.keyQuota, .azure, 429, openAI("insufficient_quota", "insufficient_quota")),
        Fixture(
            .keyQuota, .anthropic, 400,
            anthropic("invalid_request_error", "Your credit balance is too low to access the Anthropic API.")),
        Fixture(.keyQuota, .anthropic, 402, anthropic("billing_error")),
        Fixture(.keyQuota, .bedrock, 400, aws("M"), header: "ServiceQuotaExceededException"),
        Fixture(
            .keyQuota, .openaiCompatible, "deepseek", 402,
            openAI("unknown_error", "invalid_request_error", "Insufficient Balance")),
        Fixture(
            .keyQuota, .openaiCompatible, "openrouter", 402,
            #"{"error":{"code":402,"message":"Insufficient credits"}}"#),
        Fixture(
            .keyQuota, .openaiCompatible, "xai", 403,
            #"{"code":"C","error":"Your newly created team doesn't have any credits yet."}"#),

        // Bad key
        Fixture(.badKey, .openai, 401, openAI("invalid_request_error", "invalid_api_key")),
        Fixture(
            .badKey, .azure, 401,
            #"{"error":{"code":"401","message":"Access denied due to invalid subscription key"}}"#),
        Fixture(.badKey, .anthropic, 401, anthropic("authentication_error", "invalid x-api-key")),
        Fixture(
            .badKey, .gemini, 400,
            google(400, "INVALID_ARGUMENT", "API key not valid.", reason: "API_KEY_INVALID")),
        Fixture(
            .badKey, .bedrock, 403, aws("The security token included in the request is invalid."),
            header: "UnrecognizedClientException"),
        Fixture(
            .badKey, .bedrock, 403, aws("The security token included in the request is expired"),
            header: "ExpiredTokenException"),
        Fixture(.badKey, .bedrock, 403, #"{"__type":"InvalidSignatureException","message":"M"}"#),
        Fixture(
            .badKey, .openaiCompatible, "xai", 400,
            #"{"code":"C","error":"Incorrect API key provided: xa***"}"#),
        Fixture(.badKey, .openaiCompatible, "mistral", 401, #"{"detail":"Unauthorized"}"#),

        // Not permitted
        Fixture(.notPermitted, .openai, 404, openAI("invalid_request_error", "model_not_found")),
        Fixture(.notPermitted, .azure, 404, #"{"error":{"code":"DeploymentNotFound","message":"M"}}"#),
        Fixture(.notPermitted, .anthropic, 403, anthropic("permission_error")),
        Fixture(.notPermitted, .gemini, 403, google(403, "PERMISSION_DENIED")),
        Fixture(
            .notPermitted, .gemini, 400,
            google(400, "FAILED_PRECONDITION", "User location is not supported for the API use.")),
        Fixture(
            .notPermitted, .bedrock, 403,
            aws("You don't have access to the model with the specified model ID."),
            header: "AccessDeniedException"),
        Fixture(
            .notPermitted, .openaiCompatible, "groq", 403,
            openAI("permissions_error", "model_permission_blocked_org")),

        // The caller's fault
        Fixture(.callerFault, .openai, 400, openAI("invalid_request_error", "invalid_value")),
        Fixture(.callerFault, .azure, 400, openAI("invalid_request_error", "unsupported_value")),
        Fixture(.callerFault, .anthropic, 404, anthropic("not_found_error", "model: claude-x")),
        Fixture(.callerFault, .anthropic, 413, anthropic("request_too_large")),
        Fixture(.callerFault, .gemini, 400, google(400, "INVALID_ARGUMENT", "Invalid value at contents")),
        Fixture(.callerFault, .bedrock, 400, aws("Malformed input request"), header: "ValidationException"),
        Fixture(.callerFault, .bedrock, 404, aws("M"), header: "ResourceNotFoundException"),
        Fixture(
            .callerFault, .openaiCompatible, "mistral", 422, #"{"detail":[{"loc":["body"],"msg":"extra"}]}"#),
        Fixture(
            .callerFault, .openaiCompatible, "ollama", 404,
            #"{"error":"model 'x' not found, try pulling it first"}"#),

        // Context window
        Fixture(.contextWindow, .openai, 400, openAI("invalid_request_error", "context_length_exceeded")),
        Fixture(.contextWindow, .azure, 400, openAI("invalid_request_error", "context_length_exceeded")),
        Fixture(
            .contextWindow, .anthropic, 400,
            anthropic("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")),
        Fixture(
            .contextWindow, .gemini, 400,
            google(
                400, "INVALID_ARGUMENT",
                "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).")),
        Fixture(
            .contextWindow, .bedrock, 400, aws("Input is too long for requested model."),
            header: "ValidationException"),
        Fixture(
            .contextWindow, .openaiCompatible, "vllm", 400,
            #"{"object":"error","message":"This model's maximum context length is 4096 tokens.","type":"BadRequestError","code":400}"#
        ),

        // Content policy
        Fixture(.contentPolicy, .openai, 400, openAI("invalid_request_error", "content_policy_violation")),
        Fixture(
            .contentPolicy, .azure, 400,
            #"{"error":{"code":"content_filter","message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy."}}"#
        ),
        Fixture(
            .contentPolicy, .anthropic, 400,
            anthropic("invalid_request_error", "Output blocked by content filtering policy")),
        Fixture(
            .contentPolicy, .openaiCompatible, "openrouter", 403,
            #"{"error":{"code":403,"message":"Input was flagged by moderation"}}"#),

        // Anything else
        Fixture(.unknownRefusal, .openai, 409, openAI("x", "x")),
        Fixture(.unknownRefusal, .anthropic, 418, anthropic("x")),
    ]

    @Test(arguments: fixtures)
    func `each provider's answer falls into its row`(fixture: Fixture) {
        let error = lend(fixture.body) { UpstreamError.read($0) }.labelled(fixture.header)
        #expect(error.classify(status: fixture.status, kind: fixture.kind) == fixture.failure)
    }

    @Test
    func `every row that a status can show has a fixture, and every kind has its own for the usual ones`() {
        let shown = Set(Self.fixtures.map(\.failure))
        // These are seen on the wire itself, not in an answer: the gateway's tests have them.
        let elsewhere: Set<FailureClass> = [.transport, .brokeBeforeContent, .brokeAfterContent, .cancelled]
        #expect(Set(FailureClass.allCases) == shown.union(elsewhere))
        for failure in [
            FailureClass.timeoutBeforeFirstByte, .providerFault, .overloaded, .keyRateLimit, .badKey,
            .notPermitted, .callerFault, .contextWindow,
        ] {
            let kinds = Set(Self.fixtures.filter { $0.failure == failure }.map(\.kind))
            #expect(kinds == Set(ProviderKind.allCases), "\(failure.rawValue)")
        }
    }

    /// The columns of the table, written out a second time: a change of a row has to be meant.
    @Test func `each row says who tries again, who is marked and who is told`() {
        let table = FailureClass.allCases.map { failure -> String in
            let rule = failure.rule
            let words = [
                rule.retriesSameKey > 0 ? "again \(rule.retriesSameKey)" : "-",
                rule.triesOtherKey ? "other key" : "-", rule.failsOver ? "fail over" : "-",
                rule.countsForBreaker ? "breaker" : "-", rule.credentialMark?.rawValue ?? "-",
                rule.told.rawValue,
            ]
            return failure.rawValue + ": " + words.joined(separator: ", ")
        }
        #expect(
            table == [
                "transport: again 2, -, fail over, breaker, -, on-call",
                "timeout: again 1, -, fail over, breaker, -, on-call",
                "provider_fault: again 1, -, fail over, breaker, -, on-call",
                "overloaded: again 1, -, fail over, breaker, -, on-call",
                "key_rate_limit: again 1, other key, fail over, -, cooling, tenant",
                "key_quota: -, other key, fail over, -, exhausted, key owner",
                "bad_key: -, other key, fail over, -, suspect, key owner",
                "not_permitted: -, other key, fail over, -, denied_for_model, key owner",
                "caller_fault: -, -, -, -, -, caller",
                "context_window: -, -, -, -, -, caller",
                "content_policy: -, -, -, -, -, caller",
                "broke_before_content: again 1, -, fail over, breaker, -, on-call",
                "broke_after_content: -, -, -, breaker, -, caller",
                "cancelled: -, -, -, -, -, nobody",
                "unknown_refusal: -, -, -, -, -, on-call",
            ])
    }
}

import Domain

/// What each provider answers in each row, after its documentation or, where that is silent, after its source or answers
/// seen in public bug reports.
extension FailureFixture {
    static let answers = timeouts + faults + overloads + limits + money + badKeys + denials + mistakes + rest

    private static let timeouts: [FailureFixture] = [
        .init(.timeoutBeforeFirstByte, .openai, 504, ""),
        .init(.timeoutBeforeFirstByte, .azure, 408, azure("Timeout", "The operation was timeout.")),
        .init(.timeoutBeforeFirstByte, .anthropic, 504, anthropic("timeout_error")),
        .init(.timeoutBeforeFirstByte, .gemini, 504, google(504, "DEADLINE_EXCEEDED")),
        .init(
            .timeoutBeforeFirstByte, .bedrock, 408, aws("Model has timed out"),
            header: "ModelTimeoutException"),
        .init(.timeoutBeforeFirstByte, .mistral, 504, "<html>Gateway Timeout</html>"),
        .init(.timeoutBeforeFirstByte, .groq, 504, openAI("internal_server_error", nil)),
        .init(.timeoutBeforeFirstByte, .deepseek, 504, ""),
        .init(.timeoutBeforeFirstByte, .xai, 504, ""),
        .init(.timeoutBeforeFirstByte, .together, 524, "<html>A timeout occurred</html>"),
        .init(.timeoutBeforeFirstByte, .openrouter, 408, openRouter(408, "Request timed out")),
        .init(.timeoutBeforeFirstByte, .ollama, 504, ""),
        .init(.timeoutBeforeFirstByte, .vllm, 504, ""),
    ]

    private static let faults: [FailureFixture] = [
        .init(.providerFault, .openai, 500, openAI("server_error", nil)),
        .init(.providerFault, .azure, 500, azure("InternalServerError")),
        .init(.providerFault, .anthropic, 500, anthropic("api_error", "Internal server error")),
        .init(.providerFault, .gemini, 500, google(500, "INTERNAL")),
        .init(.providerFault, .bedrock, 424, aws("M"), header: "ModelErrorException"),
        .init(.providerFault, .bedrock, 500, aws("M"), header: "InternalServerException"),
        .init(.providerFault, .mistral, 502, "<html>Bad Gateway</html>"),
        .init(.providerFault, .groq, 500, openAI("internal_server_error", nil)),
        .init(.providerFault, .deepseek, 500, openAI("server_error", nil)),
        .init(.providerFault, .xai, 500, xAI("Internal error", "M")),
        .init(.providerFault, .together, 500, openAI("server_error", nil)),
        .init(.providerFault, .openrouter, 502, openRouter(502, "Provider returned error")),
        .init(.providerFault, .ollama, 500, ollama("api_error", "llama runner process has terminated")),
        .init(.providerFault, .vllm, 500, vLLM("InternalServerError", 500)),
    ]

    private static let overloads: [FailureFixture] = [
        .init(
            .overloaded, .openai, 503,
            openAI("server_error", nil, "The engine is currently overloaded, please try again later")),
        .init(.overloaded, .openai, 503, openAI("slow_down", "slow_down")),
        .init(
            .overloaded, .azure, 503,
            openAI("server_error", nil, "That model is currently overloaded with other requests")),
        .init(.overloaded, .anthropic, 529, anthropic("overloaded_error", "Overloaded")),
        .init(
            .overloaded, .gemini, 503,
            google(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")),
        .init(.overloaded, .bedrock, 503, aws("M"), header: "ServiceUnavailableException"),
        .init(.overloaded, .bedrock, 429, aws("The model is not ready"), header: "ModelNotReadyException"),
        .init(.overloaded, .mistral, 503, mistral("unavailable", "1900", "Service unavailable.")),
        .init(.overloaded, .groq, 498, openAI("flex_tier", "capacity_exceeded")),
        .init(
            .overloaded, .deepseek, 503,
            openAI(
                "service_unavailable_error", nil, "Service is too busy. We advise users to temporarily switch"
            )),
        .init(.overloaded, .xai, 503, xAI("unavailable", "The service is currently unavailable")),
        .init(
            .overloaded, .together, 503,
            openAI("service_unavailable", nil, "The server is overloaded or not ready yet.")),
        .init(.overloaded, .openrouter, 529, openRouter(529, "Provider overloaded")),
        .init(
            .overloaded, .ollama, 503,
            ollama("api_error", "server busy, please try again.  maximum pending requests exceeded")),
    ]

    private static let limits: [FailureFixture] = [
        .init(.keyRateLimit, .openai, 429, openAI("requests", "rate_limit_exceeded")),
        .init(
            .keyRateLimit, .azure, 429,
            azure("429", "Requests to the ChatCompletions_Create Operation have exceeded call rate limit")),
        .init(.keyRateLimit, .anthropic, 429, anthropic("rate_limit_error")),
        .init(
            .keyRateLimit, .gemini, 429,
            google(
                429, "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan",
                more: #",{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"38.07s"}"#)),
        .init(
            .keyRateLimit, .bedrock, 429, aws("Too many requests, please wait before trying again."),
            header: "ThrottlingException:http://internal.amazon.com/coral/com.amazon.coral.availability/"),
        .init(.keyRateLimit, .mistral, 429, mistral("rate_limited", "1300", "Rate limit exceeded")),
        .init(.keyRateLimit, .mistral, 429, #"{"message":"Requests rate limit exceeded"}"#),
        .init(.keyRateLimit, .groq, 429, openAI("tokens", "rate_limit_exceeded")),
        .init(
            .keyRateLimit, .groq, 413,
            openAI(
                "tokens", "rate_limit_exceeded", "Request too large for model `x` on tokens per minute (TPM)")
        ),
        .init(.keyRateLimit, .deepseek, 429, openAI("rate_limit_error", nil, "Rate limit reached")),
        .init(
            .keyRateLimit, .xai, 429,
            xAI("Some resource has been exhausted", "Too many requests for team t and model m.")),
        .init(.keyRateLimit, .together, 429, openAI("rate_limit", "rate_limit")),
        .init(
            .keyRateLimit, .openrouter, 429,
            openRouter(429, "Rate limit exceeded: free-models-per-min.")),
    ]

    private static let money: [FailureFixture] = [
        .init(
            .keyQuota, .openai, 429,
            openAI("insufficient_quota", "insufficient_quota", "You exceeded your current quota")),
        .init(.keyQuota, .openai, 429, openAI("billing_not_active", "billing_not_active")),
        .init(.keyQuota, .openai, 400, openAI("invalid_request_error", "billing_hard_limit_reached")),
        .init(.keyQuota, .azure, 429, openAI("insufficient_quota", "insufficient_quota")),
        .init(
            .keyQuota, .anthropic, 400,
            anthropic("invalid_request_error", "Your credit balance is too low to access the Anthropic API.")),
        .init(
            .keyQuota, .anthropic, 400,
            anthropic("invalid_request_error", "You have reached your specified API usage limits.")),
        .init(.keyQuota, .anthropic, 402, anthropic("billing_error")),
        .init(
            .keyQuota, .anthropic, 429,
            anthropic("rate_limit_error", details: #"{"error_code":"enforced_spend_limit_reached"}"#)),
        .init(.keyQuota, .bedrock, 400, aws("M"), header: "ServiceQuotaExceededException"),
        .init(.keyQuota, .mistral, 402, #"{"detail":"You have no active subscription"}"#),
        .init(.keyQuota, .groq, 402, openAI("invalid_request_error", "spend_limit_reached")),
        .init(
            .keyQuota, .deepseek, 402,
            openAI("unknown_error", "invalid_request_error", "Insufficient Balance")),
        .init(
            .keyQuota, .xai, 403,
            xAI("C", "Your newly created team doesn't have any credits yet. You can purchase credits on")),
        .init(
            .keyQuota, .xai, 429,
            xAI(
                "Some resource has been exhausted",
                "Your team 16f2151a-40f4-4a80-8ad0-cae00c27e8dd has either used all available credits or reached"
            )),
        .init(
            .keyQuota, .xai, 403,
            xAI(
                "C", "Your team 16f2151a-40f4-4a80-8ad0-cae00c27e8dd has either used all available credits or"
            )),
        .init(.keyQuota, .together, 402, openAI("credit_limit", nil, "Credit limit exceeded")),
        .init(.keyQuota, .openrouter, 402, openRouter(402, "Insufficient credits")),
        .init(
            .keyQuota, .openrouter, 403,
            openRouter(403, "Key limit exceeded (monthly limit). Manage it using")),
    ]

    private static let badKeys: [FailureFixture] = [
        .init(.badKey, .openai, 401, openAI("invalid_request_error", "invalid_api_key")),
        .init(
            .badKey, .azure, 401,
            azure("401", "Access denied due to invalid subscription key or wrong API endpoint.")),
        .init(.badKey, .anthropic, 401, anthropic("authentication_error", "invalid x-api-key")),
        .init(
            .badKey, .gemini, 400,
            google(400, "INVALID_ARGUMENT", "API key not valid.", reason: "API_KEY_INVALID")),
        .init(
            .badKey, .gemini, 403,
            google(
                403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key.")),
        .init(
            .badKey, .bedrock, 403, aws("The security token included in the request is invalid."),
            header: "UnrecognizedClientException"),
        .init(
            .badKey, .bedrock, 403, aws("The security token included in the request is expired"),
            header: "ExpiredTokenException"),
        .init(.badKey, .bedrock, 403, #"{"__type":"InvalidSignatureException","message":"M"}"#),
        .init(.badKey, .bedrock, 403, #"{"Message":"Bearer Token has expired"}"#),
        .init(.badKey, .mistral, 401, #"{"detail":"Unauthorized"}"#),
        .init(.badKey, .groq, 401, openAI("invalid_request_error", "invalid_api_key", "Invalid API Key")),
        .init(.badKey, .deepseek, 401, openAI("authentication_error", "invalid_request_error")),
        .init(
            .badKey, .xai, 400,
            xAI("Client specified an invalid argument", "Incorrect API key provided: xa***ey.")),
        .init(.badKey, .together, 401, openAI("invalid_request_error", "invalid_api_key")),
        .init(.badKey, .openrouter, 401, openRouter(401, "No auth credentials found")),
        .init(.badKey, .vllm, 401, #"{"error":"Unauthorized"}"#),
    ]

    private static let denials: [FailureFixture] = [
        .init(.notPermitted, .openai, 404, openAI("invalid_request_error", "model_not_found")),
        .init(
            .notPermitted, .openai, 401,
            openAI(
                "invalid_request_error", nil, "You have insufficient permissions for this operation. Missing")
        ),
        .init(
            .notPermitted, .openai, 403,
            openAI("invalid_request_error", "unsupported_country_region_territory")),
        .init(.notPermitted, .azure, 404, azure("DeploymentNotFound")),
        .init(
            .notPermitted, .azure, 401,
            azure("PermissionDenied", "The principal lacks the required data action")),
        .init(.notPermitted, .anthropic, 403, anthropic("permission_error")),
        .init(.notPermitted, .gemini, 403, google(403, "PERMISSION_DENIED")),
        .init(
            .notPermitted, .gemini, 400,
            google(400, "FAILED_PRECONDITION", "User location is not supported for the API use.")),
        .init(
            .notPermitted, .bedrock, 403,
            aws("You don't have access to the model with the specified model ID."),
            header: "AccessDeniedException"),
        .init(.notPermitted, .mistral, 403, #"{"detail":"Forbidden"}"#),
        .init(.notPermitted, .groq, 403, openAI("permissions_error", "model_permission_blocked_org")),
        .init(.notPermitted, .groq, 404, openAI("invalid_request_error", "model_not_found")),
        .init(
            .notPermitted, .xai, 403,
            xAI("The caller does not have permission to execute the specified operation", "M")),
        .init(.notPermitted, .together, 404, openAI("invalid_request_error", "model_not_found")),
        .init(.notPermitted, .openrouter, 403, openRouter(403, "This key may not use this model")),
    ]

    private static let mistakes: [FailureFixture] = [
        .init(.callerFault, .openai, 400, openAI("invalid_request_error", "invalid_value")),
        .init(.callerFault, .azure, 400, openAI("invalid_request_error", "unsupported_value")),
        .init(.callerFault, .anthropic, 404, anthropic("not_found_error", "model: claude-x")),
        .init(.callerFault, .anthropic, 413, anthropic("request_too_large")),
        .init(.callerFault, .gemini, 400, google(400, "INVALID_ARGUMENT", "Invalid value at contents")),
        .init(.callerFault, .bedrock, 400, aws("Malformed input request"), header: "ValidationException"),
        .init(.callerFault, .bedrock, 404, aws("M"), header: "ResourceNotFoundException"),
        .init(
            .callerFault, .mistral, 422,
            #"{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","x"]}]},"type":"invalid_request_error","code":"3051"}"#
        ),
        .init(
            .callerFault, .mistral, 400,
            mistral("invalid_function_call", "3280", "Tool call id was x but must be a-z, A-Z, 0-9")),
        .init(.callerFault, .groq, 400, openAI("invalid_request_error", "tool_use_failed")),
        .init(.callerFault, .deepseek, 422, openAI("invalid_request_error", "invalid_request_error")),
        .init(.callerFault, .deepseek, 400, openAI("invalid_request_error", nil, "Model Not Exist")),
        .init(
            .callerFault, .xai, 404, xAI("Some requested entity was not found", "The model x does not exist")),
        .init(.callerFault, .together, 400, openAI("invalid_request_error", nil, "Invalid value")),
        .init(.callerFault, .openrouter, 400, openRouter(400, "x is not a valid model ID")),
        .init(.callerFault, .ollama, 404, ollama("not_found_error", "model 'x' not found")),
        .init(.callerFault, .vllm, 400, vLLM("BadRequestError", 400)),
        .init(.callerFault, .vllm, 404, vLLM("NotFoundError", 404, "The model `x` does not exist.")),

        .init(.contextWindow, .openai, 400, openAI("invalid_request_error", "context_length_exceeded")),
        .init(.contextWindow, .azure, 400, openAI("invalid_request_error", "context_length_exceeded")),
        .init(
            .contextWindow, .anthropic, 400,
            anthropic("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")),
        .init(
            .contextWindow, .gemini, 400,
            google(
                400, "INVALID_ARGUMENT",
                "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).")),
        .init(
            .contextWindow, .bedrock, 400, aws("Input is too long for requested model."),
            header: "ValidationException"),
        .init(
            .contextWindow, .bedrock, 400,
            aws(
                "The model returned the following errors: prompt is too long: 219384 tokens > 200000 maximum"),
            header: "ValidationException"),
        .init(
            .contextWindow, .mistral, 400,
            mistral(
                "invalid_request_error", "3051",
                "Prompt contains 300000 tokens, too large for model with 131072 maximum context length")),
        .init(.contextWindow, .groq, 400, openAI("invalid_request_error", "context_length_exceeded")),
        .init(
            .contextWindow, .deepseek, 400,
            openAI("invalid_request_error", nil, "This model's maximum context length is 65536 tokens.")),
        .init(
            .contextWindow, .xai, 400,
            xAI(
                "Client specified an invalid argument",
                "This model's maximum prompt length is 131072 but the request contains 537812 tokens.")),
        .init(
            .contextWindow, .together, 422,
            openAI(
                "invalid_request_error", nil,
                "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097.")),
        .init(
            .contextWindow, .openrouter, 400,
            openRouter(400, "This endpoint's maximum context length is 32768 tokens. However, you requested")),
        .init(
            .contextWindow, .ollama, 400,
            ollama("invalid_request_error", "prompt too long; exceeded max context length by 4096 tokens")),
        .init(
            .contextWindow, .vllm, 400,
            vLLM("BadRequestError", 400, "This model's maximum context length is 4096 tokens.")),
        .init(
            .contextWindow, .vllm, 400,
            vLLM(
                "BadRequestError", 400,
                "You passed 8193 input tokens and requested 0 output tokens. However, the model's context length is only 8192 tokens"
            )),
        // As it was before the envelope had an `error`.
        .init(
            .contextWindow, .vllm, 400,
            #"{"object":"error","message":"This model's maximum context length is 4096 tokens.","type":"BadRequestError","code":400}"#
        ),
    ]

    private static let rest: [FailureFixture] = [
        .init(.contentPolicy, .openai, 400, openAI("invalid_request_error", "content_policy_violation")),
        .init(
            .contentPolicy, .azure, 400,
            #"{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true,"severity":"high"}}}}}"#
        ),
        .init(
            .contentPolicy, .anthropic, 400,
            anthropic("invalid_request_error", "Output blocked by content filtering policy")),
        .init(
            .contentPolicy, .deepseek, 400,
            openAI("invalid_request_error", "invalid_request_error", "Content Exists Risk")),
        .init(
            .contentPolicy, .xai, 403,
            xAI("C", "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO")),
        .init(
            .contentPolicy, .openrouter, 403,
            openRouter(
                403, "openai/gpt-x requires moderation on OpenAI. Your input was flagged",
                metadata: #"{"reasons":["violence"],"flagged_input":"Incorrect API key"}"#)),

        .init(.unknownRefusal, .openai, 409, openAI("x", "x")),
        .init(.unknownRefusal, .anthropic, 409, anthropic("conflict_error")),
        .init(.unknownRefusal, .groq, 499, openAI("x", nil)),
        .init(.unknownRefusal, .vllm, 405, #"{"detail":"Method Not Allowed"}"#),
    ]
}

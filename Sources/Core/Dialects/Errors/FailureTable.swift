public import Domain

extension UpstreamError {
    /// What kind of failure a provider's answer of this status is.
    ///
    /// The first row that fits decides. Any status is answered: 3xx counts as the provider's fault, since redirects
    /// are never followed; so does a 2xx, which is no failure unless an error came inside the stream (pass
    /// ``impliedStatus`` for that one).
    public func classify(status: Int, kind: ProviderKind) -> FailureClass {
        if let row = Self.rows.first(where: { $0.fits(self, status, kind) }) { return row.failure }
        return (400...499).contains(status) ? .unknownRefusal : .providerFault
    }

    /// The table: statuses; what the error must be labelled with or begin with, nothing asked if both are empty; for
    /// which kinds of provider; the class. Texts are lower case.
    ///
    /// Sources: OpenAI "Error codes", Azure OpenAI "Quotas and limits", Anthropic "Errors", Google "Troubleshooting",
    /// Amazon Bedrock "Converse: errors" and AWS "Common errors", DeepSeek "Error codes", Groq, Together, xAI and
    /// OpenRouter "Errors", Mistral "Known limitations", the sources of vLLM and Ollama, and answers seen in public bug
    /// reports.
    private static let rows: [FailureRow] = [
        // The provider key is good, but must not do this.
        .init(
            [401], opening: ["you have insufficient permissions for this operation"],
            kinds: [.openai, .azure], .notPermitted),
        // So does Azure say that an Entra identity lacks a role.
        .init([401], labels: ["permissiondenied"], kinds: [.azure], .notPermitted),

        // The provider key is wrong. Gemini and xAI say so with 400.
        .init([401], .badKey),
        .init([400], labels: ["api_key_invalid"], opening: ["incorrect api key"], .badKey),
        .init([403], opening: ["your api key was reported as leaked"], kinds: [.gemini], .badKey),
        // So does AWS with 403, for each way in which a signature can be wrong, and for its API keys.
        .init(
            [400, 403],
            labels: [
                "unrecognizedclientexception", "expiredtokenexception", "invalidsignatureexception",
                "incompletesignatureexception", "invalidclienttokenid", "missingauthenticationtokenexception",
                "missingauthenticationtoken",
            ],
            opening: [
                "bearer token has expired", "authentication failed: please make sure your api key is valid",
            ],
            kinds: [.bedrock], .badKey),

        // The provider key has no money left.
        .init([402], .keyQuota),
        .init(
            [400, 403, 429],
            labels: [
                "insufficient_quota", "billing_hard_limit_reached", "billing_not_active",
                "enforced_spend_limit_reached", "billing_error",
            ],
            opening: ["your newly created team doesn't have any credits", "key limit exceeded ("], .keyQuota),
        .init(
            [403, 429], opening: ["your team "], then: "has either used all available credits",
            kinds: [.openaiCompatible], .keyQuota),
        // Gemini says this of a limit for each minute, too; its hint when to come back tells that it is one.
        .init(
            [429], opening: ["you exceeded your current quota"],
            kinds: [.openai, .azure, .openaiCompatible], .keyQuota),
        .init([400], labels: ["servicequotaexceededexception"], kinds: [.bedrock], .keyQuota),
        .init(
            [400, 403, 429],
            opening: [
                "your credit balance is too low", "you have reached your specified api usage limits",
                "this request would exceed your organization's spend limit",
            ],
            kinds: [.anthropic], .keyQuota),

        // Not the key but the model is busy.
        .init([429], labels: ["modelnotreadyexception"], kinds: [.bedrock], .overloaded),

        // The provider key must wait. Groq says 413 where one call alone is more than its minute allows.
        .init([429], .keyRateLimit),
        .init([413], labels: ["rate_limit_exceeded"], .keyRateLimit),

        // The provider will not answer this.
        .init(
            [400, 403, 422],
            labels: [
                "content_filter", "content_policy_violation", "responsibleaipolicyviolation", "flagged_input",
            ],
            opening: [
                "the response was filtered", "input was flagged",
                "output blocked by content filtering policy", "content exists risk",
                "content violates usage guidelines",
            ],
            .contentPolicy),

        // The call is too long for the model. Bedrock puts words of its own before the model's.
        .init(
            [400, 403, 413, 422], labels: ["context_length_exceeded", "model_context_window_exceeded"],
            opening: [
                "prompt is too long", "this model's maximum context length",
                "input length and `max_tokens` exceed",
                "input is too long", "the input token count", "too many input tokens",
                "this endpoint's maximum context length", "this model's maximum prompt length",
                "input validation error: `inputs` tokens + `max_new_tokens` must be",
                "the model returned the following errors: prompt is too long",
                "the model returned the following errors: input is too long",
                "prompt too long; exceeded",
            ], .contextWindow),
        .init(
            [400], opening: ["prompt contains "], then: "too large for model with",
            kinds: [.openaiCompatible], .contextWindow),
        .init(
            [400], opening: ["you passed "], then: "the model's context length is only",
            kinds: [.openaiCompatible], .contextWindow),

        // The provider key may not do this; another may.
        .init([403], .notPermitted),
        .init([400, 404], labels: ["model_not_found", "deploymentnotfound"], .notPermitted),
        .init([400], labels: ["failed_precondition"], kinds: [.gemini], .notPermitted),

        // The provider is slow, full or broken. 522 and 524 are Cloudflare's for a provider that does not answer.
        .init([408, 504, 522, 524], .timeoutBeforeFirstByte),
        // 498 is Groq's for a service tier without room.
        .init([498, 529], .overloaded),
        .init(
            [500, 502, 503],
            labels: [
                "overloaded_error", "server_overloaded", "unavailable", "overloaded", "slow_down",
                "serviceunavailableexception",
            ],
            opening: [
                "the engine is currently overloaded", "the server is overloaded", "overloaded",
                "the model is overloaded",
                "that model is currently overloaded", "service is too busy", "server busy",
            ],
            .overloaded),
        .init([424, 500, 502, 503], .providerFault),

        // The call itself is wrong.
        .init([400, 404, 413, 422], .callerFault),
    ]
}

/// One row of the failure table.
private struct FailureRow: Sendable {
    let statuses: [Int]
    let labels: [StaticString]
    let opening: [StaticString]
    /// What has to follow the opening, where that alone says too little.
    let following: StaticString?
    let kinds: [ProviderKind]
    let failure: FailureClass

    init(
        _ statuses: [Int], labels: [StaticString] = [], opening: [StaticString] = [],
        then following: StaticString? = nil, kinds: [ProviderKind] = ProviderKind.allCases,
        _ failure: FailureClass
    ) {
        self.statuses = statuses
        self.labels = labels
        self.opening = opening
        self.following = following
        self.kinds = kinds
        self.failure = failure
    }

    func fits(_ error: UpstreamError, _ status: Int, _ kind: ProviderKind) -> Bool {
        guard statuses.contains(status), kinds.contains(kind) else { return false }
        if labels.isEmpty, opening.isEmpty { return true }
        return labels.contains { error.has($0) }
            || opening.contains { text in
                following.map { error.opens(with: text, then: $0) } ?? error.opens(with: text)
            }
    }
}

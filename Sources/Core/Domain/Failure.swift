/// Why a call ended without an answer: code, who is at fault, what to do; never a secret or another tenant's name.
public struct CallFailure: Error, Sendable, Hashable {
    /// What went wrong; the raw value is the metric label and the error code that callers see.
    public enum Code: String, Sendable, Codable, CaseIterable {
        case invalidRequest = "invalid_request"
        case bodyTooLarge = "body_too_large"
        case missingKey = "missing_virtual_key"
        case invalidKey = "invalid_virtual_key"
        case ambiguousKey = "ambiguous_credentials"
        case expiredKey = "expired_virtual_key"
        case tenantSuspended = "tenant_suspended"
        case modelNotAllowed = "model_not_allowed"
        case modelNotFound = "model_not_found"
        case endpointNotFound = "endpoint_not_found"
        case methodNotAllowed = "method_not_allowed"
        case requestsPerMinute = "requests_per_minute"
        case tokensPerMinute = "tokens_per_minute"
        case parallelCalls = "parallel_calls"
        case noProviderKey = "no_provider_key"
        case noTarget = "no_target_available"
        case upstreamRefused = "upstream_refused"
        case upstreamFailed = "upstream_failed"
        case upstreamTimeout = "upstream_timeout"
        case upstreamCut = "upstream_cut"
        case deadlineExceeded = "deadline_exceeded"
        case cancelled = "cancelled_by_client"
        case vaultSealed = "vault_sealed"
        case overloaded = "gateway_overloaded"
        case shuttingDown = "shutting_down"
        case internalFault = "internal_fault"
    }

    /// Whose fault it is.
    public enum Source: String, Sendable, Codable {
        case caller, gateway, provider, providerKey = "provider_key"
    }

    public let code: Code
    public let source: Source
    /// One sentence for the caller: what, and what to do.
    public let message: String
    /// The request field at fault, where there is one.
    public let field: String?
    /// When trying again may help; nil where it does not.
    public let retryAfter: Duration?
    /// The HTTP status, where it is not the code's own (an upstream's 400 handed on).
    public let statusOverride: Int?
    /// What the rate-limit headers say, where one of the caller's own limits refused the call.
    public let limits: LimitFacts?

    public init(
        _ code: Code, source: Source, _ message: String, field: String? = nil, retryAfter: Duration? = nil,
        status: Int? = nil, limits: LimitFacts? = nil
    ) {
        self.code = code
        self.source = source
        self.message = message
        self.field = field
        self.retryAfter = retryAfter
        statusOverride = status
        self.limits = limits
    }

    /// The same with what became of other targets, where it is a provider's fault that one of them might have made up
    /// for.
    public func adding(_ others: String) -> CallFailure {
        guard source == .provider, !others.isEmpty else { return self }
        return CallFailure(
            code, source: source, "\(message); besides: \(others)", field: field, retryAfter: retryAfter,
            status: statusOverride, limits: limits)
    }

    /// No provider key can be opened until an operator unlocks the vault. 10 s: somebody has to come.
    public static var sealedVault: CallFailure {
        CallFailure(
            .vaultSealed, source: .gateway, "the vault is sealed; an operator has to unlock it",
            retryAfter: .seconds(10))
    }

    /// The HTTP status a caller sees.
    public var status: Int {
        if let statusOverride { return statusOverride }
        return switch code {
        case .invalidRequest: 400
        case .bodyTooLarge: 413
        case .missingKey, .invalidKey, .ambiguousKey, .expiredKey: 401
        // A suspended tenant is told apart from an unknown key only by holders of a valid one.
        case .tenantSuspended, .modelNotAllowed: 403
        case .modelNotFound, .endpointNotFound: 404
        case .methodNotAllowed: 405
        case .requestsPerMinute, .tokensPerMinute, .parallelCalls: 429
        case .noProviderKey, .upstreamRefused: 424
        case .noTarget, .vaultSealed, .overloaded, .shuttingDown: 503
        case .upstreamFailed, .upstreamCut: 502
        case .upstreamTimeout, .deadlineExceeded: 504
        // nginx's "client closed request": never sent, only recorded.
        case .cancelled: 499
        case .internalFault: 500
        }
    }
}

/// How one attempt failed, after the provider's particulars are stripped away.
public enum FailureClass: String, Sendable, Codable, CaseIterable {
    case transport
    case timeoutBeforeFirstByte = "timeout"
    case providerFault = "provider_fault"
    case overloaded
    case keyRateLimit = "key_rate_limit"
    case keyQuota = "key_quota"
    case badKey = "bad_key"
    case notPermitted = "not_permitted"
    case callerFault = "caller_fault"
    case contextWindow = "context_window"
    case contentPolicy = "content_policy"
    case brokeBeforeContent = "broke_before_content"
    case brokeAfterContent = "broke_after_content"
    case cancelled
    case unknownRefusal = "unknown_refusal"

    /// What the path does about it: one row of the failure table.
    public struct Rule: Sendable, Hashable {
        /// How often the same key at the same target may be tried again, once no other target is left. Between the
        /// tries lies a growing pause, never shorter than the provider asked for.
        public let retriesSameKey: Int
        /// Whether another key of the same tenant may help.
        public let triesOtherKey: Bool
        /// Whether the call moves on to the route's next target.
        public let failsOver: Bool
        /// Whether it counts against the target's breaker. Never true for a fault of the key or the caller.
        public let countsForBreaker: Bool
        /// What it says about the provider key that was used.
        public let credentialMark: CredentialMark?
        /// Who can do something about it.
        public let told: Audience
    }

    /// Whose business a failure is: screens and alerts show it to them.
    public enum Audience: String, Sendable, Codable, CaseIterable {
        case onCall = "on-call"
        case tenant
        case keyOwner = "key owner"
        case caller
        case nobody
    }

    /// The failure table: one row a class (the behaviour follows the published error semantics of the providers).
    ///
    /// `brokeBeforeContent` is the row for streams that ended without saying why; one that ended with an error counts
    /// as the class of that error.
    public var rule: Rule {
        switch self {
        //                             retries, other key, fail over, breaker, marks the key, who is told
        case .transport: .init(2, other: false, over: true, breaker: true, nil, .onCall)
        case .timeoutBeforeFirstByte: .init(1, other: false, over: true, breaker: true, nil, .onCall)
        case .providerFault: .init(1, other: false, over: true, breaker: true, nil, .onCall)
        case .overloaded: .init(1, other: false, over: true, breaker: true, nil, .onCall)
        case .keyRateLimit: .init(1, other: true, over: true, breaker: false, .cooling, .tenant)
        case .keyQuota: .init(0, other: true, over: true, breaker: false, .exhausted, .keyOwner)
        case .badKey: .init(0, other: true, over: true, breaker: false, .suspect, .keyOwner)
        case .notPermitted: .init(0, other: true, over: true, breaker: false, .deniedForModel, .keyOwner)
        case .callerFault: .init(0, other: false, over: false, breaker: false, nil, .caller)
        case .contextWindow: .init(0, other: false, over: false, breaker: false, nil, .caller)
        case .contentPolicy: .init(0, other: false, over: false, breaker: false, nil, .caller)
        case .unknownRefusal: .init(0, other: false, over: false, breaker: false, nil, .onCall)
        case .brokeBeforeContent: .init(1, other: false, over: true, breaker: true, nil, .onCall)
        case .brokeAfterContent: .init(0, other: false, over: false, breaker: true, nil, .caller)
        case .cancelled: .init(0, other: false, over: false, breaker: false, nil, .nobody)
        }
    }
}

extension FailureClass.Rule {
    fileprivate init(
        _ retries: Int, other: Bool, over: Bool, breaker: Bool, _ mark: CredentialMark?,
        _ told: FailureClass.Audience
    ) {
        self.init(
            retriesSameKey: retries, triesOtherKey: other, failsOver: over, countsForBreaker: breaker,
            credentialMark: mark, told: told)
    }
}

/// What an attempt showed about a provider key.
public enum CredentialMark: String, Sendable, Codable, CaseIterable {
    case ok
    case cooling
    case exhausted
    /// Refused once: it rests until one probe confirms or clears it.
    case suspect
    case rejected
    case deniedForModel = "denied_for_model"
}

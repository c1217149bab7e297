import Access
public import Domain

/// What the caller asked of the cache (`x-gatehouse-cache`).
public struct CacheDirective: Sendable, Hashable {
    public var enabled: Bool
    public var timeToLive: Duration?

    public init(enabled: Bool = true, timeToLive: Duration? = nil) {
        self.enabled = enabled
        self.timeToLive = timeToLive
    }

    /// Reads `off`, `on`, `exact`, each optionally followed by `;ttl=SECONDS`.
    public init(header: String) throws(CallFailure) {
        // Most say no more than that.
        if header == "off" || header == "on" {
            enabled = header == "on"
            return
        }
        let parts = header.split(separator: ";").map { $0.trimmingBlanks }
        switch parts.first {
        case "off": enabled = false
        case "on", "exact": enabled = true
        default: throw Self.refusal(header)
        }
        for part in parts.dropFirst() {
            guard part.hasPrefix("ttl="), let seconds = Int64(part.dropFirst(4)),
                (1...86_400).contains(seconds)
            else { throw Self.refusal(header) }
            timeToLive = .seconds(seconds)
        }
    }

    private static func refusal(_ header: String) -> CallFailure {
        CallFailure(
            .invalidRequest, source: .caller,
            "x-gatehouse-cache is off, on or exact, with ;ttl=1..86400 seconds if wanted",
            field: "x-gatehouse-cache")
    }
}

extension Substring {
    /// Without blanks and tabs at both ends.
    var trimmingBlanks: Substring {
        var rest = self
        while let first = rest.utf8.first, first == 0x20 || first == 0x09 { rest.removeFirst() }
        while let last = rest.utf8.last, last == 0x20 || last == 0x09 { rest.removeLast() }
        return rest
    }
}

/// What a caller wants of routing, and what his call needs.
public struct CallWishes: Sendable, Hashable {
    /// Where the call may go (`x-gatehouse-route`); the route's own constraints hold besides.
    public var constraints = RouteConstraints()
    public var needs = Capabilities(rawValue: 0)
    /// The same for every call of a conversation; nil = none is known.
    public var conversation: UInt64?
    /// Whether images or files stand in the body itself: then its length says nothing of its tokens.
    public var inlinesData = false
    /// `x-gatehouse-priority`; nil = the virtual key's class.
    public var callClass: CallClass?

    public init() {}

    /// Reads `x-gatehouse-route`: `allow=openai,anthropic; deny=groq; regions=eu; retention=none; max-usd=0.05;
    /// requires=tools,vision; min-context=200000`, any of them.
    public mutating func readRoute(header: String) throws(CallFailure) {
        guard header.utf8.count <= 512 else { throw Self.routeRefusal }
        for part in header.split(separator: ";") {
            let sides = part.split(separator: "=", maxSplits: 1).map(\.trimmingBlanks)
            guard sides.count == 2 else { throw Self.routeRefusal }
            let words = sides[1].split(separator: ",").map { String($0.trimmingBlanks) }
            switch sides[0] {
            case "allow": constraints.allowedProviders = try Self.providers(words)
            case "deny": constraints.deniedProviders = try Self.providers(words)
            case "regions": constraints.regions = words
            case "retention": constraints.retention = words
            case "max-usd":
                guard let money = Money(dollars: String(sides[1])) else { throw Self.routeRefusal }
                constraints.costMost = money
            case "requires":
                guard let required = Capabilities(words: words) else { throw Self.routeRefusal }
                constraints.requires = required
            case "min-context":
                guard let tokens = Int64(sides[1]), tokens > 0 else { throw Self.routeRefusal }
                constraints.contextLeast = tokens
            default: throw Self.routeRefusal
            }
        }
    }

    private static func providers(_ words: [String]) throws(CallFailure) -> [ProviderName] {
        var names: [ProviderName] = []
        for word in words {
            guard let name = try? ProviderName(word) else { throw routeRefusal }
            names.append(name)
        }
        return names
    }

    private static var routeRefusal: CallFailure {
        CallFailure(
            .invalidRequest, source: .caller,
            "x-gatehouse-route is allow=NAMES; deny=NAMES; regions=WORDS; retention=WORDS; max-usd=DOLLARS; "
                + "requires=tools,vision,json_schema; min-context=TOKENS, any of them, lists separated by commas",
            field: "x-gatehouse-route")
    }
}

/// A request as the gateway's interface hands it to the path: read and checked, not yet allowed.
public struct InboundCall: Sendable {
    public let id: CallID
    public let dialect: Dialect
    public let model: ModelName
    public let streamed: Bool
    /// Input estimate plus the most output asked for, for token limits.
    public let estimatedTokens: Int64
    /// The output's part of it.
    public let estimatedOutput: Int64
    /// SHA-256 of the body as it came; computed by the interface while it has the bytes at hand.
    public let bodyDigest: Digest256?
    public let cache: CacheDirective
    public let tags: String
    public let wishes: CallWishes
    /// The caller's own deadline (`x-gatehouse-timeout`).
    public let timeout: Duration?
    public let received: Instant
    public let at: WallTime

    public init(
        id: CallID, dialect: Dialect, model: ModelName, streamed: Bool, estimatedTokens: Int64,
        estimatedOutput: Int64 = 0, wishes: CallWishes = CallWishes(),
        bodyDigest: Digest256?, cache: CacheDirective, tags: String, timeout: Duration?, received: Instant,
        at: WallTime
    ) {
        self.id = id
        self.dialect = dialect
        self.model = model
        self.streamed = streamed
        self.estimatedTokens = estimatedTokens
        self.estimatedOutput = estimatedOutput
        self.wishes = wishes
        self.bodyDigest = bodyDigest
        self.cache = cache
        self.tags = tags
        self.timeout = timeout
        self.received = received
        self.at = at
    }
}

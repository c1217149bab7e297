import Access
package import Domain

/// What the caller asked of the cache (`x-gatehouse-cache`).
package struct CacheDirective: Sendable, Hashable {
    package var enabled: Bool
    package var timeToLive: Duration?

    package init(enabled: Bool = true, timeToLive: Duration? = nil) {
        self.enabled = enabled
        self.timeToLive = timeToLive
    }

    /// Reads `off`, `on`, `exact`, each optionally followed by `;ttl=SECONDS`.
    package init(header: String) throws(CallFailure) {
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
package struct CallWishes: Sendable, Hashable {
    /// Where the call may go (`x-gatehouse-route`); the route's own constraints hold besides.
    package var constraints = RouteConstraints()
    package var needs = Capabilities(rawValue: 0)
    /// The same for every call of a conversation; nil = none is known.
    package var conversation: UInt64?
    /// Whether images or files stand in the body itself: then its length says nothing of its tokens.
    package var inlinesData = false
    /// `x-gatehouse-priority`; nil = the virtual key's class.
    package var callClass: CallClass?

    package init() {}

    /// Reads `x-gatehouse-route`: `allow=openai,anthropic; deny=groq; regions=eu; retention=none; max-usd=0.05;
    /// requires=tools,vision; min-context=200000`, any of them.
    package mutating func readRoute(header: String) throws(CallFailure) {
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
package struct InboundCall: Sendable {
    package let id: CallID
    package let dialect: Dialect
    package let model: ModelName
    package let streamed: Bool
    /// Input estimate plus the most output asked for, for token limits.
    package let estimatedTokens: Int64
    /// The output's part of it.
    package let estimatedOutput: Int64
    /// SHA-256 of the body as it came; computed by the interface while it has the bytes at hand.
    package let bodyDigest: Digest256?
    package let cache: CacheDirective
    package let tags: String
    package let wishes: CallWishes
    /// The caller's own deadline (`x-gatehouse-timeout`).
    package let timeout: Duration?
    package let received: Instant
    package let at: WallTime

    package init(
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

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

/// A request as the gateway's interface hands it to the path: read and checked, not yet allowed.
package struct InboundCall: Sendable {
    package let id: CallID
    package let dialect: Dialect
    package let model: ModelName
    package let streamed: Bool
    /// Input estimate plus the most output asked for, for token limits.
    package let estimatedTokens: Int64
    /// SHA-256 of the body as it came; computed by the interface while it has the bytes at hand.
    package let bodyDigest: Digest256?
    package let cache: CacheDirective
    package let tags: String
    /// The caller's own deadline (`x-gatehouse-timeout`).
    package let timeout: Duration?
    package let received: Instant
    package let at: WallTime

    package init(
        id: CallID, dialect: Dialect, model: ModelName, streamed: Bool, estimatedTokens: Int64,
        bodyDigest: Digest256?, cache: CacheDirective, tags: String, timeout: Duration?, received: Instant,
        at: WallTime
    ) {
        self.id = id
        self.dialect = dialect
        self.model = model
        self.streamed = streamed
        self.estimatedTokens = estimatedTokens
        self.bodyDigest = bodyDigest
        self.cache = cache
        self.tags = tags
        self.timeout = timeout
        self.received = received
        self.at = at
    }
}

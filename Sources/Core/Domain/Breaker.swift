/// What a breaker lets through.
public enum BreakerPosition: String, Sendable, Codable {
    case closed
    case halfOpen = "half_open"
    case open

    /// As screens and listings say it: good states lower case, bad states upper case.
    public var word: String {
        switch self {
        case .closed: "closed"
        case .halfOpen: "HALF"
        case .open: "OPEN"
        }
    }
}

/// An operator's override of a breaker: always with an owner, a reason and an end.
public struct BreakerHold: Hashable, Sendable, Codable {
    /// What the override does.
    public enum Mode: String, Sendable, Codable {
        /// Forced open: no call passes ("trip").
        case open
        /// Forced closed: every call passes, failures do not trip it ("close").
        case closed
        /// Stays as it was when held; neither failures nor time move it ("hold").
        case asIs = "as_is"
    }

    public let mode: Mode
    public let owner: String
    public let reason: String
    public let since: WallTime
    public let ends: WallTime

    public init(mode: Mode, owner: String, reason: String, since: WallTime, ends: WallTime) {
        self.mode = mode
        self.owner = owner
        self.reason = reason
        self.since = since
        self.ends = ends
    }
}

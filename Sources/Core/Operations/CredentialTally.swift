public import Domain

/// How many keys that could serve a target are in each state of health: apart from the provider's own.
public struct CredentialTally: Sendable, Hashable, Codable {
    public var ok: Int
    public var cooling: Int
    public var exhausted: Int
    public var suspect: Int
    public var rejected: Int
    public var deniedForModel: Int

    public init(
        ok: Int = 0, cooling: Int = 0, exhausted: Int = 0, suspect: Int = 0, rejected: Int = 0,
        deniedForModel: Int = 0
    ) {
        self.ok = ok
        self.cooling = cooling
        self.exhausted = exhausted
        self.suspect = suspect
        self.rejected = rejected
        self.deniedForModel = deniedForModel
    }

    public var total: Int { ok + cooling + exhausted + suspect + rejected + deniedForModel }

    /// The number of keys with a mark.
    public subscript(mark: CredentialMark) -> Int {
        get {
            switch mark {
            case .ok: ok
            case .cooling: cooling
            case .exhausted: exhausted
            case .suspect: suspect
            case .rejected: rejected
            case .deniedForModel: deniedForModel
            }
        }
        set {
            switch mark {
            case .ok: ok = newValue
            case .cooling: cooling = newValue
            case .exhausted: exhausted = newValue
            case .suspect: suspect = newValue
            case .rejected: rejected = newValue
            case .deniedForModel: deniedForModel = newValue
            }
        }
    }
}

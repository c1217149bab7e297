package import Domain

/// How many keys that could serve a target are in each state of health: apart from the provider's own.
package struct CredentialTally: Sendable, Hashable, Codable {
    package var ok: Int
    package var cooling: Int
    package var exhausted: Int
    package var suspect: Int
    package var rejected: Int
    package var deniedForModel: Int

    package init(
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

    package var total: Int { ok + cooling + exhausted + suspect + rejected + deniedForModel }

    /// The number of keys with a mark.
    package subscript(mark: CredentialMark) -> Int {
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

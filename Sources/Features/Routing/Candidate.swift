package import Domain

/// A target a call may go to, with what routing needs to know of it.
package struct Candidate: Sendable, Hashable {
    package let target: Target
    /// Its share under `weighted`; 0 = last resort.
    package let weight: Int
    /// The tenant's own keys for it, the preferred first.
    package let keys: [ProviderKeyID]
    /// Whether it may be called without any key.
    package let keyless: Bool

    package init(target: Target, weight: Int = 1, keys: [ProviderKeyID], keyless: Bool = false) {
        self.target = target
        self.weight = weight
        self.keys = keys
        self.keyless = keyless
    }
}

package import Domain

/// What is known of a provider key with one model, where it differs from what is known of the key.
package struct ModelMark: Sendable, Hashable, Codable {
    package var model: String
    package var mark: CredentialMark
    /// When it is tried again; nil = not by itself.
    package var until: WallTime?
    package init(model: String, mark: CredentialMark, until: WallTime? = nil) {
        self.model = model
        self.mark = mark
        self.until = until
    }
}

public import Domain

/// What is known of a provider key with one model, where it differs from what is known of the key.
public struct ModelMark: Sendable, Hashable, Codable {
    public var model: String
    public var mark: CredentialMark
    /// When it is tried again; nil = not by itself.
    public var until: WallTime?
    public init(model: String, mark: CredentialMark, until: WallTime? = nil) {
        self.model = model
        self.mark = mark
        self.until = until
    }
}

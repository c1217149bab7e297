/// A command on its way; one at a time.
struct PendingCommand: Sendable, Hashable {
    let id: Int
    let words: String
    /// Whether the dialog on top waits for it.
    let byDialog: Bool
}
